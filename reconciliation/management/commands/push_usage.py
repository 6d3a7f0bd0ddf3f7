"""`manage.py push_usage`: meters and rates usage and writes it to Odoo, as quotations or onto live orders."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from ingest.calendar import closed_labels
from ingest.errors import DomainError
from ingest.models import Service
from ingest.rated_periods import meter_and_rate
from reconciliation.intents import Plan, plan_pushes
from reconciliation.management.run_command import RunCommand, check_period
from reconciliation.models import RunKind


class Command(RunCommand):
    help = (
        "Meters and rates usage and writes it to Odoo: as shadow quotations, which Odoo cannot bill, and of "
        "subscriptions that Odoo bills onto their orders."
    )
    kind = RunKind.PUSH

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be written")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._tell_plans(options["service"], check_period(options["period"]))
        else:
            super().handle(*args, **options)

    def _tell_plans(self, code: str | None, period: str) -> None:
        for service in self.choose(code):
            for label in [period] if period else closed_labels(service=service, now=timezone.now()):
                self._tell_plan(service, label)

    def _tell_plan(self, service: Service, label: str) -> None:
        plan = _plan(service, label)
        self.stdout.write(
            f"{service} {label}: would write {plan.created} records, {plan.unchanged} are unchanged, "
            f"{len(plan.refusals)} cannot be written"
        )
        for refusal in plan.refusals:
            self.stdout.write(f"  {refusal.message}")


@transaction.atomic
def _plan(service: Service, label: str) -> Plan:
    """What a push would find now: usage is metered and rated for it, and then all of that is undone."""
    now = timezone.now()
    try:
        meter_and_rate(service=service, period_label=label, now=now)
        return plan_pushes(service=service, period_label=label, actor=None, is_dry=True)
    except DomainError as error:
        raise CommandError(f"{service} {label}: {error.message}") from None
    finally:
        transaction.set_rollback(True)
