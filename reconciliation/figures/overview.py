"""The figures of a period: what matched, what did not, why, for whom and since when."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Sign
from django.utils import timezone

from ingest.models import Customer, Phase, Service, UsageEvent
from ingest.models.fields import ExactDecimalField
from reconciliation.comparison.causes import LABELS, CauseCode
from reconciliation.figures.queue import OVER_BILLED, REOPENED, UNDER_BILLED, with_stake
from reconciliation.figures.selection import Selection
from reconciliation.figures.waterfall import Step, Waterfall, draw
from reconciliation.models import Amount, OdooPartner, Outcome, Reconciliation, Side, Status

OPEN = Q(status=Status.DELTA)
AMOUNT = ExactDecimalField()
# Days that an open row has waited: the name in the address, the words, from and below how many.
AGES = (
    ("week", "under a week", 0, 7),
    ("month", "1 to 4 weeks", 7, 30),
    ("quarter", "1 to 3 months", 30, 90),
    ("older", "over 3 months", 90, None),
)


@dataclass(frozen=True, slots=True)
class CurrencyFigures:
    """One currency's amounts of the period; currencies are never added."""

    currency: str
    rows: int
    matched: int
    billed: Decimal
    billed_matched: Decimal
    over: Decimal
    over_rows: int
    under: Decimal
    under_rows: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The period in counts, and its amounts by currency."""

    customers: int
    rows: int
    matched: int
    resolved: int
    open: int
    reopened: int
    not_compared: Sequence[tuple[Outcome, int]]
    currencies: Sequence[CurrencyFigures]


@dataclass(frozen=True, slots=True)
class Cell:
    """One service's period in the heat map; `rate` is the share of rows that match or are resolved."""

    service: Service
    period: str
    rows: int
    settled: int

    @property
    def percent(self) -> int:
        """The rate in whole percent, rounded down: only all of them is 100."""
        return self.settled * 100 // self.rows if self.rows else 0

    @property
    def heat(self) -> str:
        """How good that is, as the picture colours it."""
        steps = (("full", 100), ("high", 95), ("middle", 75))
        return next((name for name, least in steps if self.percent >= least), "low")


@dataclass(frozen=True, slots=True)
class Age:
    """How many open rows have waited for that long."""

    name: str
    title: str
    rows: int
    width: int


def read_summary(selection: Selection) -> Summary:
    """The counts and amounts of the chosen period."""
    rows = Reconciliation.objects.filter(selection.rows).order_by()
    counts = rows.aggregate(
        customers=Count("customer", distinct=True),
        rows=Count("pk"),
        matched=Count("pk", filter=Q(status=Status.MATCH)),
        resolved=Count("pk", filter=Q(status=Status.RESOLVED)),
        open=Count("pk", filter=OPEN),
        reopened=Count("pk", filter=REOPENED),
    )
    outcomes = rows.exclude(outcome=Outcome.COMPARED).values_list("outcome").annotate(count=Count("pk"))
    return Summary(
        **counts,
        not_compared=[(Outcome(outcome), count) for outcome, count in outcomes.order_by("-count")],
        currencies=_read_currencies(rows),
    )


def count_mine(selection: Selection, person: User) -> int:
    """How many open rows of the chosen period are this person's."""
    return Reconciliation.objects.filter(selection.rows & OPEN, owner=person).count()


def _read_currencies(rows: QuerySet[Reconciliation]) -> list[CurrencyFigures]:
    matched = Q(status=Status.MATCH)
    found = rows.values("currency").annotate(
        rows=Count("pk"),
        matched=Count("pk", filter=matched),
        billed=_sum("external_amount"),
        billed_matched=_sum("external_amount", matched),
        over=_sum("delta", OVER_BILLED),
        over_rows=Count("pk", filter=OVER_BILLED),
        under=_sum("delta", UNDER_BILLED),
        under_rows=Count("pk", filter=UNDER_BILLED),
    )
    return [CurrencyFigures(**row) for row in found.order_by("-rows", "currency")]


def _sum(name: str, condition: Q | None = None) -> Any:
    return Coalesce(Sum(name, filter=condition), Value(Decimal(0), output_field=AMOUNT))


def read_heat_map(selection: Selection) -> list[tuple[Service, list[Cell | None]]]:
    """One line per service, one cell per period, None where nothing was judged."""
    settled = Q(status__in=[Status.MATCH, Status.RESOLVED])
    counts = (
        Reconciliation.objects.filter(period_label__in=selection.periods)
        .order_by()
        .values_list("service", "period_label")
        .annotate(rows=Count("pk"), settled=Count("pk", filter=settled))
    )
    cells: Mapping[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    for service, period, rows, of_them in counts:
        cells[service][period] = (rows, of_them)
    chosen = [selection.service] if selection.service else selection.services
    return [
        (
            service,
            [
                Cell(service, period, *cells[service.pk][period]) if period in cells[service.pk] else None
                for period in selection.periods
            ],
        )
        for service in chosen
    ]


def read_waterfalls(selection: Selection) -> list[Waterfall]:
    """From what was billed to what Odoo computes, by each row's main cause, one picture per currency.

    What raises and what lowers the amount are bars of their own: a cause never cancels itself out.
    """
    nothing = Value(Decimal(0), output_field=AMOUNT)
    rows = Reconciliation.objects.filter(selection.rows).annotate(
        billed=Coalesce("external_amount", nothing), computed=Coalesce("odoo_amount", nothing)
    )
    moved = (
        rows.annotate(direction=Sign(F("computed") - F("billed")))
        .order_by()
        .values("currency", "cause", "direction")
        .annotate(billed_sum=Sum("billed"), computed_sum=Sum("computed"))
    )
    by_currency: Mapping[str, list[Mapping[str, Any]]] = defaultdict(list)
    for group in moved:
        by_currency[group["currency"]].append(group)
    return [_draw(currency, by_currency[currency]) for currency in sorted(by_currency)]


def _draw(currency: str, groups: Sequence[Mapping[str, Any]]) -> Waterfall:
    billed = sum((group["billed_sum"] for group in groups), Decimal(0))
    computed = sum((group["computed_sum"] for group in groups), Decimal(0))
    steps = [
        Step(label_cause(group["cause"]), group["computed_sum"] - group["billed_sum"], group["cause"])
        for group in groups
        if group["computed_sum"] != group["billed_sum"]
    ]
    steps.sort(key=lambda step: -abs(step.amount))
    return draw(
        currency=currency,
        first=Step("Billed by the services", billed),
        steps=steps,
        last_label="Computed by Odoo",
        last=computed,
    )


def label_cause(code: str) -> str:
    """The words for a stored cause."""
    return LABELS[CauseCode(code)] if code in LABELS else "No cause suggested"


def read_largest(selection: Selection) -> list[Reconciliation]:
    """The ten open rows with the most at stake in the chosen period."""
    rows = with_stake(Reconciliation.objects.filter(selection.rows & OPEN))
    return list(rows.select_related("customer", "service").order_by("-at_stake", "pk")[:10])


def read_ages(selection: Selection) -> list[Age]:
    """For how long open rows have waited, over all periods."""
    rows = Reconciliation.objects.filter(selection.of_service & OPEN)
    counts = rows.annotate(since=SINCE).aggregate(
        **{name: Count("pk", filter=waited(low, high)) for name, _, low, high in AGES}
    )
    most = max(counts.values()) or 1
    return [Age(name, title, counts[name], counts[name] * 100 // most) for name, title, _, _ in AGES]


SINCE = Coalesce("reopened_at", "created_at")


def waited(at_least: int, below: int | None) -> Q:
    """Rows annotated with `since` that have waited for so many days."""
    now = timezone.now()
    condition = Q(since__lte=now - timedelta(days=at_least))
    return condition if below is None else condition & Q(since__gt=now - timedelta(days=below))


def read_first_steps() -> tuple[bool, ...]:
    """Which steps to a first judged period are done: mirror, events, links, amounts, dual run."""
    return (
        OdooPartner.objects.exists(),
        UsageEvent.objects.exists(),
        Customer.objects.filter(odoo_partner_id__isnull=False).exists(),
        Amount.objects.filter(side=Side.EXTERNAL).exists(),
        Service.objects.exclude(phase=Phase.SHADOW).exists(),
    )


def has_rows() -> bool:
    """Whether anything was ever judged."""
    return Reconciliation.objects.exists()
