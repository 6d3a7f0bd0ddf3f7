"""The three amounts of a line: two give the third, and a row of tax states nothing else."""

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact

from reconciliation.connectors.files.cells import CellError

Amounts = tuple[Decimal | None, Decimal | None, Decimal | None]

# Two numbers of at most sixty characters each: their sum has fewer digits than this.
_EXACT = Context(prec=200, traps=[Inexact])


def complete_amounts(columns: Sequence[str], stated: Sequence[Decimal | None]) -> Amounts:
    """Untaxed, tax and total of a line as far as they follow from each other.

    Raises CellError, in one of the three columns: `missing` where there is neither untaxed nor total,
    `amounts_disagree` where all three are stated and do not add up.
    """
    untaxed, tax, total = stated
    if untaxed is not None and tax is not None:
        sum_ = _EXACT.add(untaxed, tax)
        if total not in (None, sum_):
            raise CellError(columns[2], "amounts_disagree", f"is not untaxed plus tax, {sum_:f}")
        return untaxed, tax, sum_
    if total is not None and tax is not None:
        return _EXACT.subtract(total, tax), tax, total
    if total is not None and untaxed is not None:
        return untaxed, _EXACT.subtract(total, untaxed), total
    if total is None and untaxed is None:
        raise CellError(columns[0], "missing", "must not be empty where there is no total")
    return untaxed, None, total


def complete_tax(columns: Sequence[str], stated: Sequence[Decimal | None]) -> Amounts:
    """The amounts of a row of tax; raises CellError as `complete_amounts`, `tax_is_untaxed` for an untaxed one."""
    untaxed, tax, total = stated
    if untaxed:
        raise CellError(columns[0], "tax_is_untaxed", "must be empty or 0 in a row of kind tax")
    found = total if tax is None else tax
    if found is None:
        raise CellError(columns[1], "missing", "must not be empty in a row of kind tax")
    if total not in (None, found):
        raise CellError(columns[2], "amounts_disagree", f"is not the tax, {found:f}")
    return Decimal(0), found, found
