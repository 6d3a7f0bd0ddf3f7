"""The lines behind reconciliations: what both sides and our own rating say for each code, and why."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from ingest.metering.arithmetic import ZERO, exact_difference
from ingest.models import Fee
from ingest.rating.money import round_to_currency
from ingest.rating.taxes import TaxRate, tax_of
from reconciliation.comparison.causes import Cause, explain, main_cause
from reconciliation.comparison.judgement import Basis, Judgement, Outcome, Side, Status
from reconciliation.comparison.lines import LineAmount, LineKind, LinePair, pair_lines
from reconciliation.models import Amount, AmountLine, Reconciliation
from reconciliation.models import Side as SideChoice

# A bill: the customer, the currency and both ends of the period.
_Key = tuple[int, str, datetime, datetime]


@dataclass(frozen=True, slots=True)
class ComparedLines:
    """A row's lines in pairs, the largest difference first, and the causes that add up to its delta."""

    pairs: Sequence[LinePair]
    causes: Sequence[Cause]

    @property
    def main_cause(self) -> Cause | None:
        """The cause with the largest amount."""
        return main_cause(self.causes)


@dataclass(slots=True)
class _Lines:
    odoo: list[AmountLine] = field(default_factory=list)
    external: list[AmountLine] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)


def read_lines(row: Reconciliation) -> ComparedLines:
    """The lines of one reconciliation and the causes of its delta, as the current documents have them."""
    return read_many([row])[row.pk]


def read_many(rows: Sequence[Reconciliation]) -> dict[int, ComparedLines]:
    """The lines and causes of many reconciliations by their ids, in a handful of queries."""
    lines: dict[_Key, _Lines] = defaultdict(_Lines)
    _add_amounts(rows, lines)
    # Many subscriptions share a few plans and charges: each is read once.
    shared = _fees_of(rows).select_related("subscription").defer("details")
    for fee in shared.prefetch_related("subscription__plan", "charge__metric"):
        lines[_key(fee.subscription.customer_id, fee)].fees.append(fee)
    return {row.pk: _compare(row, lines[_key(row.customer_id, row)]) for row in rows}


def read_fees(rows: Sequence[Reconciliation]) -> Iterator[Fee]:
    """The fees of the rows' customers and periods that hold anything, billed with their period or not."""
    yield from _fees_of(rows).select_related(
        "subscription__plan", "charge__metric", "charge_version", "of_fee"
    )


def _fees_of(rows: Sequence[Reconciliation]) -> QuerySet[Fee]:
    fees = Fee.objects.filter(
        subscription__customer__in={row.customer_id for row in rows},
        period_start__in={row.period_start for row in rows},
    )
    return fees.exclude(amount=0, billed_amount=0, quantity=0, events_count=0).order_by("kind", "pk")


def _key(customer_id: int, row: Reconciliation | Amount | Fee) -> _Key:
    return customer_id, row.currency, row.period_start, row.period_end


def _add_amounts(rows: Sequence[Reconciliation], lines: dict[_Key, _Lines]) -> None:
    amounts = Amount.objects.filter(
        is_current=True,
        service__in={row.service_id for row in rows},
        customer__in={row.customer_id for row in rows},
        period_start__in={row.period_start for row in rows},
    )
    in_order = Prefetch("lines", AmountLine.objects.order_by("position"))
    for amount in amounts.order_by("pk").prefetch_related(in_order):
        side = lines[_key(amount.customer_id, amount)]
        (side.odoo if amount.side == SideChoice.ODOO else side.external).extend(amount.lines.all())


def _compare(row: Reconciliation, lines: _Lines) -> ComparedLines:
    # A side that states totals alone leaves nothing else to compare by, on both sides.
    is_taxed = row.external_untaxed is None and row.external_total is not None
    pairs = pair_lines(
        odoo=[_amount_of(line, is_taxed=is_taxed) for line in lines.odoo],
        external=[_amount_of(line, is_taxed=is_taxed) for line in lines.external],
        expected=[*map(_fee_of, lines.fees), *(_expect_taxes(row, lines) if is_taxed else ())],
    )
    odoo_tax = None if is_taxed else row.odoo_tax
    causes = explain(
        pairs=pairs,
        judgement=_judgement_of(row),
        odoo=_side(None if is_taxed else row.odoo_untaxed, odoo_tax, row.odoo_total, row.currency),
        external=_side(row.external_untaxed, row.external_tax, row.external_total, row.currency),
    )
    return ComparedLines(pairs, causes)


def _amount_of(line: AmountLine, *, is_taxed: bool) -> LineAmount:
    first, second = (line.total, line.untaxed) if is_taxed else (line.untaxed, line.total)
    return LineAmount(
        code=line.code,
        kind=LineKind(line.kind),
        description=line.description,
        quantity=line.quantity,
        amount=first if first is not None else second or Decimal(0),
        is_priced_by_odoo=line.is_priced_by_odoo,
    )


def _fee_of(fee: Fee) -> LineAmount:
    product = fee.charge.metric if fee.charge else fee.subscription.plan
    return LineAmount(
        code=product.code,
        kind=LineKind.USAGE if fee.charge else LineKind.PLAN,
        description=product.name,
        quantity=fee.quantity,
        amount=fee.billed_amount,
        late=exact_difference(fee.late_amount, fee.deferred_amount),
        deferred=fee.deferred_amount,
    )


def _expect_taxes(row: Reconciliation, lines: _Lines) -> Iterator[LineAmount]:
    """The tax on what is expected, by the rates that the row was reconciled with; each rounded on its line.

    Where no tax can be expected, totals are compared as Odoo taxed them.
    """
    return _taxes_as_in_odoo(lines.odoo) if row.expected_tax is None else _taxes_of(row, lines.fees)


def _taxes_of(row: Reconciliation, fees: Iterable[Fee]) -> Iterator[LineAmount]:
    for fee in fees:
        line = _fee_of(fee)
        product_id = fee.charge.odoo_product_id if fee.charge else fee.subscription.plan.odoo_product_id
        for tax in row.expected_taxes:
            if product_id in tax["products"]:
                rate = TaxRate(str(tax["tax_id"]), Decimal(tax["percent"]))
                amount, late, deferred = (
                    round_to_currency(tax_of(base, rate), row.currency)
                    for base in (line.amount, line.late, line.deferred)
                )
                yield replace(line, quantity=ZERO, amount=amount, late=late, deferred=deferred)


def _taxes_as_in_odoo(lines: Iterable[AmountLine]) -> Iterator[LineAmount]:
    for line in lines:
        if line.tax:
            yield LineAmount(line.code, LineKind(line.kind), line.description, Decimal(0), line.tax)


def _judgement_of(row: Reconciliation) -> Judgement:
    return Judgement(
        basis=Basis(row.basis),
        odoo_amount=row.odoo_amount,
        external_amount=row.external_amount,
        delta=row.delta,
        outcome=Outcome(row.outcome),
        status=Status(row.status),
    )


def _side(untaxed: Decimal | None, tax: Decimal | None, total: Decimal | None, currency: str) -> Side | None:
    return None if untaxed is None and total is None else Side(untaxed, tax, total, currency)
