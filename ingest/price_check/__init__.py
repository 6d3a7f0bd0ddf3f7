"""What would this cost? The very functions that rate in production, asked with a document instead of rows.

A question is one case in the shape of the conformance cases: `id`, `kind`, its model or aggregation with
properties, and `input`. The answer is the figures of that kind under the cases' names, every exact decimal as
text. `manage.py rate` and the admin's page both ask here; no clock, no database.
"""
