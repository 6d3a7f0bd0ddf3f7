"""What each kind of push writes to Odoo and how it is read back: a module per kind, one table of them."""
