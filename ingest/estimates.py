"""What an event would cost if it were posted now, under the charges that are billed on arrival; nothing is stored.

Lago: fee estimation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec
from django.db.models import Q

from ingest.arrivals import rate_one_more
from ingest.charge_usage import find_window
from ingest.collection import PostedEvent
from ingest.errors import DomainError
from ingest.expressions import Failure, evaluate
from ingest.measuring.questions import prices_of
from ingest.metering.events import MeteredEvent, property_text
from ingest.metering.filters import pick_filter
from ingest.metering.grouping import group_of
from ingest.metering.numeric import parse_decimal
from ingest.models import Aggregation, Fee, FeeKind, Metric, Subscription
from ingest.prices import Price, PriceBook, filters_of
from ingest.rating.charge_models.contract import Rated
from ingest.rating.instant import ESTIMATED, estimate
from ingest.rating.money import round_to_currency
from ingest.windows import Window

# What they aggregate is no number.
WITHOUT_NUMBERS = (Aggregation.COUNT, Aggregation.UNIQUE_COUNT)


def estimate_event(*, service_id: int, event: PostedEvent, now: datetime) -> list[Fee]:
    """The fees that the event would make after all there is in its period, as rows that are not stored.

    Refuses `unknown_subscription`, `unknown_metric`, `no_instant_charge` when nothing of the plan bills it on
    arrival, `not_numeric`, and `expression_failed` with Lago's text.
    """
    asked = _ask(service_id, event, now)
    found = []
    for price in asked.prices:
        rated = rate_one_more(
            service=asked.subscription.customer.service,
            window=asked.window,
            book=asked.book,
            price=price,
            event=asked.event,
        )
        found.append(asked.tell(price, rated or Rated(Decimal(0), Decimal(0))))
    return found


def estimate_alone(*, service_id: int, event: PostedEvent, now: datetime) -> list[Fee]:
    """The fees that the event would make if it were the only one; refuses as `estimate_event` does.

    Of charges that are billed on arrival the `standard` and `percentage` ones alone, as in Lago.
    """
    asked = _ask(service_id, event, now)
    prices = [price for price in asked.prices if price.version.model in ESTIMATED]
    if not prices:
        raise DomainError("no_instant_charge", "No charge of the plan is estimated at once.")
    return [asked.tell(price, _estimate(asked, price)) for price in prices]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An event that is asked about, with the prices that would bill it."""

    subscription: Subscription
    window: Window
    book: PriceBook
    prices: tuple[Price, ...]
    event: MeteredEvent

    def tell(self, price: Price, rated: Rated) -> Fee:
        """What a price makes of it."""
        keys, currency = price.group_keys, price.charge.plan.currency
        return Fee(
            subscription=self.subscription,
            kind=FeeKind.USAGE,
            charge=price.charge,
            charge_version=price.version,
            period_start=self.window.period.start,
            period_end=self.window.period.end,
            counts_from=self.window.counts_from,
            counts_to=self.window.counts_to,
            filter_values=price.filter_values,
            grouped_by=dict(zip(keys, group_of(self.event.properties, keys), strict=True)),
            currency=currency,
            quantity=rated.quantity,
            events_count=1,
            exact_amount=rated.amount,
            amount=round_to_currency(rated.amount, currency),
            unit_amount=rated.unit_amount,
            created_at=self.event.timestamp,
        )


def _ask(service_id: int, posted: PostedEvent, now: datetime) -> _Asked:
    subscription = _find_subscription(service_id, posted.external_subscription_id, now)
    window = find_window(subscription, now)
    if window is None:
        raise DomainError("unknown_subscription", "The subscription has no period now.")
    metric = Metric.objects.filter(service=service_id, code=posted.code, deleted_at=None).first()
    if metric is None:
        raise DomainError("unknown_metric", "There is no such metric.")
    (evaluated,) = evaluate(service_id=service_id, events=[posted], now=now)
    if isinstance(evaluated, Failure):
        raise DomainError("expression_failed", evaluated.message)
    event = MeteredEvent(now, 0, _decode(evaluated.properties), evaluated.precise_total_amount_cents)
    book = PriceBook({subscription.plan_id})
    prices = tuple(_pick_prices(book, window, metric, event))
    if not prices:
        raise DomainError("no_instant_charge", "No charge of the plan bills this metric on arrival.")
    _check_number(metric, event)
    return _Asked(subscription, window, book, prices, event)


def _find_subscription(service_id: int, external_id: str | None, now: datetime) -> Subscription:
    rows = Subscription.objects.filter(
        Q(terminated_at=None) | Q(terminated_at__gt=now),
        service=service_id,
        external_id=external_id,
        started_at__lte=now,
        canceled_at=None,
    )
    found = rows.select_related("plan", "customer__service").first()
    if found is None:
        raise DomainError("unknown_subscription", "There is no such active subscription.")
    return found


def _pick_prices(book: PriceBook, window: Window, metric: Metric, event: MeteredEvent) -> Iterator[Price]:
    """Of each charge that is billed on arrival the price of the one filter that takes the event, or of the rest."""
    allowed = {key: tuple(values) for key, values in metric.filters.items()}
    for price in prices_of(book, window).prices:
        if price.charge.metric_id == metric.pk and price.version.is_pay_in_advance:
            picked = pick_filter(filters_of(price.version), event.properties, allowed)
            if picked == price.bucket.filter:
                yield price


def _check_number(metric: Metric, event: MeteredEvent) -> None:
    if metric.aggregation not in WITHOUT_NUMBERS and _read_number(metric, event) is None:
        raise DomainError("not_numeric", f"The property {metric.field_name} is no plain number.")


def _read_number(metric: Metric, event: MeteredEvent) -> Decimal | None:
    text = property_text(event.properties, metric.field_name)
    return None if text is None else parse_decimal(text)


def _estimate(asked: _Asked, price: Price) -> Rated:
    metric = price.charge.metric
    units = Decimal(1) if metric.aggregation in WITHOUT_NUMBERS else _read_number(metric, asked.event)
    return estimate(
        name=price.version.model,
        properties=price.properties,
        units=units or Decimal(0),
        currency=price.charge.plan.currency,
    )


_decode = msgspec.json.Decoder(dict[str, object], float_hook=Decimal).decode
