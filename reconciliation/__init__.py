"""Both sides' amounts, their deltas, triage, pushes to Odoo and the cutover."""
