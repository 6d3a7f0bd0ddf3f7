"""Composition of the Billing Console: settings, addresses, processes. No domain lives here."""
