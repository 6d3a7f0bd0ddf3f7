"""A month of usage to rate: twenty thousand subscriptions with five charges each, and a million events."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection

from tests.bench.stage import Stage

LABEL = "2026-09"
SUBSCRIPTIONS = 20_000
EVENTS = 1_000_000
CHARGES = 5

TIERS = [
    {"from_value": 0, "to_value": 100, "per_unit_amount": "0.10", "flat_amount": "1"},
    {"from_value": 101, "to_value": None, "per_unit_amount": "0.05", "flat_amount": "0"},
]
PRICES: list[tuple[str, dict[str, Any]]] = [
    ("standard", {"amount": "0.05"}),
    ("graduated", {"graduated_ranges": TIERS}),
    ("package", {"amount": "5", "package_size": 10}),
    ("volume", {"volume_ranges": TIERS}),
    ("standard", {"amount": "0.0021"}),
]

# Hardly any two subscriptions use the same: each fee is a calculation of its own.
INSERT = """
INSERT INTO ingest_usageevent (
    service_id, external_subscription_id, transaction_id, code, timestamp, properties, quantity, received_at
)
SELECT %(service)s, 'sub-' || (n %% %(subscriptions)s), n::text,
    'metric-' || ((n / %(subscriptions)s) %% %(charges)s),
    timestamptz '2026-09-01+00' + n * interval '29 days' / %(events)s,
    jsonb_build_object('value', used::text), used, timestamptz '2026-09-30+00'
FROM generate_series(1, %(events)s) AS n, LATERAL (SELECT (n * 7919::bigint %% 99991) * 0.01 AS used) AS value
"""


@cache
def make_subscriptions(_database_url: str) -> Any:
    """The service that sells it, with its customers and prices; made once for a database."""
    from ingest.models import Customer, Subscription
    from tests import factories

    service = factories.ServiceFactory(code="month")
    plan = factories.PlanFactory(service=service)
    for number, (model, properties) in enumerate(PRICES):
        metric = factories.MetricFactory(service=service, code=f"metric-{number}")
        factories.ChargeFactory(plan=plan, metric=metric, model=model, properties=properties)
    customers = Customer.objects.bulk_create(
        Customer(service=service, external_id=f"customer-{n}") for n in range(SUBSCRIPTIONS)
    )
    Subscription.objects.bulk_create(
        Subscription(
            service=service,
            customer=customer,
            plan=plan,
            external_id=f"sub-{n}",
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for n, customer in enumerate(customers)
    )
    return service


def fill(stage: Stage, events: int = EVENTS) -> Any:
    """A month's events, and the service that they are of."""
    service = make_subscriptions(stage.database_url)
    parameters = {
        "service": service.pk,
        "subscriptions": SUBSCRIPTIONS,
        "charges": CHARGES,
        "events": events,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, parameters)
    note_sizes()
    return service


def clear_rated() -> None:
    """Forgets the usage and the fees of the month."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ingest_usage, ingest_fee CASCADE")
        cursor.execute("CHECKPOINT")


def note_sizes() -> None:
    """Tells the planner how much there is, as autovacuum does before the next night."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
