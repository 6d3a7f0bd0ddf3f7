"""Why a row has a delta: causes that add up to it exactly, as the machine suggests them.

A person confirms a cause or gives another; nothing here decides.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from ingest.metering.arithmetic import ZERO, exact_difference, exact_product, exact_sum, quotient
from ingest.rating.money import minor_unit, round_to_currency
from reconciliation.comparison.judgement import Basis, Judgement, Outcome, Side
from reconciliation.comparison.lines import CORRECTIONS, LineAmount, LineKind, LinePair, remainder


class CauseCode(StrEnum):
    """What may set the two sides apart; the first four are outcomes, where nothing was compared."""

    UNLINKED = "unlinked"
    OTHER_CURRENCY = "other_currency"
    MISSING_ODOO = "missing_odoo"
    MISSING_EXTERNAL = "missing_external"
    CREDIT = "credit"
    DISCOUNT = "discount"
    ADJUSTMENT = "adjustment"
    TAX = "tax"
    ROUNDING = "rounding"
    NEGATIVE_CORRECTION = "negative_correction"
    COMMITMENT = "commitment"
    OUTDATED_PUSH = "outdated_push"
    LATE_USAGE = "late_usage"
    QUANTITY = "quantity"
    PRICE = "price"
    UNCODED = "uncoded"
    UNEXPLAINED = "unexplained"


LABELS = {
    CauseCode.UNLINKED: "The customer is not linked",
    CauseCode.OTHER_CURRENCY: "Billed in another currency",
    CauseCode.MISSING_ODOO: "Missing in Odoo",
    CauseCode.MISSING_EXTERNAL: "Missing at the service",
    CauseCode.CREDIT: "Credit on one side",
    CauseCode.DISCOUNT: "Discount on one side",
    CauseCode.ADJUSTMENT: "Adjustment on one side",
    CauseCode.TAX: "Tax differs",
    CauseCode.ROUNDING: "Rounding",
    CauseCode.NEGATIVE_CORRECTION: "Negative correction, never billed below zero",
    CauseCode.COMMITMENT: "Covered by a commitment, billed 0",
    CauseCode.OUTDATED_PUSH: "Odoo does not have the latest usage",
    CauseCode.LATE_USAGE: "Usage that arrived after the period had closed",
    CauseCode.QUANTITY: "Other quantity",
    CauseCode.PRICE: "Other price",
    CauseCode.UNCODED: "Billed without a code to compare by",
    CauseCode.UNEXPLAINED: "Not explained by the lines",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, what it adds to the delta, and the codes of the lines that show it."""

    code: CauseCode
    label: str
    amount: Decimal
    line_codes: tuple[str, ...]
    is_suggested: bool = True


def explain(
    *, pairs: Sequence[LinePair], judgement: Judgement, odoo: Side | None, external: Side | None
) -> list[Cause]:
    """The causes of a row's delta, the largest first; their amounts sum to the delta exactly.

    A row that was not compared has one cause, its outcome, with the amount that is at stake. Empty when every
    line agrees, and when there is no side at all.
    """
    side = odoo or external
    if side is None:
        return []
    if judgement.outcome not in (Outcome.COMPARED, Outcome.STALE) or judgement.delta is None:
        code = CauseCode(judgement.outcome)
        return [Cause(code, LABELS[code], _at_stake(judgement), tuple(pair.code for pair in pairs))]
    tax = _tax_delta(judgement.basis, odoo, external)
    rest = exact_difference(remainder(pairs=pairs, delta=judgement.delta), tax)
    limit = _rounding_limit(chain.from_iterable(map(_lines_of, pairs)), side.currency)
    is_rounding = abs(rest) <= limit
    has_uncoded = any(pair.external and _is_uncoded(pair) for pair in pairs)
    return _collect(
        [
            *chain.from_iterable(_explain_pair(pair, side.currency, has_uncoded) for pair in pairs),
            _Part(CauseCode.TAX, tax),
            _Part(CauseCode.ROUNDING if is_rounding else CauseCode.UNEXPLAINED, rest),
        ]
    )


def main_cause(causes: Sequence[Cause]) -> Cause | None:
    """The cause with the largest amount, None when there is none."""
    return max(causes, key=lambda cause: abs(cause.amount), default=None)


class _Part(NamedTuple):
    """A share of the delta that one line, or the row as a whole, shows."""

    code: CauseCode
    amount: Decimal
    line_code: str = ""


def _explain_pair(pair: LinePair, currency: str, has_uncoded: bool) -> Iterator[_Part]:
    limit = _rounding_limit(_lines_of(pair), currency)
    if pair.kind in CORRECTIONS:
        yield _Part(CauseCode(pair.kind), pair.delta, pair.code)
        return
    late = _late_part(pair, limit)
    if late:
        yield _Part(CauseCode.LATE_USAGE, late, pair.code)
        pair = replace(pair, delta=exact_difference(pair.delta, late))
        if not pair.delta:
            return
    code = next((code for code, holds in _RULES if holds(pair, limit)), None)
    if code is CauseCode.MISSING_EXTERNAL and has_uncoded:
        # Its counterpart may be among the lines that carry no code.
        code = CauseCode.UNCODED
    if code:
        yield _Part(code, pair.delta, pair.code)
    else:
        yield from _split_by_quantity(pair, limit, currency)


def _split_by_quantity(pair: LinePair, limit: Decimal, currency: str) -> Iterator[_Part]:
    """What the other quantity costs at the service's price; the rest is the other price."""
    ours, theirs = _our_quantity(pair), pair.external.quantity if pair.external else None
    if pair.kind is LineKind.USAGE and (ours is None or theirs is None):
        yield _Part(CauseCode.UNEXPLAINED, pair.delta, pair.code)
        return
    by_quantity = ZERO
    if pair.external and ours is not None and theirs:
        more = exact_product(pair.external.amount, exact_difference(ours, theirs))
        by_quantity = round_to_currency(quotient(more, theirs), currency)
    by_price = exact_difference(pair.delta, by_quantity)
    if by_quantity and abs(by_price) <= limit:
        by_quantity, by_price = pair.delta, ZERO
    yield _Part(CauseCode.QUANTITY, by_quantity, pair.code)
    yield _Part(CauseCode.PRICE, by_price, pair.code)


def _late_part(pair: LinePair, limit: Decimal) -> Decimal:
    """What of a difference late usage makes: Odoo has it and the service billed without, or the other way round.

    Nothing where the difference would only grow: then both bill it, or neither.
    """
    if pair.expected is None or _is_outdated(pair, limit):
        return ZERO
    part = ZERO
    for late in (pair.expected.late, exact_difference(ZERO, pair.expected.deferred)):
        left = exact_difference(pair.delta, part)
        if abs(exact_difference(left, late)) < abs(left):
            part = exact_sum((part, late))
    return part


def _our_quantity(pair: LinePair) -> Decimal | None:
    # A line at our own price is pushed as one piece at an exact amount: the usage is in our rating.
    side = pair.odoo if pair.odoo and pair.odoo.is_priced_by_odoo else pair.expected
    return side.quantity if side else None


def _is_uncoded(pair: LinePair) -> bool:
    return not pair.code and pair.kind not in CORRECTIONS


def _is_outdated(pair: LinePair, limit: Decimal) -> bool:
    if pair.odoo is None or pair.expected is None or pair.odoo.is_priced_by_odoo:
        return False
    return abs(exact_difference(pair.odoo.amount, pair.expected.amount)) > limit


def _is_committed(pair: LinePair) -> bool:
    return pair.external is not None and not pair.external.amount and bool(pair.external.quantity)


# The first rule that holds names the cause of a pair; each is asked with the pair's rounding limit.
_RULES: tuple[tuple[CauseCode, Callable[[LinePair, Decimal], bool]], ...] = (
    (CauseCode.ROUNDING, lambda pair, limit: abs(pair.delta) <= limit),
    (CauseCode.UNCODED, lambda pair, _: _is_uncoded(pair)),
    (CauseCode.NEGATIVE_CORRECTION, lambda pair, _: pair.external is not None and pair.external.amount < 0),
    (CauseCode.MISSING_ODOO, lambda pair, _: pair.odoo is None),
    (CauseCode.MISSING_EXTERNAL, lambda pair, _: pair.external is None),
    (CauseCode.COMMITMENT, lambda pair, _: _is_committed(pair)),
    (CauseCode.OUTDATED_PUSH, _is_outdated),
)


def _rounding_limit(lines: Iterable[LineAmount], currency: str) -> Decimal:
    """Half a minor unit for each line that was rounded, and at least one half.

    A line stated with more digits than its currency has was not rounded, and so adds nothing.
    """
    is_rounded = (round_to_currency(line.amount, currency) == line.amount for line in lines)
    return exact_product(minor_unit(currency), max(1, sum(is_rounded)) * Decimal("0.5"))


def _lines_of(pair: LinePair) -> Iterator[LineAmount]:
    for side in (pair.odoo, pair.external):
        if side:
            yield from side.lines


def _tax_delta(basis: Basis, odoo: Side | None, external: Side | None) -> Decimal:
    """The part of a delta on totals that is tax, where the lines of both sides are without it."""
    taxes = [side.tax for side in (odoo, external) if side and side.tax is not None]
    return exact_difference(*taxes) if basis is Basis.TOTAL and len(taxes) == 2 else ZERO


def _at_stake(judgement: Judgement) -> Decimal:
    return exact_difference(judgement.odoo_amount or ZERO, judgement.external_amount or ZERO)


def _collect(parts: Iterable[_Part]) -> list[Cause]:
    """One cause for each code, also when its lines cancel out: two errors are not none."""
    grouped: dict[CauseCode, list[_Part]] = {}
    for part in parts:
        if part.amount:
            grouped.setdefault(part.code, []).append(part)
    causes = [
        Cause(
            code=code,
            label=LABELS[code],
            amount=exact_sum(part.amount for part in found),
            line_codes=tuple(dict.fromkeys(part.line_code for part in found if part.line_code)),
        )
        for code, found in grouped.items()
    ]
    return sorted(causes, key=lambda cause: (-abs(cause.amount), cause.code))
