"""`manage.py import_amounts`: reads what a service billed from a file."""

from argparse import ArgumentParser
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from reconciliation import runs
from reconciliation.connectors.errors import ConnectorError
from reconciliation.imports import ImportRefused, import_amounts
from reconciliation.management.run_command import check_period, find_service
from reconciliation.models import Run, RunKind, RunStatus

MOST_ERRORS = 50


class Command(BaseCommand):
    help = "Reads what a service billed from a CSV or FOCUS 1.0 file; a wrong row refuses the whole file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--service", metavar="CODE", required=True, help="the service that billed")
        parser.add_argument("--period", default="", metavar="LABEL", help="only the bills of this period")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="let numbered bills take the place of those without a number in the same period, or the reverse",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what the file holds")

    def handle(self, *args: Any, **options: Any) -> None:
        service, period = find_service(options["service"]), check_period(options["period"])
        path: Path = options["file"]
        with tqdm(disable=None, desc=path.name, unit=" rows") as bar:
            read = partial(
                import_amounts,
                service=service,
                path=path,
                period_label=period,
                is_dry=options["dry_run"],
                is_replacing=options["replace"],
                echo=lambda row: _draw(bar, row),
            )
            try:
                summary = asdict(read()) if options["dry_run"] else self._perform(read, service, path, period)
            except ImportRefused as error:
                raise CommandError(describe(path, error)) from None
            except ConnectorError as error:
                raise CommandError(f"{path.name}: {error.message}") from None
        self.stdout.write(f"{path.name}: " + ", ".join(f"{name} {count}" for name, count in summary.items()))

    def _perform(self, read: Any, service: Any, path: Path, period: str) -> dict[str, Any]:
        """Imports as a run, so that the file shows among the others whether it was taken or refused."""
        run = runs.start_run(
            kind=RunKind.IMPORT, service=service, period_label=period, parameters={"file": path.name}
        )
        refused: list[ImportRefused | ConnectorError] = []

        def work(run: Run, progress: runs.Progress) -> dict[str, Any]:
            try:
                return asdict(read(run=run))
            except (ImportRefused, ConnectorError) as error:
                refused.append(error)
                raise

        run = runs.perform(run, work)
        if run.status == RunStatus.FAILED and refused:
            raise refused[0]
        return dict(run.summary)


def describe(path: Path, refused: ImportRefused) -> str:
    """The refusal with the place of each wrong row, the first fifty of them."""
    lines = [
        f"{path.name}, row {error.row}{f', {error.column}' if error.column else ''}: {error.message}"
        for error in refused.errors[:MOST_ERRORS]
    ]
    more = len(refused.errors) - len(lines)
    return "\n".join([refused.message, *lines, *([f"and {more} more"] if more else [])])


def _draw(bar: "tqdm[Any]", row: int) -> None:
    bar.update(row - bar.n)
