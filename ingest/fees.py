"""Rating: usage and plans of a period become fees, exact and rounded once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from ingest.calendar import Window, customer_timezone, start_bounds, windows_of
from ingest.errors import DomainError
from ingest.metering.periods import billed_days
from ingest.metering.usage import MeteredUsage
from ingest.models import Charge, Fee, FeeKind, Service, Usage
from ingest.rating.charge_models.contract import ChargePropertiesError, Rated
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.money import round_to_currency
from ingest.rating.plan_fee import rate_plan_fee
from ingest.services import lock_service

NOTHING = MeteredUsage(quantity=Decimal(0), events_count=0)

# Upserts what changed; a fee of the period that is rated no longer becomes zero, it is never deleted.
STORE = """
WITH rated AS (
    SELECT * FROM json_to_recordset(%(fees)s::json) AS rated (
        subscription_id bigint, kind text, charge_id bigint, period_start timestamptz, period_end timestamptz,
        currency text, quantity numeric, events_count bigint, exact_amount numeric, amount numeric, details jsonb
    )
), gone AS (
    UPDATE ingest_fee AS fee SET quantity = 0, events_count = 0, exact_amount = 0, amount = 0, details = '[]',
        rated_at = %(now)s
    FROM ingest_subscription AS subscription
    WHERE subscription.id = fee.subscription_id AND subscription.service_id = %(service)s
        AND (%(customers)s::bigint[] IS NULL OR subscription.customer_id = ANY(%(customers)s))
        AND fee.period_label = %(label)s AND fee.period_start BETWEEN %(from)s AND %(to)s
        AND (fee.exact_amount <> 0 OR fee.quantity <> 0 OR fee.events_count <> 0)
        -- NOT IN is answered from a hash; the planner, blind to the size of `rated`, would loop over NOT EXISTS.
        AND (fee.subscription_id, fee.period_start, coalesce(fee.charge_id, 0)) NOT IN (
            SELECT rated.subscription_id, rated.period_start, coalesce(rated.charge_id, 0) FROM rated
        )
    RETURNING 1
), stored AS (
    INSERT INTO ingest_fee AS fee (
        public_id, created_at, subscription_id, kind, charge_id, period_start, period_end, period_label,
        currency, quantity, events_count, exact_amount, amount, details, rated_at
    )
    SELECT gen_random_uuid(), %(now)s, subscription_id, kind, charge_id, period_start, period_end, %(label)s,
        currency, quantity, events_count, exact_amount, amount, details, %(now)s
    FROM rated
    ON CONFLICT (subscription_id, period_start, charge_id) DO UPDATE SET
        period_end = excluded.period_end, currency = excluded.currency, quantity = excluded.quantity,
        events_count = excluded.events_count, exact_amount = excluded.exact_amount,
        amount = excluded.amount, details = excluded.details, rated_at = excluded.rated_at
    WHERE (fee.period_end, fee.currency, fee.quantity, fee.events_count, fee.exact_amount, fee.details)
        IS DISTINCT FROM (excluded.period_end, excluded.currency, excluded.quantity,
                          excluded.events_count, excluded.exact_amount, excluded.details)
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM stored)
"""


class NewFee(msgspec.Struct, frozen=True, gc=False):
    """A rated amount before it is stored; amounts in `currency`. As JSON it is a row of the statement above."""

    subscription_id: int
    kind: FeeKind
    charge_id: int | None
    period_start: datetime
    period_end: datetime
    currency: str
    quantity: Decimal
    events_count: int
    exact_amount: Decimal
    amount: Decimal
    details: Sequence[dict[str, Any]]


@transaction.atomic
def rate_period(
    *, service: Service, period_label: str, now: datetime, customers: Iterable[int] | None = None
) -> int:
    """Rates the usage and the plans of one period of a service; returns how many fees changed.

    Running it again on the same usage and prices changes nothing. Refuses a charge that cannot be priced with
    (`invalid_properties`); raises PeriodLabelError.
    """
    earliest, latest = start_bounds(period_label)
    lock_service(service.pk)
    chosen = None if customers is None else list(customers)
    windows = windows_of(service=service, period_label=period_label, customers=chosen)
    parameters: dict[str, Any] = {
        "service": service.pk,
        "customers": chosen,
        "label": period_label,
        "from": earliest,
        "to": latest,
        "fees": msgspec.json.encode(list(_rate(windows))).decode(),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(STORE, parameters)
        return int(cursor.fetchone()[0])


def _rate(windows: Sequence[Window]) -> Iterator[NewFee]:
    charges = _charges_by_plan(windows)
    usage = _usage_by_subscription(windows)
    for window in windows:
        plan_fee = _rate_plan(window)
        if plan_fee is not None:
            yield plan_fee
        used = usage[window.subscription.pk]
        for charge in charges[window.subscription.plan_id]:
            fee = _rate_charge(window, charge, used.get(charge.metric_id, NOTHING))
            # Lago: what a fee carries. A line is kept when it has units, events or an amount.
            if fee.exact_amount or fee.quantity or fee.events_count:
                yield fee


def _rate_plan(window: Window) -> NewFee | None:
    plan = window.subscription.plan
    if not plan.amount:
        return None
    timezone = customer_timezone(window.subscription.customer)
    days = billed_days(start=window.counts_from, end=window.counts_to, timezone=timezone)
    period_days = billed_days(start=window.period.start, end=window.period.end, timezone=timezone)
    exact = rate_plan_fee(base_amount=plan.amount, billed_days=days, period_days=period_days)
    return NewFee(
        subscription_id=window.subscription.pk,
        kind=FeeKind.PLAN,
        charge_id=None,
        period_start=window.period.start,
        period_end=window.period.end,
        currency=plan.currency,
        quantity=Decimal(1),
        events_count=0,
        exact_amount=exact,
        amount=round_to_currency(exact, plan.currency),
        details=[{"base_amount": str(plan.amount), "billed_days": days, "period_days": period_days}],
    )


def _rate_charge(window: Window, charge: Charge, used: MeteredUsage) -> NewFee:
    rated = _price(charge, used)
    currency = window.subscription.plan.currency
    return NewFee(
        subscription_id=window.subscription.pk,
        kind=FeeKind.USAGE,
        charge_id=charge.pk,
        period_start=window.period.start,
        period_end=window.period.end,
        currency=currency,
        quantity=used.quantity,
        events_count=used.events_count,
        exact_amount=rated.amount,
        amount=round_to_currency(rated.amount, currency),
        details=[
            {"model": charge.model, "properties": charge.properties},
            *(_as_text(asdict(line)) for line in rated.details),
        ],
    )


def _price(charge: Charge, used: MeteredUsage) -> Rated:
    try:
        return CHARGE_MODELS[charge.model].rate(charge.properties, used)
    except ChargePropertiesError as error:
        raise DomainError(
            "invalid_properties", f"The charge {charge} has no usable price: {error}."
        ) from error


def _as_text(line: dict[str, Any]) -> dict[str, str | None]:
    return {name: None if value is None else f"{value:f}" for name, value in line.items()}


def _charges_by_plan(windows: Sequence[Window]) -> dict[int, list[Charge]]:
    charges: dict[int, list[Charge]] = defaultdict(list)
    plans = {window.subscription.plan_id for window in windows}
    for charge in Charge.objects.filter(plan__in=plans).select_related("plan", "metric").order_by("pk"):
        charges[charge.plan_id].append(charge)
    return charges


def _usage_by_subscription(windows: Sequence[Window]) -> dict[int, dict[int, MeteredUsage]]:
    usage: dict[int, dict[int, MeteredUsage]] = defaultdict(dict)
    starts = {window.subscription.pk: window.period.start for window in windows}
    rows = Usage.objects.filter(subscription__in=list(starts), period_start__in=set(starts.values()))
    for row in rows.values_list("subscription_id", "metric_id", "period_start", "quantity", "events_count"):
        subscription_id, metric_id, period_start, quantity, events_count = row
        if starts[subscription_id] == period_start:
            usage[subscription_id][metric_id] = MeteredUsage(quantity=quantity, events_count=events_count)
    return usage


def fees_of_period(*, service: Service, period_label: str) -> QuerySet[Fee]:
    """The fees of one period of a service, with what a push needs of them."""
    fees = Fee.objects.filter(subscription__service=service, period_label=period_label)
    # Thousands of fees share a few plans and charges: each is read once, not once per fee.
    return fees.prefetch_related("subscription__customer", "subscription__plan", "charge__metric")
