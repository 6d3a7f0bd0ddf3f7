"""Stripe as the external side: its objects kept, whose they are, what they billed for which period."""
