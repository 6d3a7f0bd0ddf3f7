"""`manage.py import_lago`: brings over what a service keeps in Lago."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ingest.errors import DomainError
from ingest.models import Service
from reconciliation import runs
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.api import LagoApi
from reconciliation.connectors.lago.files import LagoFolder
from reconciliation.connectors.lago.records import Collection, LagoSource
from reconciliation.lago.importing import import_from_lago
from reconciliation.lago.report import Done, Outcome, Report
from reconciliation.management.run_command import draw, find_service
from reconciliation.models import RunKind, RunStatus

KEY = "LAGO_API_KEY"
URL = "https://api.getlago.com"
LARGEST_KEY_FILE = 4096
# What is listed of a run that is no dry one: the rest is as expected, and counted.
TOLD = (Done.REFUSED, Done.GONE)


class Command(BaseCommand):
    help = "Brings metrics, plans, customers, subscriptions and webhook endpoints over from Lago; safe to run again."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        """Without abbreviations: `--key` would be taken for `--key-file`, and the key for a name to tell of."""
        return super().create_parser(*args, allow_abbrev=False, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", metavar="CODE", required=True, help="the service that moves")
        parser.add_argument("--url", default=URL, help=f"where Lago's API is; {URL} unless told")
        parser.add_argument(
            "--key-file",
            type=Path,
            metavar="FILE",
            help=f"a file with Lago's API key; else the variable {KEY}",
        )
        parser.add_argument(
            "--from",
            dest="folder",
            type=Path,
            metavar="FOLDER",
            help="a folder of the API's answers, instead of Lago",
        )
        parser.add_argument(
            "--since",
            type=_read_day,
            metavar="DAY",
            help="meter periods that end after this day, such as 2026-09-01; those that end from now on unless told",
        )
        parser.add_argument("--with-ended", action="store_true", help="also subscriptions that have ended")
        parser.add_argument("--dry-run", action="store_true", help="only list what would happen")

    def handle(self, *args: Any, **options: Any) -> None:
        service, is_dry = find_service(options["service"]), options["dry_run"]
        try:
            source = _open(options)
            with tqdm(disable=None, desc=f"Lago {service}", unit="") as bar:
                report = self._import(service, source, options, bar)
        except (ConnectorError, DomainError) as error:
            raise CommandError(error.message) from None
        self._tell(report, is_dry)
        if not is_dry and not report.is_complete:
            raise CommandError("Not everything came. What did stays; run it again once the reasons are gone.")

    def _import(self, service: Service, source: LagoSource, options: dict[str, Any], bar: Any) -> Report:
        """Imports as a run, so that it shows among the others; a dry one leaves none."""
        since = _midnight(options["since"], service)
        asked: dict[str, Any] = {"since": since, "with_ended": options["with_ended"]}
        if options["dry_run"]:
            return import_from_lago(
                service=service, source=source, is_dry=True, echo=lambda *told: draw(bar, *told), **asked
            )
        reports: list[Report] = []
        failures: list[ConnectorError | DomainError] = []

        def work(run: Any, progress: runs.Progress) -> dict[str, Any]:
            try:
                report = import_from_lago(service=service, source=source, echo=progress.report, **asked)
            except (ConnectorError, DomainError) as error:
                failures.append(error)
                raise
            reports.append(report)
            return _summarize(report)

        run = runs.start_run(kind=RunKind.LAGO, service=service, parameters={"source": source.name})
        run = runs.perform(run, work, lambda *told: draw(bar, *told))
        if run.status == RunStatus.FAILED:
            raise failures[0]
        return reports[0]

    def _tell(self, report: Report, is_dry: bool) -> None:
        """Each row, or of a real run those that did not come; then how many of each list became what."""
        for outcome in report.outcomes:
            if is_dry or outcome.done in TOLD or (outcome.reason and outcome.done is not Done.SKIPPED):
                self.stdout.write(_show(outcome, is_dry))
        for collection in Collection:
            if collection.value in report.missing:
                self.stdout.write(f"{collection.value}: not read, {report.missing[collection.value]}")
                continue
            counts = report.count(collection.value)
            told = ", ".join(f"{WORDS[done][is_dry]} {counts[done]}" for done in Done if counts[done])
            self.stdout.write(f"{collection.value}: {told or 'none'}")


# What became of a row, and what would.
WORDS = {
    Done.CREATED: ("created", "would create"),
    Done.CHANGED: ("changed", "would change"),
    Done.LEFT: ("left", "would leave"),
    Done.SKIPPED: ("skipped", "would skip"),
    Done.GONE: ("gone from Lago", "gone from Lago"),
    Done.REFUSED: ("did not come", "cannot come"),
}


def _show(outcome: Outcome, is_dry: bool) -> str:
    line = f"{WORDS[outcome.done][is_dry]}: {outcome.collection} {outcome.name} ({outcome.place})"
    shown = f"{line}: {outcome.reason}" if outcome.reason else line
    # What Lago holds is anybody's text: a terminal would obey some of it.
    return "".join(character if character.isprintable() else "�" for character in shown)


def _summarize(report: Report) -> dict[str, Any]:
    """What a run counts; what is refused makes it partial."""
    counts = {done: sum(each.done is done for each in report.outcomes) for done in Done}
    unread = [f"{name} was not read: {why}." for name, why in report.missing.items()]
    reasons = [_show(each, False) for each in report.outcomes if each.done is Done.REFUSED]
    return {
        **{done.value: count for done, count in counts.items()},
        "message": " ".join((unread + reasons)[:20]),
    }


def _open(options: dict[str, Any]) -> LagoSource:
    if options["folder"] is not None:
        return LagoFolder(options["folder"])
    return LagoApi(options["url"], read_key(options["key_file"]))


def read_key(path: Path | None) -> str:
    """The key from a file, else from the environment: a command line is there for every user of the machine."""
    if path is None:
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise CommandError(f"Give Lago's API key in the variable {KEY} or in a file, by --key-file.")
        return key
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_KEY_FILE).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The key in {path} cannot be read ({type(error).__name__}).") from None


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-09-01") from None


def _midnight(day: date | None, service: Service) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, time.min, ZoneInfo(service.timezone)).astimezone(UTC)
