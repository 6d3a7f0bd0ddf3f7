"""Odoo 19: a mirror of what it holds, and shadow quotations in it behind a guard against all else."""
