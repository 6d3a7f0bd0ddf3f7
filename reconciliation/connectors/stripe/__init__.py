"""Stripe through its own SDK: what was billed and paid, read by a key that may only read."""
