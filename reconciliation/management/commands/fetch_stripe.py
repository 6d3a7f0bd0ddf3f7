"""`manage.py fetch_stripe`: reads what changed at Stripe and attributes it to services, customers and periods."""

from argparse import ArgumentParser
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import CommandError

from reconciliation.management.run_command import RunCommand
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Reads what changed at Stripe since the last time, and attributes it."
    kind = RunKind.STRIPE
    has_period = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="DAY", help="where the first pass begins, such as 2026-01-01")
        parser.add_argument(
            "--fees", action="store_true", help="read balance transactions too, with Stripe's fees"
        )
        parser.add_argument(
            "--settle", action="store_true", help="ask Stripe nothing, only attribute what was read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.parameters = {
            **({"since": _read_day(options["since"])} if options["since"] else {}),
            **({"fees": True} if options["fees"] else {}),
            **({"only": "settle"} if options["settle"] else {}),
        }
        self.perform_for([None])


def _read_day(text: str) -> str:
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time.min, UTC).isoformat()
    except ValueError:
        raise CommandError(f"{text!r} is no day such as 2026-01-01.") from None
