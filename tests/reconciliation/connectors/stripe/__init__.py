"""Tests of the connector to Stripe."""
