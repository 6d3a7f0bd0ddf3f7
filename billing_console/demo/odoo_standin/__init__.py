"""A small server that answers OdooRPC as an Odoo 19 server does, for the demo and the tests."""
