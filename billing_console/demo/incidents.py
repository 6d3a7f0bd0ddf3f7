"""What can go otherwise with a bill, each as a function from the bill to what was billed instead."""

from dataclasses import replace
from decimal import Decimal

from billing_console.demo.terms import Bill, BilledLine, Twist
from ingest.rating.money import round_to_currency


def never_billed(bill: Bill) -> Bill:
    """The service forgot the account."""
    return replace(bill, lines=[])


def billed_twice(code: str) -> Twist:
    """A line was billed two times."""
    return lambda bill: replace(bill, lines=[*bill.lines, _find(bill, code)])


def other_quantity(code: str, percent: int) -> Twist:
    """The service counted that share of the units."""

    def twist(bill: Bill) -> Bill:
        line = _find(bill, code)
        quantity = ((line.quantity or Decimal(0)) * percent / 100).quantize(Decimal(1))
        unit_price = line.untaxed / (line.quantity or Decimal(1))
        return _exchange(
            bill, line, replace(line, quantity=quantity, untaxed=_round(quantity * unit_price, bill))
        )

    return twist


def counted_too(code: str, units: str) -> Twist:
    """The service billed units whose events we had not received when it did."""

    def twist(bill: Bill) -> Bill:
        line = _find(bill, code)
        quantity = (line.quantity or Decimal(0)) + Decimal(units)
        amount = _round(quantity * (line.unit_price or Decimal(0)), bill)
        return _exchange(bill, line, replace(line, quantity=quantity, untaxed=amount))

    return twist


def other_price(code: str, percent: int) -> Twist:
    """The service charged that share of the price."""

    def twist(bill: Bill) -> Bill:
        line = _find(bill, code)
        unit_price = line.unit_price and line.unit_price * percent / 100
        amount = _round(line.untaxed * percent / 100, bill)
        return _exchange(bill, line, replace(line, unit_price=unit_price, untaxed=amount))

    return twist


def credited(amount: str, why: str) -> Twist:
    """A credit note of that amount came with the bill."""
    return _correct("credit", -Decimal(amount), why)


def adjusted(amount: str, why: str) -> Twist:
    """Somebody added an amount by hand."""
    return _correct("adjustment", Decimal(amount), why)


def discounted(percent: int, why: str) -> Twist:
    """A discount on the whole bill that Odoo does not know of."""

    def twist(bill: Bill) -> Bill:
        amount = _round(sum((line.untaxed for line in bill.lines), Decimal(0)) * -percent / 100, bill)
        return _correct("discount", amount, why)(bill)

    return twist


def taxed_at(*rates: str) -> Twist:
    """The service charged these taxes, in percent, instead of the province's."""
    return lambda bill: replace(bill, tax_rates=[Decimal(rate) for rate in rates])


def tax_rounded_by_line(bill: Bill) -> Bill:
    """The service rounds the tax of every line, Odoo that of the whole bill."""
    return replace(bill, is_tax_rounded_by_line=True)


def billed_in(currency: str) -> Twist:
    """The service billed the same figures in another currency."""
    return lambda bill: replace(bill, currency=currency)


def without_codes(amount: str, what: str) -> Twist:
    """The service billed one lump sum, without a code to compare by."""
    return lambda bill: replace(bill, lines=[BilledLine("", what, Decimal(amount))])


def without_quantity(code: str, amount: str) -> Twist:
    """The service billed another amount for a line and does not say how many units it is for."""

    def twist(bill: Bill) -> Bill:
        line = _find(bill, code)
        return _exchange(bill, line, replace(line, quantity=None, unit_price=None, untaxed=Decimal(amount)))

    return twist


def _correct(kind: str, amount: Decimal, why: str) -> Twist:
    return lambda bill: replace(bill, lines=[*bill.lines, BilledLine(kind, why, amount, kind)])


def _find(bill: Bill, code: str) -> BilledLine:
    return next(line for line in bill.lines if line.code == code)


def _exchange(bill: Bill, line: BilledLine, other: BilledLine) -> Bill:
    return replace(bill, lines=[other if each is line else each for each in bill.lines])


def _round(amount: Decimal, bill: Bill) -> Decimal:
    return round_to_currency(amount, bill.currency)
