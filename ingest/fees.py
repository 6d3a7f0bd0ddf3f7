"""Rating: usage and plans of a period become fees, exact and rounded once, in statements over all of them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from ingest.answers import Answers, as_text
from ingest.arrivals import bill_arrivals
from ingest.calendar import start_bounds
from ingest.fee_statements import ASK, GIVEN_USAGE, PRICED, RATED, READ, STORE, STORED_USAGE
from ingest.fee_terms import describe_windows, encode
from ingest.late_usage import settle_late_usage
from ingest.measuring.questions import prices_of
from ingest.models import ChargeVersion, Fee, FeeKind, Service, Usage
from ingest.prices import PriceBook, key_of
from ingest.rating.money import round_to_currency
from ingest.services import lock_service
from ingest.usage import measure, read_usage
from ingest.windows import Window, windows_of

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RatedFee:
    """A fee that is not stored; its amount is rounded, in its plan's currency."""

    subscription_id: int
    kind: FeeKind
    charge_id: int | None
    filter_values: dict[str, list[str]] | None
    grouped_by: dict[str, str | None]
    quantity: Decimal
    full_quantity: Decimal | None
    events_count: int
    amount: Decimal


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
    book = PriceBook({window.plan_id for window in windows})
    late = Usage.objects.filter(
        subscription__service=service,
        period_label=period_label,
        period_start__range=(earliest, latest),
        late_events_count__gt=0,
    )
    where = {
        "service": service.pk,
        "customers": chosen,
        "label": period_label,
        "from": earliest,
        "to": latest,
    }
    rating = _Rating(service, windows, book, STORED_USAGE, {**where, "now": now})
    with connection.cursor() as cursor:
        rating.run(cursor, set(late.values_list("subscription", flat=True)), STORE)
        changed = int(cursor.fetchone()[0])
    return changed + settle_late_usage(service=service, period_label=period_label, now=now, customers=chosen)


def rate_what_if(
    *, service: Service, period_label: str, instead: Mapping[int, ChargeVersion], customers: Iterable[int]
) -> list[RatedFee]:
    """What some customers' fees of a period would be with other versions of some charges' prices, by charge.

    Metered and rated anew, from the same events by the same statements; nothing is stored, so nothing of it is
    pushed or judged. Refuses and raises as `rate_period` does.
    """
    windows = windows_of(service=service, period_label=period_label, customers=customers)
    book = PriceBook({window.plan_id for window in windows}, instead)
    usage = list(measure(service=service, windows=windows, book=book))
    late = {row.subscription_id for row in usage if row.late_events_count}
    used = encode(row for row in usage if row.events_count or row.quantity)
    rating = _Rating(service, windows, book, GIVEN_USAGE, {"usage": used})
    with connection.cursor() as cursor:
        rating.run(cursor, late, READ)
        return [_read_fee(*row) for row in cursor]


class _Rating:
    """One period's rating: its questions are asked of the database, answered here, and told to it with the rest."""

    def __init__(
        self, service: Service, windows: Sequence[Window], book: PriceBook, used: str, parameters: Row
    ) -> None:
        self._service = service
        self._windows = windows
        self._book = book
        self._priced = PRICED.format(used=used)
        self._answers = Answers()
        described = describe_windows(windows=windows, book=book, answers=self._answers)
        self._parameters = {**parameters, **described}

    def run(self, cursor: Any, late: set[int], end: str) -> None:
        """Executes the statement; `late` are the subscriptions with late usage."""
        unused = encode(self._answers.answer_unused())
        cursor.execute(self._priced + ASK, {**self._parameters, "is_asking": True})
        answers = encode(self._answers.answer(question for (question,) in cursor))
        told = {
            "is_asking": False,
            "answers": answers,
            "unused": unused,
            "on_time": encode(self._rate_on_time(late)),
            "arrivals": encode(self._rate_arrivals()),
        }
        cursor.execute(self._priced + RATED + end, {**self._parameters, **told})

    def _rate_on_time(self, late: set[int]) -> Iterator[Row]:
        """What the usage would cost without the events that came late, where there are any."""
        windows = [
            replace(window, subscriptions=found)
            for window in self._windows
            if (found := [key for key in window.subscriptions if key in late])
        ]
        if not windows:
            return
        by_subscription = {key: window for window in windows for key in window.subscriptions}
        for row in measure(service=self._service, windows=windows, book=self._book, on_time=True):
            window = by_subscription[row.subscription_id]
            price = prices_of(self._book, window).find(*key_of(row.charge_id, row.filter_values))
            rated = price.rate(read_usage(price, row, period_days=window.period_days))
            yield {
                "subscription_id": row.subscription_id,
                "charge_id": row.charge_id,
                "bucket": row.bucket,
                "amount": round_to_currency(rated.amount, price.charge.plan.currency),
            }

    def _rate_arrivals(self) -> Iterator[Row]:
        billed = bill_arrivals(service=self._service, windows=self._windows, book=self._book)
        for subscription_id, charge_id, bucket, events in billed:
            yield {
                "subscription_id": subscription_id,
                "charge_id": charge_id,
                "bucket": bucket,
                "exact_amount": events.exact,
                "amount": events.amount,
                "late_amount": events.late,
                "lines": [as_text(line) for line in events.details],
            }


def _read_fee(
    subscription_id: int, kind: str, charge_id: int | None, filters: str | None, group: str, *figures: Any
) -> RatedFee:
    values = json.loads(filters) if filters else None
    return RatedFee(subscription_id, FeeKind(kind), charge_id, values, json.loads(group), *figures)


def fees_of_period(*, service: Service, period_label: str) -> QuerySet[Fee]:
    """The fees of one period of a service, with what a push needs of them."""
    fees = Fee.objects.filter(subscription__service=service, period_label=period_label)
    # Thousands of fees share a few plans and charges: each is read once, not once per fee.
    return fees.prefetch_related("subscription__customer", "subscription__plan", "charge__metric", "of_fee")
