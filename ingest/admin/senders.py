"""Pages that count: what became of a day's events by who sent them, and which may be one event sent twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget

from ingest.admin.verdicts import DAY, LOOKS, newest_day
from ingest.models import ApiKey, Service, UsageEvent
from ingest.near_duplicates import Run, find_runs
from ingest.resends import read_resends, start_of
from ingest.screens.columns import Look
from ingest.verdicts import ADVICE, Selection, Verdict, count_by_key

MOST_RUNS = 200


class DayForm(forms.Form):
    """Which day, and whose events."""

    day = forms.DateField(required=False, widget=UnfoldAdminDateWidget(attrs={"type": "date"}))
    service = forms.ModelChoiceField(
        Service.objects.all(),
        to_field_name="code",
        required=False,
        empty_label="every service",
        widget=UnfoldAdminSelectWidget,
    )

    @property
    def chosen_day(self) -> date:
        """The day asked for, else that of the newest event."""
        day = self.cleaned_data.get("day") if self.is_valid() else None
        return day if day is not None and date.min < day < date.max else newest_day()

    @property
    def services(self) -> list[Service]:
        """The service asked for, else all."""
        service = self.cleaned_data.get("service") if self.is_valid() else None
        return [service] if service else list(Service.objects.all())


@dataclass(frozen=True, slots=True)
class Count:
    """How many events have a verdict, how it looks and where they are listed."""

    verdict: Verdict
    look: Look
    advice: str
    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Sender:
    """A key of a service and what became of what it sent."""

    service: Service
    key: ApiKey | None
    counts: list[Count]


def show_senders(request: HttpRequest, *, screen: Any) -> TemplateResponse:
    """A day's events by service and key, counted by verdict."""
    form = _read_form(request)
    day = form.chosen_day
    senders = [sender for service in form.services for sender in _list_senders(service, day)]
    return _show(request, screen, form, "admin/verdicts.html", title="Verdicts", day=day, senders=senders)


def show_runs(request: HttpRequest, *, screen: Any) -> TemplateResponse:
    """A day's events that say the same at the same time under several ids."""
    form = _read_form(request)
    day = form.chosen_day
    start = start_of(day)
    runs = [
        (service, run)
        for service in form.services
        for run in find_runs(service_id=service.pk, start=start, end=start + DAY, limit=MOST_RUNS)
    ]
    named = UsageEvent.objects.in_bulk([key for _, run in runs for key in run.events])
    rows = [_show_run(service, run, named) for service, run in runs]
    title = "Possible duplicates"
    return _show(request, screen, form, "admin/possible_duplicates.html", title=title, day=day, rows=rows)


def _read_form(request: HttpRequest) -> DayForm:
    """The form with the day that the page shows, whether it was asked for or not."""
    asked = DayForm(request.GET)
    return DayForm({**request.GET.dict(), "day": asked.chosen_day})


def _list_senders(service: Service, day: date) -> Iterator[Sender]:
    start = start_of(day)
    chosen = Selection([service.pk], received_from=start, received_to=start + DAY)
    found = dict(count_by_key(chosen, now=timezone.now()))
    resends = read_resends(service_id=service.pk, start=start, end=start + DAY)
    found |= {key: {**found.get(key, {}), Verdict.DUPLICATE: count} for key, count in resends.items()}
    keys = ApiKey.objects.in_bulk([key for key in found if key is not None])
    for key, counts in sorted(found.items(), key=lambda item: item[0] or 0):
        yield Sender(
            service, keys[key] if key is not None else None, list(_list_counts(service, day, counts))
        )


def _list_counts(service: Service, day: date, counts: Mapping[Verdict, int]) -> Iterator[Count]:
    for verdict in Verdict:
        if counts.get(verdict):
            address = "" if verdict == Verdict.DUPLICATE else _list_address(service, day, verdict)
            yield Count(verdict, LOOKS[verdict], ADVICE[verdict], counts[verdict], address)


def _list_address(service: Service, day: date, verdict: Verdict) -> str:
    query = urlencode({"service": service.code, "received": day.isoformat(), "verdict": verdict.value})
    return f"{reverse('admin:ingest_usageevent_changelist')}?{query}"


def _show_run(service: Service, run: Run, named: Mapping[int, UsageEvent]) -> dict[str, Any]:
    links = [
        (reverse("admin:ingest_usageevent_change", args=[key]), named[key].transaction_id)
        for key in run.events
    ]
    return {"service": service, "run": run, "links": links, "more": run.events_count - len(links)}


def _show(
    request: HttpRequest, screen: Any, form: DayForm, template: str, **context: Any
) -> TemplateResponse:
    page = {
        **screen.admin_site.each_context(request),
        "content_title": context["title"],
        "form": form,
        "media": screen.media + form.media,
        **context,
    }
    return TemplateResponse(request, template, page)
