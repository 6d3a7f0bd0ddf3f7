"""Addresses between screens, so that every figure leads to the rows behind it."""

from urllib.parse import urlencode

from django.urls import reverse

from ingest.models import Service
from reconciliation.comparison.readiness import Condition
from reconciliation.models import Reconciliation

# Where the library keeps the filters of the list that a page was opened from.
FILTERS = "_changelist_filters"


def list_address(model: str, **filters: object) -> str:
    """A list, filtered; `model` is `app_model`, empty filters are left out."""
    query = urlencode({name: value for name, value in filters.items() if value not in ("", None)})
    address = reverse(f"admin:{model}_changelist")
    return f"{address}?{query}" if query else address


def queue_address(**filters: object) -> str:
    """The queue, filtered."""
    return list_address("reconciliation_reconciliation", **filters)


def row_address(row: Reconciliation, **filters: object) -> str:
    """A reconciliation's page, opened from the queue under these filters: its next row is the next of them."""
    kept = urlencode({name: value for name, value in filters.items() if value})
    address = reverse("admin:reconciliation_reconciliation_change", args=[row.pk])
    return f"{address}?{urlencode({FILTERS: kept})}" if kept else address


def overview_address(**filters: object) -> str:
    """The overview of a service and a period."""
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"{reverse('admin:index')}?{query}"


def condition_address(service: Service, condition: Condition) -> str:
    """Where what an unmet condition misses can be worked on; empty for one that only time or a click meets."""
    code = service.code
    addresses = {
        "clean_periods": lambda: queue_address(service=code, view="triage"),
        "no_open_deltas": lambda: queue_address(service=code, view="triage", outcome="compared"),
        "nothing_missing": lambda: queue_address(service=code, view="triage", outcome="not_compared"),
        "older_deltas": lambda: queue_address(service=code, view="triage"),
        "customers_linked": lambda: list_address("ingest_customer", service=code, linked="no"),
        "products_set": lambda: list_address("ingest_charge", service=code, product="no"),
        "usage_pushed": lambda: list_address("reconciliation_push", service=code, state="open"),
        "no_alarms": lambda: list_address("reconciliation_alarm", service=code, state="open"),
    }
    return addresses[condition.code]() if condition.code in addresses else ""
