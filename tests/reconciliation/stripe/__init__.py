"""Tests of Stripe as the external side."""
