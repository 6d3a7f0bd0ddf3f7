"""The screens of what services send: a module per screen."""

from ingest.admin import (
    api_keys,
    audit_records,
    catalogue,
    customers,
    events,
    people,
    subscriptions,
    usage,
)

__all__ = [
    "api_keys",
    "audit_records",
    "catalogue",
    "customers",
    "events",
    "people",
    "subscriptions",
    "usage",
]
