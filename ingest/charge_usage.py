"""A subscription's usage by charge, filter and group: of the current period, or of one that was rated."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from ingest.buckets import canonical_group
from ingest.calendar import grid_of
from ingest.fees import RatedFee, rate_what_if
from ingest.measuring.questions import prices_of
from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.metering.periods import billing_period
from ingest.models import Charge, ChargeVersion, Fee, FeeKind, Subscription
from ingest.prices import Price, PriceBook, key_of
from ingest.windows import Window, windows_of

Values = Mapping[str, Sequence[str]]
Group = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class BucketUsage:
    """What some events of a charge came to; `amount` is rounded, in the plan's currency.

    `total_units` are those before proration. A filter without values is the rest of the charge.
    """

    units: Decimal = ZERO
    total_units: Decimal = ZERO
    events_count: int = 0
    amount: Decimal = ZERO
    filter_values: Values | None = None
    filter_name: str = ""
    grouped_by: Group | None = None


@dataclass(frozen=True, slots=True)
class ChargeUsage:
    """What a charge came to in the version that prices the period, in each of its filters and groups."""

    charge: Charge
    version: ChargeVersion
    buckets: Sequence[BucketUsage]

    @property
    def whole(self) -> BucketUsage:
        """All of it."""
        return _add_up(self.buckets)

    def by_filter(self, buckets: Sequence[BucketUsage] | None = None) -> list[BucketUsage]:
        """Of each filter and of the rest, of all or of some buckets; nothing for a charge without filters."""
        if not self.version.filters:
            return []
        found = self.buckets if buckets is None else buckets
        return [_add_up(same) for same in _group(found, lambda each: each.filter_values)]

    def by_group(self) -> list[tuple[BucketUsage, list[BucketUsage]]]:
        """Of each group, with its filters; nothing for a charge without pricing groups."""
        grouped = [each for each in self.buckets if each.grouped_by]
        groups = _group(grouped, lambda each: each.grouped_by)
        return [(_add_up(same), self.by_filter(same)) for same in groups]


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """What a subscription used between two instants, half-open, by charge in the order of their metrics' names."""

    subscription: Subscription
    start: datetime
    end: datetime
    charges: Sequence[ChargeUsage]

    @property
    def currency(self) -> str:
        """The plan's."""
        return self.subscription.plan.currency


def read_current_usage(*, subscription: Subscription, now: datetime) -> PeriodUsage | None:
    """The usage of the period that `now` lies in, metered and rated at once and kept nowhere; None outside all.

    Each charge and filter of the plan is there, used or not, and events of the period's future count, as in Lago.
    """
    window = find_window(subscription, now)
    if window is None:
        return None
    prices = prices_of(PriceBook({subscription.plan_id}), window).prices
    fees = [fee for fee in _rate(subscription, window.period.label) if fee.kind == FeeKind.USAGE]
    return PeriodUsage(subscription, window.counts_from, window.counts_to, _by_charge(prices, fees))


def read_past_usage(fees: Iterable[Fee]) -> PeriodUsage:
    """The usage of one subscription's rated period, of its fees as they are stored; there is one at least."""
    used = list(fees)
    first = used[0]
    versions: dict[int, ChargeVersion] = {}
    by_charge: dict[int, list[BucketUsage]] = defaultdict(list)
    for fee in used:
        if fee.charge_id is not None and fee.charge_version is not None:
            versions[fee.charge_id] = fee.charge_version
            by_charge[fee.charge_id].append(_bucket_of(fee, fee.charge_version))
    charges = {fee.charge_id: fee.charge for fee in used}
    return PeriodUsage(
        first.subscription,
        first.counts_from or first.period_start,
        first.counts_to or first.period_end,
        _in_order(
            ChargeUsage(charge, versions[key], by_charge[key])
            for key, charge in charges.items()
            if key is not None and charge is not None
        ),
    )


def narrow_down(usage: ChargeUsage, group: Group) -> ChargeUsage:
    """A charge's usage in the groups that have all of some values."""
    buckets = [each for each in usage.buckets if group.items() <= dict(each.grouped_by or {}).items()]
    return replace(usage, buckets=buckets)


def find_window(subscription: Subscription, at: datetime) -> Window | None:
    """The subscription's period that an instant lies in, and the part of it in which events count."""
    period = billing_period(at=at, **grid_of(subscription))
    windows = windows_of(
        service=subscription.customer.service,
        period_label=period.label,
        customers=[subscription.customer_id],
    )
    found = next((each for each in windows if subscription.pk in each.subscriptions), None)
    return found and replace(found, subscriptions=[subscription.pk])


def _rate(subscription: Subscription, period_label: str) -> list[RatedFee]:
    rated = rate_what_if(
        service=subscription.customer.service,
        period_label=period_label,
        instead={},
        customers=[subscription.customer_id],
    )
    return [fee for fee in rated if fee.subscription_id == subscription.pk]


def _by_charge(prices: Sequence[Price], fees: Sequence[RatedFee]) -> Sequence[ChargeUsage]:
    """Every price's buckets, empty where there was nothing."""
    used: dict[tuple[int, str], list[RatedFee]] = defaultdict(list)
    for fee in fees:
        if fee.charge_id is not None:
            used[key_of(fee.charge_id, fee.filter_values)].append(fee)
    found: dict[int, ChargeUsage] = {}
    for price in prices:
        buckets = [_bucket_of(fee, price.version) for fee in used.get(price.key, ())]
        empty = BucketUsage(
            filter_values=price.filter_values, filter_name=_name_of(price.version, price.filter_values)
        )
        before = found.get(price.charge.pk)
        found[price.charge.pk] = ChargeUsage(
            price.charge, price.version, [*(before.buckets if before else ()), *(buckets or [empty])]
        )
    return _in_order(found.values())


def _in_order(charges: Iterable[ChargeUsage]) -> list[ChargeUsage]:
    return sorted(charges, key=lambda each: (each.charge.metric.name, each.charge.pk))


def _bucket_of(fee: RatedFee | Fee, version: ChargeVersion) -> BucketUsage:
    return BucketUsage(
        units=fee.quantity,
        total_units=fee.quantity if fee.full_quantity is None else fee.full_quantity,
        events_count=fee.events_count,
        amount=fee.amount,
        filter_values=fee.filter_values,
        filter_name=_name_of(version, fee.filter_values),
        grouped_by=fee.grouped_by or None,
    )


def _name_of(version: ChargeVersion, values: Values | None) -> str:
    """What a filter is called on a bill."""
    same = [each for each in version.filters if values is not None and each["values"] == values]
    return str(same[0].get("invoice_display_name") or "") if same else ""


def _add_up(buckets: Sequence[BucketUsage]) -> BucketUsage:
    """Several buckets as one; it keeps the filter and the group of the first."""
    if len(buckets) == 1:
        return buckets[0]
    return BucketUsage(
        units=exact_sum(each.units for each in buckets),
        total_units=exact_sum(each.total_units for each in buckets),
        events_count=sum(each.events_count for each in buckets),
        amount=exact_sum(each.amount for each in buckets),
        filter_values=buckets[0].filter_values if buckets else None,
        filter_name=buckets[0].filter_name if buckets else "",
        grouped_by=buckets[0].grouped_by if buckets else None,
    )


def _group(
    buckets: Iterable[BucketUsage], key: Callable[[BucketUsage], Mapping[str, object] | None]
) -> list[list[BucketUsage]]:
    """Buckets with the same values together, in the order of their first."""
    found: dict[str, list[BucketUsage]] = defaultdict(list)
    for bucket in buckets:
        values = key(bucket)
        found["" if values is None else canonical_group(values)].append(bucket)
    return list(found.values())
