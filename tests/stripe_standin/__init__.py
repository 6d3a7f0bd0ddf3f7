"""A server that answers as Stripe's API of the pinned version does, as far as the console reads it.

Stripe's own test server is older than that version and localstripe older still, so the shapes are written down here
from the API reference (https://docs.stripe.com/api, version 2026-10-28.endive), and from the types of the SDK of that
version, which are generated from the same specification.
"""
