"""Loading the demo: the story's steps in order, each of them safe to begin again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from billing_console.demo import aftermath, journal
from billing_console.demo.bills import list_bills
from billing_console.demo.catalogue import create_service
from billing_console.demo.intake import post_events
from billing_console.demo.odoo_client import DemoRefusedError, StandInClient, require_stand_in
from billing_console.demo.odoo_seed import OdooIds, seed_odoo
from billing_console.demo.people import create_people
from billing_console.demo.periods import list_periods
from billing_console.demo.statements import write_statement
from billing_console.demo.terms import Bill, ServiceStory
from billing_console.demo.usage import list_events
from billing_console.demo.webhook_receiver import SECRET
from billing_console.demo.window import Window, newest_closed_month
from ingest.models import Service
from reconciliation import webhooks
from reconciliation.imports import import_amounts
from reconciliation.models import Run, RunKind
from reconciliation.runs import Progress


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the load, and what a person reads while it runs."""

    title: str
    do: Callable[[], None]


@dataclass(slots=True)
class Load:
    """A load under way: the story, and what its first steps found or made for the later ones."""

    stories: Sequence[ServiceStory]
    window: Window
    ids: OdooIds = field(default_factory=lambda: OdooIds({}, {}, {}))
    people: dict[str, User] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)


def begin(stories: Sequence[ServiceStory]) -> Load:
    """A new load, or the one that was interrupted, on the months that it began with.

    Refuses (DemoRefusedError) a database that holds services of somebody's own, and an Odoo that is not the
    stand-in; nothing is written then.
    """
    require_stand_in(settings.ODOO_URL)
    newest = journal.find_newest_month()
    if newest is None and Service.objects.exists():
        raise DemoRefusedError(
            "The database holds services already, and the demo is for an empty one. Set DEMO=0."
        )
    journal.release_interrupted(timezone.now())
    return Load(stories, Window(newest or newest_closed_month(timezone.now())))


def list_steps(load: Load) -> Iterator[Step]:
    """Every step of the load in its order."""
    yield Step("People", partial(_create_people, load))
    yield Step("Partners, products and orders in the Odoo stand-in", partial(_seed_odoo, load))
    for story in load.stories:
        yield Step(f"{story.name}: catalogue and customers", partial(_create_service, load, story))
        yield Step(f"{story.name}: usage events", partial(_post_events, load, story))
        yield Step(f"{story.name}: what was billed", partial(_import_bills, load, story))
    yield Step("Mirror of Odoo", _mirror_odoo)
    for story in load.stories:
        for label in list_labels(story, load.window):
            title = f"{story.name} {label}: rated, pushed, read back, reconciled"
            yield Step(title, partial(_refresh, load, story, label))
    yield Step("What came after", partial(_tell_aftermath, load))
    yield Step("Demo loaded", partial(_finish, load))


def list_labels(story: ServiceStory, window: Window) -> list[str]:
    """The labels of all periods that the story has bills of, oldest first."""
    every = (period for account in story.accounts for period in list_periods(story, account, window))
    starts = {period.label: period.start for period in every}
    return [*(story.real.labels if story.real else ()), *sorted(starts, key=lambda label: starts[label])]


def _create_people(load: Load) -> None:
    load.people = create_people()


def _seed_odoo(load: Load) -> None:
    load.ids = seed_odoo(StandInClient(), load.stories, load.window)


@transaction.atomic
def _create_service(load: Load, story: ServiceStory) -> None:
    service = Service.objects.filter(code=story.code).first()
    if service is None:
        service = create_service(story, load.window, load.ids, load.people["operator"])
        if story is load.stories[0]:
            journal.note_begun(service, load.window.newest)
    load.services[story.code] = service


def _post_events(load: Load, story: ServiceStory) -> None:
    service = load.services[story.code]
    if story.real:
        post_events(service, story.real.list_events())
    post_events(service, list_events(story, load.window))
    aftermath.post_unbilled_event(service, story, load.window)


def _import_bills(load: Load, story: ServiceStory) -> None:
    if story.real:
        _import(load, story, story.real.path)
    for ago in reversed(range(story.months)):
        label = aftermath.label_month(load.window, ago)
        _import_bills_of(load, story, label, list_bills(story, load.window, ago))


def _import_bills_of(load: Load, story: ServiceStory, name: str, bills: Iterator[Bill]) -> None:
    path = Path(settings.DATA_DIR) / "demo" / f"{story.code}-{name}.csv"
    write_statement(path, bills, story.make_rows)
    _import(load, story, path)


def _import(load: Load, story: ServiceStory, path: Path) -> None:
    service = load.services[story.code]

    def work(run: Run, progress: Progress) -> dict[str, Any]:
        return import_amounts(service=service, path=path, run=run).counts

    journal.run_once(step=f"import {path.name}", kind=RunKind.IMPORT, service=service, work=work)


def _mirror_odoo() -> None:
    journal.run_once(step="sync", kind=RunKind.SYNC, service=None)


def _refresh(load: Load, story: ServiceStory, label: str) -> None:
    service = load.services[story.code]
    journal.settle_pushes(service)
    step = f"refresh {story.code} {label}"
    journal.run_once(step=step, kind=RunKind.REFRESH, service=service, period_label=label)


def _tell_aftermath(load: Load) -> None:
    finance = load.people["finance"]
    aftermath.resolve_rows(finance, load.window)
    aftermath.assign_row(finance, load.window)
    for story in load.stories:
        if story.code == aftermath.SERVICE:
            _correct_bill(load, story)
            _send_late_event(load, story)


def _correct_bill(load: Load, story: ServiceStory) -> None:
    label = aftermath.label_month(load.window, aftermath.CORRECTED_MONTHS_AGO)
    _import_bills_of(load, story, f"{label}-corrected", aftermath.correct_bill(story, load.window))
    _reconcile(load, story, label, "corrected")


def _send_late_event(load: Load, story: ServiceStory) -> None:
    aftermath.post_late_event(load.services[story.code], story, load.window)
    _reconcile(load, story, aftermath.label_month(load.window, aftermath.LATE_MONTHS_AGO), "late event")


def _reconcile(load: Load, story: ServiceStory, label: str, why: str) -> None:
    step = f"reconcile {story.code} {label}, {why}"
    service = load.services[story.code]
    journal.run_once(step=step, kind=RunKind.RECONCILE, service=service, period_label=label)


def _finish(load: Load) -> None:
    for story in load.stories:
        if story.webhook_url:
            _register_webhook(load, story)
    journal.note_loaded(load.services[load.stories[0].code])


def _register_webhook(load: Load, story: ServiceStory) -> None:
    service = load.services[story.code]
    if not service.webhook_endpoints.filter(url=story.webhook_url).exists():
        webhooks.create_endpoint(
            service=service, url=story.webhook_url, secret=SECRET, actor=load.people["operator"]
        )
