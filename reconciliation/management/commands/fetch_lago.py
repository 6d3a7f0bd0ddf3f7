"""`manage.py fetch_lago`: reads the invoices and credit notes of a service's Lago."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from ingest.models import Service
from reconciliation.management.run_command import RunCommand
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Reads what the services' Lago billed since the last time; connect_lago says where it is."
    kind = RunKind.FETCH_LAGO
    has_period = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--since", metavar="DAY", help="begin at invoices issued on this day")
        parser.add_argument("--all", action="store_true", help="go through every invoice again")

    def handle(self, *args: Any, **options: Any) -> None:
        self.parameters = {"all": True} if options["all"] else {}
        if options["since"]:
            try:
                self.parameters["since"] = date.fromisoformat(options["since"]).isoformat()
            except ValueError:
                raise CommandError(f"{options['since']!r} is no day such as 2026-09-01.") from None
        self.perform_for(self.choose(options["service"]))

    def choose(self, code: str | None) -> list[Service]:
        """The service of that code, else all that have a connection."""
        found = super().choose(code)
        return found if code else [row for row in found if hasattr(row, "lago_connection")]
