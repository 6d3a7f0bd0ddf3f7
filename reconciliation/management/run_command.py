"""What the commands share: a service and a period as options, a run with a progress bar, an exit code."""

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ingest.metering.periods import PeriodLabelError, parse_label
from ingest.models import Service
from reconciliation import runs
from reconciliation.models import Run, RunKind, RunStatus
from reconciliation.work import do_work

# A bill that is refused waits for a person and is told of; these wait for Odoo.
UNDONE_IN_ODOO = ("failed", "unknown", "pending", "sending")


class RunCommand(BaseCommand):
    """A command that does one kind of run, kept and visible like any other."""

    kind: RunKind
    has_period = True
    # What a run is told beside its service and period; a command's options may set them.
    parameters: Mapping[str, Any] = MappingProxyType({})

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", metavar="CODE", help="one service, else all")
        if self.has_period:
            parser.add_argument(
                "--period", default="", metavar="LABEL", help="such as 2024-09, else all that are closed"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        period = check_period(options["period"])
        self.perform_for(self.choose(options["service"]), period)

    def choose(self, code: str | None) -> list[Service]:
        """The service of that code, or all that this command can do something for."""
        return [find_service(code)] if code else list(Service.objects.order_by("code"))

    def perform_for(self, services: Iterable[Service | None], period: str = "") -> None:
        """Does a run for each, with a bar on a terminal; one that fails does not keep the others from theirs.

        Raises CommandError with a line for each run that failed or left something undone in Odoo.
        """
        failures = [line for service in services if (line := self._perform(service, period))]
        if failures:
            raise CommandError("\n".join(failures))

    def _perform(self, service: Service | None, period: str) -> str:
        parameters = dict(self.parameters)
        run = runs.start_run(kind=self.kind, service=service, period_label=period, parameters=parameters)
        # tqdm draws on a terminal only: `disable=None`.
        with tqdm(disable=None, desc=str(run), unit="") as bar:
            run = runs.perform(run, do_work, lambda stage, done, total: draw(bar, stage, done, total))
        return self._tell(run)

    def _tell(self, run: Run) -> str:
        """Prints what the run counted; returns the line to fail with, empty when there is no reason to."""
        if run.status == RunStatus.FAILED:
            return f"{run}: {run.message}"
        counts = ", ".join(f"{name} {count}" for name, count in run.summary.items())
        self.stdout.write(f"{run}: {counts or 'nothing to do'}")
        undone = [name for name in UNDONE_IN_ODOO if run.summary.get(name)]
        if undone:
            return f"{run}: not everything is done ({', '.join(undone)}). {run.message}"
        if run.message:
            self.stderr.write(run.message)
        return ""


def find_service(code: str) -> Service:
    """The service of that code; a CommandError that lists the codes otherwise."""
    try:
        return Service.objects.get(code=code)
    except Service.DoesNotExist:
        codes = ", ".join(Service.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise CommandError(f"There is no service {code!r}. Services: {codes}.") from None


def check_period(label: str) -> str:
    """The label itself; a CommandError for a text that can be no period."""
    try:
        if label:
            parse_label(label)
    except PeriodLabelError as error:
        raise CommandError(str(error)) from None
    return label


def draw(bar: "tqdm[Any]", stage: str, done: int, total: int) -> None:
    """Shows on a bar how far a run is."""
    bar.set_postfix_str(stage, refresh=False)
    bar.total, bar.n = total, done
    bar.refresh()
