"""What a Lago invoice or credit note says was billed: its fees as lines, each in the period that it is for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.inputs.codes import CURRENCIES
from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.metering.periods import Period
from ingest.rating.money import exponent
from reconciliation.comparison.attribution import AttributionError, Days, Money, find_days, split
from reconciliation.documents import NewLine
from reconciliation.models import LineKind, Timing
from reconciliation.shares import Place

# Lago: what a fee is of, and what its line bills.
KINDS = {
    "charge": LineKind.USAGE,
    "product": LineKind.USAGE,
    "subscription": LineKind.PLAN,
    "fixed_charge": LineKind.PLAN,
    "commitment": LineKind.ADJUSTMENT,
    "add_on": LineKind.ONE_TIME,
}
# What buys prepaid credits bills nothing that was used: what they pay for is billed where it is.
OF_CREDITS = "credit"
MOST_CENTS = 10**15


class BilledError(ValueError):
    """An invoice that cannot be told in amounts; the text says why."""


@dataclass(slots=True)
class Billed:
    """What one document says of each period."""

    currency: str = ""
    lines: dict[Period, list[NewLine]] = field(default_factory=lambda: defaultdict(list))

    def sum_of(self, period: Period) -> Money:
        """The period's lines added up."""
        return _add_up(self.lines[period])

    @property
    def sum(self) -> Money:
        """All lines added up."""
        return _add_up(line for lines in self.lines.values() for line in lines)


def read_invoice(invoice: Mapping[str, Any], place: Place) -> Billed:
    """The lines of an invoice: its fees, less coupons and what progressive invoices billed before.

    What settles a bill is no part of it: prepaid credits and credit notes that pay for it change nothing. Lago:
    the untaxed sum is fees less progressive credits less coupons, the total is that with taxes. Raises BilledError
    where the invoice's own sums say otherwise, or something of it cannot be read.
    """
    currency = _read_currency(invoice)
    fees = [
        _Fee.read(fee, currency, place, _read_day(invoice.get("issuing_date")))
        for fee in _list(invoice, "fees")
    ]
    billed = Billed(currency)
    homes = [(fee, fee.add_to(billed, place, sign=1)) for fee in fees]
    coupons = _money(invoice, "coupons_amount_cents", currency)
    _spread(
        billed, coupons, LineKind.DISCOUNT, "Coupons", [(home, fee.coupons_weight) for fee, home in homes]
    )
    progressive = _money(invoice, "progressive_billing_credit_amount_cents", currency)
    weights = [(home, fee.weight) for fee, home in homes]
    _spread(billed, progressive, LineKind.CREDIT, "Billed progressively before", weights)
    _round_taxes(billed, _money(invoice, "taxes_amount_cents", currency))
    _refuse_other_sums(
        billed,
        _money(invoice, "sub_total_excluding_taxes_amount_cents", currency),
        _money(invoice, "sub_total_including_taxes_amount_cents", currency),
    )
    return billed


def read_credit_note(note: Mapping[str, Any], place: Place) -> Billed:
    """The lines of a credit note, negative, in the periods of the fees that they correct; raises BilledError."""
    currency = _read_currency(note)
    issued = _read_day(note.get("issuing_date") or note.get("created_at"))
    fees = []
    for item in _list(note, "items"):
        fee = item.get("fee")
        if not isinstance(fee, dict):
            raise BilledError("an item names no fee")
        taxes = {"amount_cents": item.get("amount_cents"), "taxes_amount_cents": 0}
        fees.append(_Fee.read({**fee, **taxes}, currency, place, issued))
    billed = Billed(currency)
    weights = [(fee.add_to(billed, place, sign=-1), fee.weight) for fee in fees]
    coupons = exact_difference(ZERO, _money(note, "coupons_adjustment_amount_cents", currency))
    _spread(billed, coupons, LineKind.DISCOUNT, "Coupons taken back", weights)
    _round_taxes(billed, exact_difference(ZERO, _money(note, "taxes_amount_cents", currency)))
    _refuse_other_sums(
        billed,
        exact_difference(ZERO, _money(note, "sub_total_excluding_taxes_amount_cents", currency)),
        exact_difference(ZERO, _money(note, "total_amount_cents", currency)),
    )
    return billed


@dataclass(frozen=True, slots=True)
class _Fee:
    """One fee as it was read: what it costs, and the local days that it is for."""

    raw: Mapping[str, Any]
    currency: str
    kind: LineKind
    days: Days
    untaxed: Decimal
    tax: Decimal
    is_correction: bool = False

    @classmethod
    def read(cls, fee: Mapping[str, Any], currency: str, place: Place, issued: date) -> "_Fee":
        if (fee.get("amount_currency") or currency) != currency:
            raise BilledError(f"a fee is in {fee['amount_currency']}, its bill in {currency}")
        item_type = _text(_item(fee).get("type"))
        if item_type not in KINDS:
            raise BilledError(f"a fee is of {item_type!r}, which the console does not know")
        return cls(
            raw=fee,
            currency=currency,
            kind=KINDS[item_type],
            days=_read_days(fee, place, issued),
            untaxed=_money(fee, "amount_cents", currency),
            tax=_money(fee, "taxes_amount_cents", currency),
        )

    @property
    def subscription(self) -> str:
        return _text(self.raw.get("external_subscription_id"))

    @property
    def weight(self) -> int:
        """What a discount on the whole bill is shared by."""
        return max(int(self.untaxed.scaleb(4)), 0)

    @property
    def coupons_weight(self) -> int:
        """What of the coupons Lago itself gave this fee."""
        exact = _decimal(self.raw.get("precise_coupons_amount_cents"))
        return max(int(exact.scaleb(8)), 0) if exact is not None else 0

    def add_to(self, billed: Billed, place: Place, *, sign: int) -> Period:
        """Adds the fee's line to each period that it is for; returns the last of them."""
        shares = self.share(place, _signed(sign, self.untaxed, self.tax))
        for period, part in shares:
            billed.lines[period].append(self._make_line(part, is_whole=len(shares) == 1, sign=sign))
        return shares[-1][0]

    def share(self, place: Place, money: Money) -> list[tuple[Period, Money]]:
        """The periods that the fee is for."""
        try:
            return place.share(money, self.currency, self.days, self.subscription)
        except AttributionError as error:
            raise BilledError(error.message) from None

    def _make_line(self, money: Money, *, is_whole: bool, sign: int) -> NewLine:
        item, raw = _item(self.raw), self.raw
        is_advance = bool(raw.get("pay_in_advance"))
        names = (item.get("invoice_display_name"), item.get("name"), item.get("code"))
        return NewLine(
            code=_text(item.get("code")),
            description=next(filter(None, map(_text, names)), "Fee"),
            kind=self.kind if sign > 0 else LineKind.CREDIT,
            quantity=_decimal(raw.get("units")) if is_whole and sign > 0 else None,
            unit_price=_decimal(raw.get("precise_unit_amount")),
            untaxed=money.untaxed,
            tax=money.tax,
            total=money.total,
            timing=Timing.ADVANCE if is_advance else Timing.ARREARS,
            detail=_describe(raw, item, is_whole=is_whole),
        )


def _describe(fee: Mapping[str, Any], item: Mapping[str, Any], *, is_whole: bool) -> dict[str, Any]:
    """What pairs a line with one of our fees, and what Lago says of how it was computed."""
    told = {
        "fee": fee.get("lago_id"),
        "subscription": fee.get("external_subscription_id"),
        "charge": fee.get("lago_charge_id"),
        "filters": item.get("filters") or {},
        "grouped_by": item.get("grouped_by") or {},
        "precise_amount": fee.get("precise_amount"),
        "units": fee.get("units"),
        "events": fee.get("events_count"),
        "details": fee.get("amount_details") or {},
        "true_up_of": fee.get("lago_true_up_parent_fee_id"),
        "is_part": not is_whole,
    }
    return {name: value for name, value in told.items() if value not in (None, {}, False)}


def _spread(
    billed: Billed,
    amount: Decimal,
    kind: LineKind,
    description: str,
    weights: Sequence[tuple[Period, int]],
) -> None:
    """Takes an amount off the periods by weight, in parts that sum to it; raises BilledError where there is none."""
    if not amount:
        return
    if not weights:
        raise BilledError(f"{description.lower()} are taken off nothing")
    of_periods: dict[Period, int] = defaultdict(int)
    for period, weight in weights:
        of_periods[period] += weight
    if not any(of_periods.values()):
        of_periods[weights[0][0]] = 1
    for period, part in zip(
        of_periods, split(amount, list(of_periods.values()), billed.currency), strict=True
    ):
        if part:
            taken = exact_difference(ZERO, part)
            billed.lines[period].append(NewLine("", description, taken, kind=kind, tax=ZERO, total=taken))


def _round_taxes(billed: Billed, taxes: Decimal) -> None:
    """Lago rounds taxes once, on the invoice: what that leaves beside its fees' own is a line of its own."""
    left = exact_difference(taxes, billed.sum.tax or ZERO)
    if not left:
        return
    if not billed.lines:
        raise BilledError("taxes are on nothing")
    largest = max(billed.lines, key=lambda period: abs(billed.sum_of(period).untaxed or ZERO))
    line = NewLine("", "Taxes, as rounded on the whole", ZERO, kind=LineKind.TAX, tax=left, total=left)
    billed.lines[largest].append(line)


def _refuse_other_sums(billed: Billed, untaxed: Decimal, total: Decimal) -> None:
    found = billed.sum
    if (found.untaxed or ZERO) != untaxed or (found.total or ZERO) != total:
        raise BilledError(
            f"its lines come to {found.untaxed or ZERO:f} and {found.total or ZERO:f} with tax, it says"
            f" {untaxed:f} and {total:f}"
        )


def _add_up(lines: Iterable[NewLine]) -> Money:
    known = list(lines)
    return Money(
        exact_sum(line.untaxed or ZERO for line in known),
        exact_sum(line.tax or ZERO for line in known),
        exact_sum(line.total or ZERO for line in known),
    )


def _signed(sign: int, untaxed: Decimal, tax: Decimal) -> Money:
    if sign < 0:
        untaxed, tax = exact_difference(ZERO, untaxed), exact_difference(ZERO, tax)
    return Money(untaxed, tax, exact_sum([untaxed, tax]))


def _read_currency(document: Mapping[str, Any]) -> str:
    currency = document.get("currency")
    if not isinstance(currency, str) or currency not in CURRENCIES:
        raise BilledError(f"its currency is {currency!r}")
    return currency


def _money(document: Mapping[str, Any], name: str, currency: str) -> Decimal:
    """Minor units as an amount; nothing where the document does not say."""
    cents = document.get(name)
    if cents is None:
        return ZERO
    if not isinstance(cents, int) or isinstance(cents, bool) or abs(cents) > MOST_CENTS:
        raise BilledError(f"{name} is {cents!r}, which is no number of minor units")
    return Decimal(cents).scaleb(-exponent(currency))


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _read_days(fee: Mapping[str, Any], place: Place, issued: date) -> Days:
    start, end = (_read_instant(fee.get(name)) for name in ("from_date", "to_date"))
    if start is None or end is None:
        return Days(issued, date.fromordinal(issued.toordinal() + 1))
    try:
        return find_days(start, end, place.timezone)
    except AttributionError as error:
        raise BilledError(error.message) from None


def _read_instant(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BilledError(f"{value!r} is no date") from None
    if instant.tzinfo is None or not 1900 <= instant.year < 3000:
        raise BilledError(f"{value!r} is no date of a bill")
    return instant


def _read_day(value: Any) -> date:
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        raise BilledError(f"it was issued on {value!r}") from None


def _list(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = document.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BilledError(f"it has no list of {name}")
    return found


def _item(fee: Mapping[str, Any]) -> Mapping[str, Any]:
    item = fee.get("item")
    return item if isinstance(item, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
