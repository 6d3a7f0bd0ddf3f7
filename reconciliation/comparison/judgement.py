"""The judgement of one row: what is compared with what, how far apart it is, and whether that is a match.

This defines the meaning; the set-based statement that judges a whole period gives the same.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from ingest.metering.arithmetic import exact_difference, exact_sum
from reconciliation.comparison.tolerance import Tolerance


class Basis(StrEnum):
    """On which amounts a row is judged."""

    UNTAXED = "untaxed"
    TOTAL = "total"


class Outcome(StrEnum):
    """Whether the two sides could be compared, and if not, why."""

    COMPARED = "compared"
    MISSING_ODOO = "missing_odoo"
    MISSING_EXTERNAL = "missing_external"
    STALE = "stale"
    UNLINKED = "unlinked"
    OTHER_CURRENCY = "other_currency"


class Status(StrEnum):
    """Where a row stands; `resolved` is given by a person, never here."""

    MATCH = "match"
    DELTA = "delta"
    RESOLVED = "resolved"


class JudgementError(ValueError):
    """Amounts that are no side of a row; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says a period costs, in one currency; what it does not state is None.

    It states the untaxed amount alone, the total alone, or all three that add up. Raises JudgementError
    `inconsistent_side` for anything else.
    """

    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None
    currency: str

    def __post_init__(self) -> None:
        if not self._is_consistent():
            message = "A side states the untaxed amount, the total, or both with the tax between them."
            raise JudgementError("inconsistent_side", message)

    def _is_consistent(self) -> bool:
        if self.tax is None:
            return (self.untaxed is None) != (self.total is None)
        if self.untaxed is None or self.total is None:
            return False
        return exact_sum((self.untaxed, self.tax)) == self.total

    def amount_on(self, basis: Basis) -> Decimal | None:
        """The amount on that basis; None when the side does not state it."""
        return self.total if basis is Basis.TOTAL else self.untaxed


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a row says; `delta` is null exactly when a side is missing."""

    basis: Basis
    odoo_amount: Decimal | None
    external_amount: Decimal | None
    delta: Decimal | None
    outcome: Outcome
    status: Status


def basis_of(external: Side | None) -> Basis:
    """`total` when the external side states what the customer paid with tax, else `untaxed`."""
    return Basis.UNTAXED if external is None or external.total is None else Basis.TOTAL


def judge(
    *,
    odoo: Side | None,
    external: Side | None,
    tolerance: Tolerance,
    is_linked: bool,
    is_stale: bool,
    has_other_currency: bool,
) -> Judgement:
    """Compares both sides of one row, delta = Odoo − external.

    The first of these that holds is the outcome: the customer is unlinked; one side bills in another
    currency; Odoo's amount is missing; the external one is; one of them is stale; else they are compared. A
    side that does not state an amount on the row's basis is missing. Only what is compared and within the
    tolerance is a match. Raises JudgementError `mixed_currencies` for sides in two currencies, which are two
    rows.
    """
    if odoo and external and odoo.currency != external.currency:
        raise JudgementError("mixed_currencies", f"{odoo.currency} and {external.currency} make no delta.")
    basis = basis_of(external)
    odoo_amount = odoo.amount_on(basis) if odoo else None
    external_amount = external.amount_on(basis) if external else None
    outcomes = (
        (not is_linked, Outcome.UNLINKED),
        (has_other_currency, Outcome.OTHER_CURRENCY),
        (odoo_amount is None, Outcome.MISSING_ODOO),
        (external_amount is None, Outcome.MISSING_EXTERNAL),
        (is_stale, Outcome.STALE),
    )
    outcome = next((outcome for is_so, outcome in outcomes if is_so), Outcome.COMPARED)
    delta = None
    if odoo_amount is not None and external_amount is not None:
        delta = exact_difference(odoo_amount, external_amount)
    status = _status_of(outcome, delta, external_amount, tolerance)
    return Judgement(basis, odoo_amount, external_amount, delta, outcome, status)


def _status_of(
    outcome: Outcome, delta: Decimal | None, external_amount: Decimal | None, tolerance: Tolerance
) -> Status:
    if outcome is not Outcome.COMPARED or delta is None or external_amount is None:
        return Status.DELTA
    return Status.MATCH if tolerance.allows(delta=delta, external=external_amount) else Status.DELTA
