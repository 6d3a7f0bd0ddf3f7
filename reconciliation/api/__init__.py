"""The part of the Lago-shaped API that tells what Odoo says too: taxes, invoices, fees with their tax."""
