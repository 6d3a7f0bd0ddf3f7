"""Metering: a service's events of a period become usage, set-based, in the database."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from django.db import connection, transaction

from ingest.calendar import start_bounds
from ingest.measuring.questions import ask_usage
from ingest.measuring.statement import compose_measured
from ingest.metering.arithmetic import ZERO, exact_product, quotient
from ingest.metering.usage import MeteredUsage, Transactions
from ingest.models import Service
from ingest.prices import Price, PriceBook
from ingest.services import lock_service
from ingest.windows import Window, windows_of

# Only what changed is written, and only what has or had events: a month of nothing leaves no rows. What had usage
# and has none now, because its subscription ended or its charge went, becomes zero.
STORE = """
, gone AS (
    UPDATE ingest_usage AS usage SET quantity = 0, full_quantity = NULL, events_count = 0, late_events_count = 0,
        measures = NULL, computed_at = %(now)s
    FROM ingest_subscription AS subscription
    WHERE subscription.id = usage.subscription_id AND subscription.service_id = %(service)s
        AND (%(customers)s::bigint[] IS NULL OR subscription.customer_id = ANY(%(customers)s))
        AND usage.period_label = %(label)s AND usage.period_start BETWEEN %(from)s AND %(to)s
        AND (usage.quantity <> 0 OR usage.events_count <> 0)
        -- NOT IN is answered from a hash; the planner, blind to the windows' number, would loop over NOT EXISTS.
        AND (usage.subscription_id, usage.charge_id, usage.bucket, usage.period_start) NOT IN (
            SELECT subscription_id, charge_id, bucket, period_start FROM measured
        )
    RETURNING 1
), stored AS (
    INSERT INTO ingest_usage AS usage (
        public_id, created_at, subscription_id, charge_id, period_start, period_end, period_label,
        filter_values, grouped_by, bucket, quantity, full_quantity, events_count, late_events_count, measures,
        computed_at
    )
    SELECT gen_random_uuid(), %(now)s, subscription_id, charge_id, period_start, period_end, %(label)s,
        filter_values, grouped_by, bucket, quantity, full_quantity, events_count, late_events_count, measures,
        %(now)s
    FROM measured
    ON CONFLICT (subscription_id, period_start, charge_id, bucket) DO UPDATE SET
        period_end = excluded.period_end, period_label = excluded.period_label,
        quantity = excluded.quantity, full_quantity = excluded.full_quantity,
        events_count = excluded.events_count, late_events_count = excluded.late_events_count,
        measures = excluded.measures, computed_at = excluded.computed_at
    WHERE (usage.period_end, usage.period_label, usage.quantity, usage.full_quantity, usage.events_count,
            usage.late_events_count, usage.measures)
        IS DISTINCT FROM
          (excluded.period_end, excluded.period_label, excluded.quantity, excluded.full_quantity,
            excluded.events_count, excluded.late_events_count, excluded.measures)
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM stored)
"""
READ = """
SELECT subscription_id, charge_id, filter_values::text, grouped_by::text, bucket, quantity, full_quantity,
    events_count, late_events_count, measures::text
FROM measured
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """The usage of one bucket as the database measured it; `measures` holds what some prices need beside it."""

    subscription_id: int
    charge_id: int
    filter_values: dict[str, list[str]] | None
    grouped_by: dict[str, str | None]
    bucket: str
    quantity: Decimal
    full_quantity: Decimal | None
    events_count: int
    late_events_count: int
    measures: dict[str, Any] | None


@transaction.atomic
def meter_period(
    *, service: Service, period_label: str, now: datetime, customers: Iterable[int] | None = None
) -> int:
    """Aggregates the events of one period of a service, in one statement; returns how many usage rows changed.

    Running it again changes nothing unless something did: events arrived, a subscription ended, a charge
    went. Raises PeriodLabelError.
    """
    earliest, latest = start_bounds(period_label)
    lock_service(service.pk)
    chosen = None if customers is None else list(customers)
    windows = windows_of(service=service, period_label=period_label, customers=chosen)
    book = PriceBook({window.plan_id for window in windows})
    measures, parameters = ask_usage(service=service, windows=windows, book=book)
    parameters |= {"customers": chosen, "label": period_label, "from": earliest, "to": latest, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(compose_measured(measures) + STORE, parameters)
        return int(cursor.fetchone()[0])


def measure(
    *, service: Service, windows: Sequence[Window], book: PriceBook, on_time: bool = False
) -> Iterator[Measured]:
    """What metering would store for these windows, without storing it; `on_time` leaves out late events."""
    measures, parameters = ask_usage(service=service, windows=windows, book=book, on_time=on_time)
    with connection.cursor() as cursor:
        cursor.execute(compose_measured(measures) + READ, parameters)
        for row in cursor:
            subscription_id, charge_id, filters, group, bucket, quantity, full_quantity, *counts, found = row
            events_count, late_events_count = counts
            yield Measured(
                subscription_id=subscription_id,
                charge_id=charge_id,
                filter_values=json.loads(filters) if filters else None,
                grouped_by=json.loads(group),
                bucket=bucket,
                quantity=quantity,
                full_quantity=full_quantity,
                events_count=events_count,
                late_events_count=late_events_count,
                measures=json.loads(found) if found else None,
            )


class Quantities(Protocol):
    """What a price needs to know of some usage."""

    @property
    def quantity(self) -> Decimal:
        """What is priced."""

    @property
    def full_quantity(self) -> Decimal | None:
        """Before proration or weighting, where that differs."""

    @property
    def events_count(self) -> int:
        """How many events made it."""

    @property
    def measures(self) -> dict[str, Any] | None:
        """What some prices need of single events."""


def read_usage(price: Price, usage: Quantities | None, *, period_days: int) -> MeteredUsage:
    """The usage of a bucket as its charge model takes it; nothing where there is none."""
    if usage is None:
        return MeteredUsage(ZERO, 0, is_prorated=price.version.is_prorated)
    measures = usage.measures or {}
    steps = [(Decimal(value), Decimal(share)) for value, share in measures.get("steps", ())]
    values = (Decimal(1),) * measures["ones"] if "ones" in measures else tuple(value for value, _ in steps)
    return MeteredUsage(
        quantity=usage.quantity,
        events_count=usage.events_count,
        full_quantity=usage.full_quantity if price.version.is_prorated else None,
        is_prorated=price.version.is_prorated,
        event_values=values,
        prorated_values=tuple(
            quotient(exact_product(value, share), Decimal(period_days)) if value > 0 or share else ZERO
            for value, share in steps
        ),
        transactions=_transactions(measures),
        precise_total_amount_cents=Decimal(measures.get("precise_total_amount_cents", 0)),
    )


def _transactions(measures: Mapping[str, Any]) -> Transactions | None:
    if "free_units" not in measures:
        return None
    bounded = measures["bounded_amount"]
    return Transactions(
        free_units=Decimal(measures["free_units"]),
        free_events=measures["free_events"],
        bounded_amount=None if bounded is None else Decimal(bounded),
    )
