"""`manage.py push_usage`: meters and rates usage and writes it to Odoo as shadow quotations."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from ingest.calendar import closed_labels
from ingest.models import Service
from reconciliation import push
from reconciliation.management.run_command import RunCommand, check_period, find_services
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Meters and rates usage and writes it to Odoo as shadow quotations, which Odoo cannot bill."
    kind = RunKind.PUSH

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be written")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            super().handle(*args, **options)
            return
        period = check_period(options["period"])
        for service in find_services(options["service"]):
            for label in [period] if period else closed_labels(service=service, now=timezone.now()):
                self._tell_plan(service, label)

    def _tell_plan(self, service: Service, label: str) -> None:
        plan = push.plan_pushes(service=service, period_label=label, actor=None, is_dry=True)
        self.stdout.write(
            f"{service} {label}: would write {plan.created} quotations, {plan.unchanged} are unchanged, "
            f"{len(plan.refusals)} cannot be written"
        )
        for refusal in plan.refusals:
            self.stdout.write(f"  {refusal.message}")
