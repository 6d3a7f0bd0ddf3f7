"""`manage.py import_amounts`: reads what a service billed from a file."""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from ingest.errors import DomainError
from ingest.models import Service
from reconciliation import runs
from reconciliation.billed_files import PART, keep_file, keep_refusal, keep_result
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.files.ready import READY
from reconciliation.file_mappings import read_mapping
from reconciliation.imports import ImportRefused, import_amounts
from reconciliation.management.run_command import check_period, find_service
from reconciliation.models import BilledFile, Run, RunKind, RunStatus

MOST_ERRORS = 50


class Command(BaseCommand):
    help = "Reads what a service billed from a CSV, XLSX or FOCUS file; a wrong row refuses the whole file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--service", metavar="CODE", required=True, help="the service that billed")
        parser.add_argument("--period", default="", metavar="LABEL", help="only the bills of this period")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="let numbered bills take the place of those without a number in the same period, or the reverse",
        )
        parser.add_argument(
            "--mapping",
            default="",
            metavar="NAME",
            help=f"how to read another table: one of the service's own, or {', '.join(READY)}",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what the file holds")

    def handle(self, *args: Any, **options: Any) -> None:
        service, period = find_service(options["service"]), check_period(options["period"])
        path: Path = options["file"]
        chosen = _find_mapping(service, options["mapping"])
        with tqdm(disable=None, desc=path.name, unit=" rows") as bar:
            read = partial(
                import_amounts,
                service=service,
                path=path,
                period_label=period,
                is_dry=options["dry_run"],
                is_replacing=options["replace"],
                mapping=read_mapping(BilledFile(**chosen)),
                echo=partial(_draw, bar),
            )
            try:
                summary = (
                    read().counts
                    if options["dry_run"]
                    else self._perform(read, service, path, period, chosen)
                )
            except ImportRefused as error:
                raise CommandError(describe(path, error)) from None
            except (ConnectorError, DomainError) as error:
                raise CommandError(f"{path.name}: {error.message}") from None
        self.stdout.write(f"{path.name}: " + ", ".join(f"{name} {count}" for name, count in summary.items()))

    def _perform(
        self, read: Any, service: Service, path: Path, period: str, chosen: dict[str, Any]
    ) -> dict[str, Any]:
        """Imports as a run, with the file kept, so that it shows among the others whether it was taken or refused."""
        file = _keep(service, path, period, chosen)
        run = runs.start_run(
            kind=RunKind.IMPORT, service=service, period_label=period, parameters={"file": path.name}
        )
        refused: list[ImportRefused | ConnectorError] = []

        def work(run: Run, progress: runs.Progress) -> dict[str, Any]:
            try:
                agree = partial(keep_result, file, run=run)
                return dict(read(run=run, agree=agree).counts)
            except (ImportRefused, ConnectorError) as error:
                keep_refusal(file, error)
                refused.append(error)
                raise

        run = runs.perform(run, work)
        if run.status == RunStatus.FAILED and refused:
            raise refused[0]
        return dict(run.summary)


def _find_mapping(service: Service, name: str) -> dict[str, Any]:
    """How a kept file says what reads it."""
    if not name:
        return {}
    own = service.file_mappings.filter(name=name).first()
    if own:
        return {"mapping": own}
    if name in READY:
        return {"ready_mapping": name}
    names = ", ".join([*service.file_mappings.values_list("name", flat=True), *READY])
    raise CommandError(f"There is no mapping {name!r}. Mappings: {names}.")


@transaction.atomic
def _keep(service: Service, path: Path, period: str, chosen: dict[str, Any]) -> BilledFile:
    try:
        with path.open("rb") as stream:
            pieces = iter(lambda: stream.read(PART), b"")
            return keep_file(
                service=service, name=path.name, pieces=pieces, actor=None, period_label=period, **chosen
            )
    except OSError as error:
        raise CommandError(f"{path.name}: The file cannot be opened: {error.strerror}.") from None


def describe(path: Path, refused: ImportRefused) -> str:
    """The refusal with the place of each wrong row, the first fifty of them."""
    lines = [
        f"{path.name}, row {error.row}{f', {error.column}' if error.column else ''}: {error.message}"
        for error in refused.errors[:MOST_ERRORS]
    ]
    more = refused.count - len(lines)
    return "\n".join([refused.message, *lines, *([f"and {more} more"] if more else [])])


def _draw(bar: "tqdm[Any]", stage: str, row: int) -> None:
    bar.set_postfix_str(stage, refresh=False)
    if row < bar.n:
        # The rows that were read are gone through once more.
        bar.reset()
    bar.update(row - bar.n)
