"""The queue's filters; every choice is a word in the address, so that a view can be linked and kept."""

import re
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RangeNumericFilter

from ingest.models import Plan
from ingest.screens.actions import person_of
from ingest.screens.filters import ConditionFilter, ServiceFilter, condition_filter
from reconciliation.comparison.causes import LABELS
from reconciliation.figures.overview import AGES, SINCE, waited
from reconciliation.figures.queue import (
    DEFAULT_VIEW,
    OVER_BILLED,
    UNDER_BILLED,
    ZERO_AGAINST_ZERO,
    views_of,
)
from reconciliation.figures.selection import read_periods
from reconciliation.models import Outcome, Status

PLAIN_NUMBER = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?")


class ViewFilter(SimpleListFilter):
    """Which of the saved views is open; drawn as tabs, so here it is only kept."""

    title = "view"
    parameter_name = "view"
    template = "admin/reconciliation/reconciliation/view_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The views."""
        return [(view.name, view.title) for view in views_of(person_of(request))]

    def value(self) -> str:
        """The view of the address, else the work to do."""
        name = super().value()
        return name if name in dict(self.lookup_choices) else DEFAULT_VIEW

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The rows of the view."""
        return queryset.filter(
            next(view.rows for view in views_of(person_of(request)) if view.name == self.value())
        )


class ZeroFilter(DropdownFilter):
    """Zero against zero is hidden until somebody asks for it."""

    title = "zero against zero"
    parameter_name = "zero"
    all_option = ("", "Hidden")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What may be asked for."""
        return [("shown", "Shown"), ("only", "Only these")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """All rows, these rows, or all but these."""
        conditions = {"shown": Q(), "only": ZERO_AGAINST_ZERO}
        return queryset.filter(conditions.get(self.value() or "", ~ZERO_AGAINST_ZERO))


class PeriodFilter(DropdownFilter):
    """By the period's label: the newest to choose from, any in the address."""

    title = "period"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The newest periods, and the one that is open."""
        labels = dict.fromkeys(reversed(read_periods()))
        return [(label, label) for label in (*labels, request.GET.get("period", "")) if label]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Rows of the period."""
        return queryset.filter(period_label=self.value()) if self.value() else queryset


class CurrencyFilter(DropdownFilter):
    """By currency."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The currencies of plans; rows in another one are found by their outcome."""
        currencies = Plan.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(currency, currency) for currency in currencies]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Rows in the currency."""
        return queryset.filter(currency=self.value()) if self.value() else queryset


class AgeFilter(ConditionFilter):
    """By how long a row has waited."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The spans of the overview."""
        return [(name, title) for name, title, _, _ in AGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Rows that have waited for that long."""
        spans = {name: waited(low, high) for name, _, low, high in AGES}
        return queryset.annotate(since=SINCE).filter(spans.get(self.value() or "", Q()))


class DeltaFilter(RangeNumericFilter):
    """By the delta, from and to; what is no plain number sets no bound."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        """Rows between the bounds."""
        for name, value in list(self.used_parameters.items()):
            if not PLAIN_NUMBER.fullmatch(value):
                del self.used_parameters[name]
        return super().queryset(request, queryset)


OutcomeFilter = condition_filter(
    "outcome",
    "outcome",
    {
        **{outcome.value: (outcome.label, Q(outcome=outcome)) for outcome in Outcome},
        "not_compared": ("Not comparable", ~Q(outcome=Outcome.COMPARED)),
    },
)
StatusFilter = condition_filter(
    "status", "status", {status.value: (status.label, Q(status=status)) for status in Status}
)
CauseFilter = condition_filter(
    "cause", "cause", {code.value: (label, Q(cause=code)) for code, label in LABELS.items()}
)
DirectionFilter = condition_filter(
    "direction",
    "direction",
    {"over": ("Over-billed by Odoo", OVER_BILLED), "under": ("Under-billed by Odoo", UNDER_BILLED)},
)

QUEUE_FILTERS = (
    ViewFilter,
    ServiceFilter,
    PeriodFilter,
    CurrencyFilter,
    OutcomeFilter,
    StatusFilter,
    CauseFilter,
    DirectionFilter,
    ("delta", DeltaFilter),
    AgeFilter,
    ZeroFilter,
)
