"""Rating: usage and plans of a period become fees, exact and rounded once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from ingest.arrivals import BilledEvents, bill_arrivals
from ingest.buckets import canonical_group
from ingest.calendar import Window, start_bounds, windows_of
from ingest.late_usage import settle_late_usage
from ingest.measuring.questions import prices_of
from ingest.models import ChargeVersion, Fee, Service, Usage
from ingest.prices import Price, PriceBook
from ingest.services import lock_service
from ingest.usage import Measured, measure
from ingest.window_fees import NewFee, WindowUsage, rate_window

# Upserts what changed; a fee of the period that is rated no longer becomes zero, it is never deleted.
_STORE = """
WITH rated AS (
    SELECT * FROM json_to_recordset(%(fees)s::json) AS rated (
        subscription_id bigint, kind text, charge_id bigint, charge_version_id bigint, plan_version_id bigint,
        period_start timestamptz, period_end timestamptz, counts_from timestamptz, counts_to timestamptz,
        filter_values jsonb, grouped_by jsonb, bucket text, currency text, quantity numeric,
        full_quantity numeric, events_count bigint, exact_amount numeric, amount numeric, unit_amount numeric,
        late_amount numeric, late_events_count bigint, details jsonb
    )
), gone AS (
    UPDATE ingest_fee AS fee SET quantity = 0, full_quantity = NULL, events_count = 0, exact_amount = 0,
        amount = 0, unit_amount = 0, late_amount = 0, late_events_count = 0, details = '[]', rated_at = %(now)s
    FROM ingest_subscription AS subscription
    WHERE subscription.id = fee.subscription_id AND subscription.service_id = %(service)s
        AND (%(customers)s::bigint[] IS NULL OR subscription.customer_id = ANY(%(customers)s))
        AND fee.period_label = %(label)s AND fee.period_start BETWEEN %(from)s AND %(to)s
        AND fee.kind <> 'late'
        AND (fee.exact_amount <> 0 OR fee.quantity <> 0 OR fee.events_count <> 0 OR fee.late_amount <> 0)
        -- NOT IN is answered from a hash; the planner, blind to the size of `rated`, would loop over NOT EXISTS.
        AND (fee.subscription_id, fee.period_start, fee.kind, coalesce(fee.charge_id, 0), fee.bucket) NOT IN (
            SELECT subscription_id, period_start, kind, coalesce(charge_id, 0), bucket FROM rated
        )
    RETURNING 1
), stored AS (
    INSERT INTO ingest_fee AS fee (
        public_id, created_at, period_label, rated_at, {columns}
    )
    SELECT gen_random_uuid(), %(now)s, %(label)s, %(now)s, {columns} FROM rated
    ON CONFLICT (subscription_id, period_start, kind, charge_id, bucket) DO UPDATE SET
        ({changing}, period_label, rated_at) = ({excluded}, excluded.period_label, excluded.rated_at)
    WHERE ({current}, fee.period_label) IS DISTINCT FROM ({excluded}, excluded.period_label)
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM stored)
"""

_KEY = ("subscription_id", "kind", "charge_id", "period_start", "bucket")
_VALUES = tuple(name for name in NewFee.__struct_fields__ if name not in _KEY)
STORE = (
    _STORE.replace("{columns}", ", ".join((*_KEY, *_VALUES)))
    .replace("{changing}", ", ".join(_VALUES))
    .replace("{current}", ", ".join(f"fee.{name}" for name in _VALUES))
    .replace("{excluded}", ", ".join(f"excluded.{name}" for name in _VALUES))
)


@transaction.atomic
def rate_period(
    *, service: Service, period_label: str, now: datetime, customers: Iterable[int] | None = None
) -> int:
    """Rates the usage and the plans of one period of a service; returns how many fees changed.

    Each price counts in the version that was in force when the period ended, so that running it again on the same
    usage changes nothing, whatever a price has become since. What came late to a closed period is then billed as
    the service's policy says. Refuses a charge that cannot be priced with
    (`invalid_properties`); raises PeriodLabelError.
    """
    earliest, latest = start_bounds(period_label)
    service = lock_service(service.pk)
    chosen = None if customers is None else list(customers)
    windows = windows_of(service=service, period_label=period_label, customers=chosen)
    book = PriceBook({window.subscription.plan_id for window in windows})
    used = _Used(service, windows, book)
    used.add(_stored_usage(service, period_label, windows))
    parameters: dict[str, Any] = {
        "service": service.pk,
        "customers": chosen,
        "label": period_label,
        "from": earliest,
        "to": latest,
        "fees": msgspec.json.encode(list(used.rate())).decode(),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(STORE, parameters)
        changed = int(cursor.fetchone()[0])
    return changed + settle_late_usage(service=service, period_label=period_label, now=now, customers=chosen)


def rate_what_if(
    *, service: Service, period_label: str, instead: Mapping[int, ChargeVersion], customers: Iterable[int]
) -> list[NewFee]:
    """What some customers' fees of a period would be with other versions of some charges' prices, by charge.

    Metered and rated anew, from the same events by the same functions; nothing is stored, so nothing of it is
    pushed or judged. Refuses and raises as `rate_period` does.
    """
    windows = windows_of(service=service, period_label=period_label, customers=customers)
    book = PriceBook({window.subscription.plan_id for window in windows}, instead)
    used = _Used(service, windows, book)
    used.add(measure(service=service, windows=windows, book=book))
    return list(used.rate())


class _Used:
    """What the windows of a period used, gathered set-based, then rated window by window."""

    def __init__(self, service: Service, windows: Sequence[Window], book: PriceBook) -> None:
        self._windows = windows
        self._service = service
        self._book = book
        self._stored: dict[int, dict[tuple[int, str], list[Measured]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._on_time: dict[int, dict[tuple[int, str, str], Measured]] = defaultdict(dict)
        self._arrivals: dict[int, dict[tuple[int, str, str], BilledEvents]] = defaultdict(dict)

    def add(self, usage: Iterable[Measured]) -> None:
        """The usage of all windows, and what else their prices need to know of the events."""
        late = set()
        for row in usage:
            if row.events_count or row.quantity:
                self._stored[row.subscription_id][row.charge_id, _filter_of(row)].append(row)
            if row.late_events_count:
                late.add(row.subscription_id)
        self._add_on_time([window for window in self._windows if window.subscription.pk in late])
        self._add_arrivals()

    def rate(self) -> Iterator[NewFee]:
        """The fees of every window."""
        for window in self._windows:
            key = window.subscription.pk
            used = WindowUsage(self._stored[key], self._on_time[key], self._arrivals[key])
            yield from rate_window(window, prices_of(self._book, window), used)

    def _add_on_time(self, windows: Sequence[Window]) -> None:
        if windows:
            for row in measure(service=self._service, windows=windows, book=self._book, on_time=True):
                bucket = (row.charge_id, _filter_of(row), canonical_group(row.grouped_by))
                self._on_time[row.subscription_id][bucket] = row

    def _add_arrivals(self) -> None:
        billed = bill_arrivals(
            service=self._service, windows=self._windows, book=self._book, prices=self._prices()
        )
        for (subscription_id, *bucket), events in billed.items():
            self._arrivals[subscription_id][tuple(bucket)] = events  # type: ignore[index]

    def _prices(self) -> dict[tuple[int, int, str], Price]:
        return {
            (window.subscription.pk, *price.key): price
            for window in self._windows
            for price in prices_of(self._book, window).prices
            if price.version.is_pay_in_advance
        }


def _filter_of(row: Measured) -> str:
    return "" if row.filter_values is None else canonical_group(row.filter_values)


def _stored_usage(service: Service, period_label: str, windows: Sequence[Window]) -> Iterator[Measured]:
    starts = {window.subscription.pk: window.period.start for window in windows}
    earliest, latest = start_bounds(period_label)
    rows = Usage.objects.filter(
        subscription__service=service, period_label=period_label, period_start__range=(earliest, latest)
    )
    names = [each.name for each in fields(Measured)]
    for period_start, *row in rows.order_by("pk").values_list("period_start", *names).iterator():
        if starts.get(row[0]) == period_start:
            yield Measured(*row)


def fees_of_period(*, service: Service, period_label: str) -> QuerySet[Fee]:
    """The fees of one period of a service, with what a push needs of them."""
    fees = Fee.objects.filter(subscription__service=service, period_label=period_label)
    # Thousands of fees share a few plans and charges: each is read once, not once per fee.
    return fees.prefetch_related("subscription__customer", "subscription__plan", "charge__metric", "of_fee")
