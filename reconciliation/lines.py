"""The lines behind a reconciliation: what both sides and our own rating say, paired, and what explains the delta."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.models import Fee
from reconciliation.comparison.causes import Cause, explain, main_cause, main_cause
from reconciliation.comparison.judgement import Basis, Judgement, Outcome, Status
from reconciliation.comparison.judgement import Side as SideAmounts
from reconciliation.comparison.lines import LineAmount, LineKind, LinePair, pair_lines
from reconciliation.models import AmountLine, Reconciliation, Side

# A bill: the customer, the currency and both ends of the period.
BillKey = tuple[int, str, object, object]


@dataclass(frozen=True, slots=True)
class ComparedLines:
    """A row's lines in pairs, the largest difference first, and the causes that add up to its delta."""

    pairs: list[LinePair]
    causes: list[Cause]

    @property
    def main_cause(self) -> Cause | None:
        """The cause with the largest amount."""
        return main_cause(self.causes)


def read_lines(row: Reconciliation) -> ComparedLines:
    """The compared lines of one row."""
    return read_many([row])[row.pk]


def read_many(rows: Sequence[Reconciliation]) -> dict[int, ComparedLines]:
    """The compared lines of many rows by their ids, in two queries."""
    lines = _amount_lines(rows)
    fees = _fee_lines(rows)
    return {row.pk: _compare(row, lines[bill_key(row)], fees[bill_key(row)]) for row in rows}


def bill_key(row: Reconciliation) -> BillKey:
    """What a row and its documents share."""
    return (row.customer_id, row.currency, row.period_start, row.period_end)


def _compare(
    row: Reconciliation, lines: Mapping[str, list[LineAmount]], expected: Iterable[LineAmount]
) -> ComparedLines:
    pairs = pair_lines(odoo=lines[Side.ODOO], external=lines[Side.EXTERNAL], expected=expected)
    judgement = Judgement(
        basis=Basis(row.basis),
        odoo_amount=row.odoo_amount,
        external_amount=row.external_amount,
        delta=row.delta,
        outcome=Outcome(row.outcome),
        status=Status(row.status),
    )
    causes = explain(
        pairs=pairs,
        judgement=judgement,
        odoo=_side(row.currency, row.odoo_untaxed, row.odoo_tax, row.odoo_total),
        external=_side(row.currency, row.external_untaxed, row.external_tax, row.external_total),
    )
    return ComparedLines(pairs, causes)


def _side(
    currency: str, untaxed: Decimal | None, tax: Decimal | None, total: Decimal | None
) -> SideAmounts | None:
    if untaxed is None and total is None:
        return None
    return SideAmounts(untaxed=untaxed, tax=tax, total=total, currency=currency)


def _amount_lines(rows: Sequence[Reconciliation]) -> Mapping[BillKey, Mapping[str, list[LineAmount]]]:
    found: dict[BillKey, dict[str, list[LineAmount]]] = defaultdict(lambda: defaultdict(list))
    query = AmountLine.objects.filter(
        amount__is_current=True,
        amount__customer__in={row.customer_id for row in rows},
        amount__period_start__in={row.period_start for row in rows},
    ).select_related("amount")
    for line in query.order_by("amount", "position"):
        amount = line.amount
        key = (amount.customer_id, amount.currency, amount.period_start, amount.period_end)
        found[key][amount.side].append(
            LineAmount(
                code=line.code,
                kind=LineKind(line.kind),
                description=line.description,
                quantity=line.quantity,
                # A document that states totals alone has nothing else to compare by.
                amount=line.untaxed if line.untaxed is not None else line.total or Decimal(0),
                is_priced_by_odoo=line.is_priced_by_odoo,
            )
        )
    return found


def _fee_lines(rows: Sequence[Reconciliation]) -> Mapping[BillKey, list[LineAmount]]:
    found: dict[BillKey, list[LineAmount]] = defaultdict(list)
    query = Fee.objects.filter(
        subscription__customer__in={row.customer_id for row in rows},
        period_start__in={row.period_start for row in rows},
    ).select_related("subscription__plan", "charge__metric")
    for fee in query.order_by("pk"):
        key = (fee.subscription.customer_id, fee.currency, fee.period_start, fee.period_end)
        found[key].append(
            LineAmount(
                code=fee.charge.metric.code if fee.charge else fee.subscription.plan.code,
                kind=LineKind(fee.kind),
                description=str(fee.charge.metric if fee.charge else fee.subscription.plan),
                quantity=fee.quantity,
                amount=fee.amount,
            )
        )
    return found
