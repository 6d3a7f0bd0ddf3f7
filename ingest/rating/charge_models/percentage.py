"""Percentage: a rate on the units and a fixed amount on the events, beyond what is free (Lago: percentage)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_difference, exact_product, exact_sum
from ingest.metering.usage import MeteredUsage, Transactions
from ingest.rating.charge_models.contract import PropertyError, Rated
from ingest.rating.charge_models.fields import read_amount, read_count, read_optional_amount

PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class PercentagePrice:
    """The rate in percent, what each event costs beside it, what is free, and what one event costs at least and
    at most."""

    rate: Decimal
    fixed_amount: Decimal = ZERO
    free_events: int = 0
    free_units: Decimal = ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether single events have a minimum or a maximum."""
        return self.minimum is not None or self.maximum is not None

    def amount_of(self, value: Decimal) -> Decimal:
        """What one event of that value costs."""
        amount = exact_sum((exact_product(exact_product(value, self.rate), PERCENT), self.fixed_amount))
        if self.minimum is not None and amount < self.minimum:
            return self.minimum
        return self.maximum if self.maximum is not None and amount > self.maximum else amount


@dataclass(frozen=True, slots=True)
class PercentageLine:
    """What the rate, the fixed amounts and the bounds gave."""

    units: Decimal
    free_units: Decimal
    paid_units: Decimal
    free_events: int
    paid_events: int
    rate: Decimal
    per_unit_total_amount: Decimal
    fixed_fee_unit_amount: Decimal
    fixed_fee_total_amount: Decimal
    min_max_adjustment_total_amount: Decimal

    @property
    def total(self) -> Decimal:
        """All three together."""
        return exact_sum(
            (self.per_unit_total_amount, self.fixed_fee_total_amount, self.min_max_adjustment_total_amount)
        )


def read(properties: Mapping[str, object], errors: list[PropertyError]) -> PercentagePrice:
    """The price; a maximum below the minimum is refused."""
    found = PercentagePrice(
        rate=read_amount(properties, "rate", errors, code="invalid_rate"),
        fixed_amount=read_optional_amount(properties, "fixed_amount", errors, code="invalid_fixed_amount")
        or ZERO,
        free_events=read_count(
            properties, "free_units_per_events", errors, code="invalid_free_units_per_events"
        ),
        free_units=read_optional_amount(
            properties,
            "free_units_per_total_aggregation",
            errors,
            code="invalid_free_units_per_total_aggregation",
        )
        or ZERO,
        minimum=read_optional_amount(properties, "per_transaction_min_amount", errors),
        maximum=read_optional_amount(properties, "per_transaction_max_amount", errors),
    )
    if found.minimum is not None and found.maximum is not None and found.maximum < found.minimum:
        code = "per_transaction_max_lower_than_per_transaction_min"
        errors.append(PropertyError("per_transaction_max_amount", code, "must not be below the minimum"))
    return found


def price(prices: PercentagePrice, usage: MeteredUsage, _currency: str) -> Rated:
    """The rate on the units and the fixed amount on the events that are not free.

    With a minimum or a maximum, what the single events come to instead; the difference is a part of its own.
    """
    known = usage.transactions or summarize(prices, usage.event_values)
    line = _price_units(prices, usage, known)
    if prices.is_bounded and known.bounded_amount is not None:
        line = _adjust(line, known.bounded_amount)
    return Rated(usage.quantity, line.total, details=(line,))


def _price_units(prices: PercentagePrice, usage: MeteredUsage, known: Transactions) -> PercentageLine:
    units = usage.quantity
    priced = max(exact_difference(units, known.free_units), ZERO)
    free_events = min(known.free_events, usage.events_count)
    paid_events = usage.events_count - free_events
    is_free = not units or not paid_events
    return PercentageLine(
        units=units,
        free_units=known.free_units,
        paid_units=priced,
        free_events=free_events,
        paid_events=paid_events,
        rate=prices.rate,
        per_unit_total_amount=exact_product(exact_product(priced, prices.rate), PERCENT),
        fixed_fee_unit_amount=prices.fixed_amount if paid_events else ZERO,
        fixed_fee_total_amount=ZERO if is_free else exact_product(Decimal(paid_events), prices.fixed_amount),
        min_max_adjustment_total_amount=ZERO,
    )


def _adjust(line: PercentageLine, amount: Decimal) -> PercentageLine:
    return PercentageLine(
        line.units,
        line.free_units,
        line.paid_units,
        line.free_events,
        line.paid_events,
        line.rate,
        line.per_unit_total_amount,
        line.fixed_fee_unit_amount,
        line.fixed_fee_total_amount,
        exact_difference(amount, line.total),
    )


def summarize(prices: PercentagePrice, values: Iterable[Decimal]) -> Transactions:
    """What the price needs to know of the events' values, in time order."""
    running = RunningTransactions(prices)
    for value in values:
        running.add(value)
    return running.known


def running_totals(prices: PercentagePrice, values: Iterable[Decimal]) -> Iterator[Decimal]:
    """The sums of the values as far as the allowances reach: the first free events, else the first above."""
    total = ZERO
    for place, value in enumerate(values):
        if not _reaches(prices, place, total):
            return
        total = exact_sum((total, value))
        yield total


def allowance_of(prices: PercentagePrice, totals: Iterable[Decimal]) -> Transactions:
    """The units and events that are free, of the running totals; whichever allowance ends first."""
    allowance = _Allowance(prices)
    for total in totals:
        allowance.take(total)
    return Transactions(allowance.free_units, allowance.free_events)


def _reaches(prices: PercentagePrice, place: int, total: Decimal) -> bool:
    """Whether the allowances may reach the event at that place, with that much before it."""
    if prices.free_events:
        return place < prices.free_events
    return bool(prices.free_units) and total <= prices.free_units


@dataclass(slots=True)
class _Allowance:
    """What of the running totals decides what is free, without keeping them."""

    prices: PercentagePrice
    count: int = 0
    below: int = 0
    last: Decimal = ZERO
    of_free_events: Decimal = ZERO

    def take(self, total: Decimal) -> None:
        """The next running total."""
        self.count += 1
        self.below += total < self.prices.free_units
        self.last = total
        if self.count == self.prices.free_events:
            self.of_free_events = total

    @property
    def free_events(self) -> int:
        return min((count for count in (self.prices.free_events, self.below) if count), default=0)

    @property
    def free_units(self) -> Decimal:
        if not self.last:
            return ZERO
        if 0 < self.prices.free_events < self.count:
            return self.of_free_events
        return min(self.last, self.prices.free_units) if self.prices.free_units else self.last


class RunningTransactions:
    """What the price needs to know of the events so far, kept as running totals: one more event costs the same
    however many came before it."""

    def __init__(self, prices: PercentagePrice) -> None:
        self._prices = prices
        self._allowance = _Allowance(prices)
        self._count = 0
        self._bounded = ZERO
        self._free_events, self._free_units = prices.free_events, prices.free_units

    def add(self, value: Decimal) -> None:
        """The next event's value, in time order."""
        if _reaches(self._prices, self._count, self._allowance.last):
            self._allowance.take(exact_sum((self._allowance.last, value)))
        self._count += 1
        if self._prices.is_bounded:
            paid = self._take_free(value)
            if paid is not None:
                self._bounded = exact_sum((self._bounded, self._prices.amount_of(paid)))

    @property
    def known(self) -> Transactions:
        """Of all events that were added."""
        bounded = self._bounded if self._prices.is_bounded else None
        return Transactions(self._allowance.free_units, self._allowance.free_events, bounded)

    def _take_free(self, value: Decimal) -> Decimal | None:
        """What of an event is paid, None where all of it is free; the one that ends the free units pays the rest."""
        if self._free_units > 0:
            if self._free_units > value:
                self._free_units = exact_difference(self._free_units, value)
                return None
            paid = exact_difference(value, self._free_units)
            self._free_events, self._free_units = 0, ZERO
            return paid
        if self._free_events > 0:
            self._free_events -= 1
            return None
        return value
