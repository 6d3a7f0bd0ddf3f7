"""The page of one reconciliation: both sides, why they differ, how our side was computed, and its history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Prefetch, Q, QuerySet

from ingest.buckets import describe_fee
from ingest.computed import Computed, explain_fee
from ingest.metering.periods import Interval, PeriodLabelError, parse_label
from ingest.models import AuditRecord, Fee
from ingest.rating.money import round_to_currency
from ingest.screens.formatting import format_share, say_amount
from reconciliation.comparison.causes import Cause
from reconciliation.comparison.lines import LinePair
from reconciliation.figures.freshness import Freshness, read_sources
from reconciliation.figures.queue import share_of
from reconciliation.figures.requesters import name_pusher, name_requester, with_rule
from reconciliation.figures.waterfall import Step, Waterfall, draw
from reconciliation.lago.fee_comparison import Comparison, compare_fees
from reconciliation.lines import read_fees, read_lines
from reconciliation.models import (
    Amount,
    Outcome,
    Push,
    Reconciliation,
    Run,
    RunKind,
    Side,
    StripeRecord,
)
from reconciliation.payments import read_payments

MOST_PERIODS = 12
MOST_RECORDS = 50
# The kinds of run that can move a row's figures.
MOVING = [RunKind.RATE, RunKind.PUSH, RunKind.FETCH, RunKind.RECONCILE, RunKind.RERUN, RunKind.REFRESH]


@dataclass(frozen=True, slots=True)
class SideFigures:
    """One side's amounts as it states them."""

    name: str
    untaxed: Decimal | None
    tax: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class ExpectedTax:
    """One tax on what we expect: its name and percentage, what it is taken on and what it comes to."""

    name: str
    percent: str
    base: Decimal
    amount: Decimal


class Line(NamedTuple):
    """A pair of lines, and whether they are apart by more than a rounding."""

    pair: LinePair
    is_difference: bool


@dataclass(frozen=True, slots=True)
class RatedFee:
    """A fee with the price that was used, as facts, and what each tier gave."""

    fee: Fee
    title: str
    computed: Computed


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page of one reconciliation shows; each push, and the run, with who asked for it."""

    row: Reconciliation
    sentence: str
    sides: Sequence[SideFigures]
    taxes: Sequence[ExpectedTax]
    lines: Sequence[Line]
    causes: Sequence[Cause]
    waterfall: Waterfall | None
    lago: Comparison | None
    fees: Sequence[RatedFee]
    others: Sequence[Reconciliation]
    amounts: Sequence[Amount]
    sources: Sequence[Freshness]
    payments: Sequence[StripeRecord]
    pushes: Sequence[tuple[Push, str]]
    records: Sequence[AuditRecord]
    run: Run | None
    asked_by: str

    @property
    def has_agreeing_lines(self) -> bool:
        """Whether there are lines that a person who looks for differences may hide."""
        return len({line.is_difference for line in self.lines}) == 2


def read_page(row: Reconciliation) -> Page:
    """The page as things stand now; `row` comes with its customer, service and people."""
    lines = read_lines(row)
    run = _read_run(row)
    fees = [fee for fee in read_fees([row]) if _is_of(fee, row)]
    amounts = list(_same_bill(Amount.objects.all(), row).select_related("document").order_by("side", "-pk"))
    return Page(
        row=row,
        sentence=write_sentence(row),
        sides=_read_sides(row),
        taxes=[_read_tax(tax) for tax in row.expected_taxes],
        lines=mark_differences(lines.pairs, row.currency),
        causes=lines.causes,
        waterfall=_draw(row, lines.causes),
        lago=compare_fees(row, fees),
        fees=[_explain(fee) for fee in fees],
        others=_read_others(row),
        amounts=amounts,
        sources=read_sources(row.service),
        payments=read_payments([amount.document for amount in amounts]),
        pushes=_read_pushes(row),
        records=_read_records(row),
        run=run,
        asked_by=name_requester(run) if run else "",
    )


def mark_differences(pairs: Sequence[LinePair], currency: str) -> list[Line]:
    """The pairs with whether they differ: what rounds to nothing in the currency does not."""
    return [Line(pair, round_to_currency(pair.delta, currency) != 0) for pair in pairs]


def write_sentence(row: Reconciliation) -> str:
    """The row in one sentence, as finance would say it: amounts in whole minor units of the currency."""
    return f"{row.customer}, {name_period(row.period_label)}: {_SENTENCES[Outcome(row.outcome)](row)}"


def name_period(label: str) -> str:
    """A month by its name, any other period by its label."""
    try:
        parsed = parse_label(label)
    except PeriodLabelError:
        return label
    return f"{parsed.start:%B %Y}" if parsed.interval is Interval.MONTHLY else label


def _say_compared(row: Reconciliation) -> str:
    delta = say_amount(row.delta, row.currency, is_signed=True)
    share = share_of(row)
    percent = "" if share is None else f" ({format_share(share)})"
    limit = say_amount(row.tolerance, row.currency)
    return f"{_say_both(row)}; {delta}{percent}, {_say_place(row)} the tolerance of {limit}"


def _say_place(row: Reconciliation) -> str:
    """Where the delta lies; "just" above when both round to the same."""
    delta = abs(row.delta or Decimal(0))
    if delta <= row.tolerance:
        return "within"
    rounded = (round_to_currency(amount, row.currency) for amount in (delta, row.tolerance))
    return "just above" if len(set(rounded)) == 1 else "above"


def _say_both(row: Reconciliation) -> str:
    external = say_amount(row.external_amount, row.currency)
    odoo = say_amount(row.odoo_amount, row.currency)
    return f"{row.service} billed {external} {row.currency}, Odoo computes {odoo}"


def _say_missing_odoo(row: Reconciliation) -> str:
    external = say_amount(row.external_amount, row.currency)
    return f"{row.service} billed {external} {row.currency}, Odoo has nothing for it yet"


def _say_missing_external(row: Reconciliation) -> str:
    odoo = say_amount(row.odoo_amount, row.currency)
    billed = _same_bill(
        Amount.objects.filter(side=Side.EXTERNAL, is_current=True, currency=row.currency), row
    )
    said = "billed nothing that the console knows of"
    if billed.filter(untaxed=None).exists() and billed.filter(total=None).exists():
        # Kept before imports refused such documents beside each other.
        said = (
            "billed documents that state a total alone and others an untaxed amount alone: they have no sum"
        )
    return f"Odoo computes {odoo} {row.currency}, {row.service} {said}"


_SENTENCES: Mapping[Outcome, Callable[[Reconciliation], str]] = {
    Outcome.COMPARED: _say_compared,
    Outcome.MISSING_ODOO: _say_missing_odoo,
    Outcome.MISSING_EXTERNAL: _say_missing_external,
    Outcome.STALE: lambda row: f"{_say_both(row)}; usage was rated again since, so this is not compared yet",
    Outcome.UNLINKED: lambda row: f"{row.service} knows this customer, Odoo does not: link them to a partner",
    Outcome.OTHER_CURRENCY: lambda row: f"the two sides bill in different currencies, {row.currency} is one",
}


def _read_sides(row: Reconciliation) -> list[SideFigures]:
    return [
        SideFigures(row.service.name, row.external_untaxed, row.external_tax, row.external_total),
        SideFigures("Odoo", row.odoo_untaxed, row.odoo_tax, row.odoo_total),
        SideFigures("Our own rating", row.expected_untaxed, row.expected_tax, row.expected_total),
    ]


def _read_tax(tax: Mapping[str, str]) -> ExpectedTax:
    return ExpectedTax(tax["name"], tax["percent"], Decimal(tax["base"]), Decimal(tax["amount"]))


def _draw(row: Reconciliation, causes: Sequence[Cause]) -> Waterfall | None:
    if row.odoo_amount is None and row.external_amount is None:
        return None
    return draw(
        currency=row.currency,
        first=Step(f"Billed by {row.service}", row.external_amount or Decimal(0)),
        steps=[Step(cause.label, cause.amount, cause.code) for cause in causes],
        last_label="Computed by Odoo",
        last=row.odoo_amount or Decimal(0),
    )


def _is_of(fee: Fee, row: Reconciliation) -> bool:
    return fee.currency == row.currency and fee.period_end == row.period_end


def _explain(fee: Fee) -> RatedFee:
    return RatedFee(fee, describe_fee(fee), explain_fee(fee))


def _read_others(row: Reconciliation) -> list[Reconciliation]:
    others = Reconciliation.objects.filter(customer=row.customer_id).exclude(pk=row.pk)
    return list(others.order_by("-period_start", "currency")[:MOST_PERIODS])


def _same_bill(rows: QuerySet, row: Reconciliation) -> QuerySet:
    """What is about the same customer and period; the currency may be the very difference."""
    return rows.filter(
        service=row.service_id,
        customer=row.customer_id,
        period_start=row.period_start,
        period_end=row.period_end,
    )


def _read_records(row: Reconciliation) -> list[AuditRecord]:
    records = AuditRecord.objects.filter(object_type=row._meta.label_lower, object_id=str(row.public_id))
    return list(records.select_related("actor")[:MOST_RECORDS])


def _read_pushes(row: Reconciliation) -> list[tuple[Push, str]]:
    """The pushes of the bill, the newest first, each with who asked for it."""
    runs = Prefetch("run", with_rule(Run.objects.select_related("requested_by")))
    pushes = _same_bill(Push.objects.all(), row).select_related("requested_by").prefetch_related(runs)
    return [(push, name_pusher(push)) for push in pushes.order_by("-version")]


def _read_run(row: Reconciliation) -> Run | None:
    """The newest run that could have moved this row's figures."""
    of_customer = Q(parameters__customers__contains=[row.customer_id])
    runs = Run.objects.filter(
        service=row.service_id, kind__in=MOVING, period_label__in=["", row.period_label]
    )
    newest = runs.filter(of_customer | ~Q(parameters__has_key="customers"))
    return with_rule(newest.select_related("requested_by")).order_by("-pk").first()
