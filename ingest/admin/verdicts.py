"""How verdicts look in lists, and how events are found by them: among the newest, or of one day."""

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from types import MappingProxyType
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from ingest.models import Service, UsageEvent
from ingest.resends import start_of
from ingest.screens.columns import Look
from ingest.screens.filters import ExactFilter
from ingest.screens.formatting import show_badge
from ingest.verdicts import OF_STORED, Selection, Verdict, find_events

# To judge more than these for one page would keep a person waiting.
NEWEST = 50_000
MOST_FOUND = 1_000
DAY = timedelta(days=1)

LOOKS: Mapping[Verdict, Look] = MappingProxyType(
    {
        Verdict.COUNTED: Look("good", "check_circle"),
        Verdict.FILTER_DEFAULT: Look("good", "filter_alt_off"),
        Verdict.LATE: Look("warn", "schedule"),
        Verdict.FUTURE: Look("info", "hourglass_top"),
        Verdict.UNMATCHED_CODE: Look("bad", "help"),
        Verdict.UNMATCHED_SUBSCRIPTION: Look("bad", "link_off"),
        Verdict.BEFORE_START: Look("bad", "first_page"),
        Verdict.AFTER_END: Look("bad", "last_page"),
        Verdict.MISSING_PROPERTY: Look("bad", "data_object"),
        Verdict.NOT_NUMERIC: Look("bad", "pin"),
        Verdict.DUPLICATE: Look("plain", "content_copy"),
    }
)


def show_verdict(verdict: Verdict) -> SafeString:
    """The verdict as a word with an icon."""
    return show_badge(verdict.label, *LOOKS[verdict])


def read_day(text: str) -> date | None:
    """A day as 2026-09-10; None for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


class ReceivedFilter(ExactFilter):
    """By the day (UTC) on which events were received."""

    title = "received on (2026-09-10)"
    parameter_name = "received"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The day's; none for a text that is no day."""
        if not self.value():
            return queryset
        day = read_day(str(self.value()))
        if day is None or day >= date.max:
            return queryset.none()
        start = start_of(day)
        return queryset.filter(received_at__gte=start, received_at__lt=start + DAY)


class VerdictFilter(DropdownFilter):
    """By verdict, among the day's events if one is chosen, else among the newest fifty thousand."""

    title = "verdict (of the newest, or of a day)"
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every verdict that a stored event can have."""
        return [(verdict.value, verdict.label) for verdict in OF_STORED]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        """The newest thousand of them."""
        if self.value() not in OF_STORED:
            return queryset
        verdict, now = Verdict(self.value()), timezone.now()
        services = Service.objects.all()
        if code := request.GET.get("service"):
            services = services.filter(code=code)
        chosen = _choose(list(services.values_list("pk", flat=True)), request)
        found = find_events(chosen, verdict, now=now, limit=MOST_FOUND)
        return queryset.filter(pk__in=found)


def _choose(services: list[int], request: HttpRequest) -> Selection:
    day = read_day(request.GET.get("received", ""))
    start = None if day is None or day >= date.max else start_of(day)
    return Selection(
        services,
        newest=NEWEST if start is None else None,
        received_from=start,
        received_to=None if start is None else start + DAY,
        code=request.GET.get("code") or None,
        external_subscription_id=request.GET.get("subscription") or None,
    )


def newest_day() -> date:
    """The day (UTC) on which the newest event was received; today while there is none."""
    newest = UsageEvent.objects.order_by("-pk").values_list("received_at", flat=True).first()
    return (newest or timezone.now()).astimezone(UTC).date()
