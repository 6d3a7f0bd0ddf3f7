"""Filters that lists share; each keeps a readable value in the address."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from ingest.models import Service


class ServiceFilter(DropdownFilter):
    """By the service's code; `path` leads from the row to its service."""

    title = "service"
    parameter_name = "service"
    path = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every service."""
        return list(Service.objects.values_list("code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Rows of the chosen service."""
        return queryset.filter(**{f"{self.path}__code": self.value()}) if self.value() else queryset


def service_filter(path: str) -> type[ServiceFilter]:
    """The service filter for a model that reaches its service by another path."""
    return type("ServiceFilter", (ServiceFilter,), {"path": path})


class ExactFilter(TextFilter):
    """By a value that is typed whole; a list of all values would read the whole table."""

    path = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Rows that hold the value."""
        value = (self.value() or "").strip()
        try:
            return queryset.filter(**{self.path: value}) if value else queryset
        except ValueError:
            # Not a value that the column could hold.
            return queryset.none()


class PeriodFilter(ExactFilter):
    """By the period's label, such as 2026-09."""

    title = "period"
    parameter_name = "period"
    path = "period_label"


def exact_filter(title: str, parameter: str, path: str) -> type[ExactFilter]:
    """A filter by one field's whole value."""
    return type("ExactFilter", (ExactFilter,), {"title": title, "parameter_name": parameter, "path": path})


class ConditionFilter(DropdownFilter):
    """By one of a few named conditions; `conditions` is the table of them."""

    conditions: dict[str, tuple[str, Q]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The names in the table."""
        return [(value, name) for value, (name, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Rows that meet the chosen condition; an unknown one filters nothing."""
        _, condition = self.conditions.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


def condition_filter(
    title: str, parameter: str, conditions: dict[str, tuple[str, Q]]
) -> type[ConditionFilter]:
    """A filter by named conditions, each a value of the address with its label and its query."""
    return type(
        "ConditionFilter",
        (ConditionFilter,),
        {"title": title, "parameter_name": parameter, "conditions": conditions},
    )
