"""What the commands share: a service and a period as options, a run with a progress bar, an exit code."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ingest.metering.periods import PeriodLabelError, parse_label
from ingest.models import Service
from reconciliation import runs
from reconciliation.models import Run, RunKind, RunStatus
from reconciliation.work import do_work


class RunCommand(BaseCommand):
    """A command that does one kind of run, kept and visible like any other."""

    kind: RunKind
    has_period = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", metavar="CODE", help="one service, else all")
        if self.has_period:
            parser.add_argument(
                "--period", default="", metavar="LABEL", help="such as 2024-09, else all that are closed"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        period = check_period(options["period"])
        for service in find_services(options["service"]):
            self.perform(service, period)

    def perform(self, service: Service | None, period: str = "") -> Run:
        """Does the run with a bar on a terminal; exits with an error when it failed."""
        run = runs.start_run(kind=self.kind, service=service, period_label=period)
        # tqdm draws on a terminal only: `disable=None`.
        with tqdm(disable=None, desc=str(run), unit="") as bar:
            run = runs.perform(run, do_work, lambda stage, done, total: _draw(bar, stage, done, total))
        self.tell(run)
        return run

    def tell(self, run: Run) -> None:
        """Prints what the run counted, or fails with its message."""
        counts = ", ".join(f"{name} {count}" for name, count in run.summary.items())
        if run.status == RunStatus.FAILED:
            raise CommandError(f"{run}: {run.message}")
        self.stdout.write(f"{run}: {counts or 'nothing to do'}")
        if run.message:
            self.stderr.write(run.message)


def find_services(code: str | None) -> list[Service]:
    """The service of that code, or all of them."""
    return [find_service(code)] if code else list(Service.objects.order_by("code"))


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


def _draw(bar: "tqdm[Any]", stage: str, done: int, total: int) -> None:
    bar.set_postfix_str(stage, refresh=False)
    bar.total, bar.n = total, done
    bar.refresh()
