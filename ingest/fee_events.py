"""From a fee to the very events it was made from, and from an event to its fees."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import BooleanField, F, Func, JSONField, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform

from ingest.metering.filters import Bucket, list_values
from ingest.models import Aggregation, Fee, FeeKind, Metric, UsageEvent
from ingest.prices import Price, split_charge


class _TakesEvent(Func):
    function = "takes_event"
    output_field = BooleanField()


class _GroupOf(Func):
    function = "group_of"
    output_field = JSONField()


class _NumericProperty(Func):
    function = "numeric_property"
    output_field = TextField()


def events_of(fee: Fee) -> QuerySet[UsageEvent]:
    """The events that made a fee of usage or of late usage, by the rules of its price version; none for any other.

    What has arrived since the fee was rated is among them: rating again takes it in.
    """
    if fee.of_fee is not None:
        return _late_events_of(fee, fee.of_fee)
    price = find_price(fee)
    if price is None:
        return UsageEvent.objects.none()
    # A fee that was rated before windows were kept has its whole period, until it is rated again.
    counts_from, counts_to = fee.counts_from or fee.period_start, fee.counts_to or fee.period_end
    metric, subscription = price.charge.metric, fee.subscription
    rows = UsageEvent.objects.filter(
        service=subscription.service_id,
        external_subscription_id=subscription.external_id,
        code=metric.code,
        timestamp__lt=counts_to,
    )
    if not metric.is_recurring:
        rows = rows.filter(timestamp__gte=counts_from)
    rows = _with_value(rows, metric)
    return _in_group(_in_bucket(rows, price.bucket), price, fee)


def fees_of(event: UsageEvent) -> list[Fee]:
    """The fees of usage that an event is part of, newest period first."""
    candidates = Fee.objects.filter(
        kind=FeeKind.USAGE,
        subscription__service=event.service_id,
        subscription__external_id=event.external_subscription_id,
        charge__metric__code=event.code,
        period_end__gt=event.timestamp,
    ).select_related("subscription", "charge__metric", "charge_version")
    found = [fee for fee in candidates if events_of(fee).filter(pk=event.pk).exists()]
    carried = Fee.objects.filter(kind=FeeKind.LATE, of_fee__in=found).exclude(amount=0)
    rows = carried.select_related("subscription__service", "of_fee__charge__metric", "of_fee__charge_version")
    return [fee for fee in rows if events_of(fee).filter(pk=event.pk).exists()] + found


def _late_events_of(fee: Fee, origin: Fee) -> QuerySet[UsageEvent]:
    """The late events of the fee that it was carried from, but for those that were settled before or after it."""
    grace = timedelta(hours=fee.subscription.service.grace_hours)
    rows = events_of(origin).filter(received_at__gt=origin.period_end + grace)
    settled = list(origin.late_settlements.order_by("period_start"))
    places = [place for place, row in enumerate(settled) if row.period_start == fee.period_start]
    for place in places:
        if place > 0:
            rows = rows.filter(received_at__gt=settled[place - 1].settled_at)
        if place + 1 < len(settled):
            rows = rows.filter(received_at__lte=settled[place].settled_at)
    return rows


def find_price(fee: Fee) -> Price | None:
    """The price of a fee of usage: its version, for the filter that took its events."""
    if fee.kind != FeeKind.USAGE or fee.charge is None or fee.charge_version is None:
        return None
    prices: Iterator[Price] = iter(split_charge(fee.charge, fee.charge_version))
    return next((price for price in prices if price.filter_values == fee.filter_values), None)


def _with_value(rows: QuerySet[UsageEvent], metric: Metric) -> QuerySet[UsageEvent]:
    """What holds the metric's field: a number, or for a unique count anything."""
    if metric.aggregation == Aggregation.COUNT:
        return rows
    if metric.aggregation == Aggregation.UNIQUE_COUNT:
        return rows.alias(field=KeyTextTransform(metric.field_name, "properties")).filter(field__isnull=False)
    number = _NumericProperty(F("properties"), Value(metric.field_name))
    return rows.alias(number=number).filter(Q(number__isnull=False) | Q(quantity__isnull=False))


def _in_bucket(rows: QuerySet[UsageEvent], bucket: Bucket) -> QuerySet[UsageEvent]:
    if not bucket.matching and not bucket.ignored:
        return rows
    matching = Value(list_values(bucket.matching), JSONField())
    ignored = Value([list_values(values) for values in bucket.ignored], JSONField())
    return rows.filter(_TakesEvent(F("properties"), matching, ignored))


def _in_group(rows: QuerySet[UsageEvent], price: Price, fee: Fee) -> QuerySet[UsageEvent]:
    if not price.group_keys:
        return rows
    group = _GroupOf(F("properties"), Value(price.group_keys, JSONField()))
    return rows.alias(group=group).filter(group=Value(fee.grouped_by, JSONField()))
