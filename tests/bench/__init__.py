"""Measures the ratios that the design promises: `python -m tests.bench [numbers]`.

A ratio compares two contenders, each a function that does some work on the stage and returns how much of it
was done per second. All contenders run in turn, five times over, and a ratio is one of medians, so that a
noisy machine disturbs both sides alike.

To add a goal, add a module with a `GOAL` and name it in `goals.py`.
"""
