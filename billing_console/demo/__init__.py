"""The demo: its people, its data, and the Odoo stand-in that it talks to."""
