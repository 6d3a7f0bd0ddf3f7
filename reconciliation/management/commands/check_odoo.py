"""`manage.py check_odoo`: tells line by line whether the console can work with its Odoo, and what to do where not."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reconciliation import connection_checks, runs
from reconciliation.connectors.odoo.checks import Level
from reconciliation.management.run_command import find_service
from reconciliation.models import ConnectionCheck, OdooConnection, RunKind, RunStatus
from reconciliation.work import do_work

MARKS = {Level.OK: "ok", Level.ADVICE: "!", Level.FAILED: "FAILED", Level.SKIPPED: "-"}


class Command(BaseCommand):
    help = (
        "Checks the connection to Odoo line by line, without writing anything there; fails when a line does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--service", metavar="CODE", help="the connection of one service, and what it needs"
        )
        which.add_argument("--connection", metavar="NAME", help="a named connection, else the environment's")
        parser.add_argument("--json", action="store_true", help="print the lines as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        service = find_service(options["service"]) if options["service"] else None
        connection = _find_connection(options["connection"])
        parameters = connection_checks.name_connection(connection)
        run = runs.start_run(kind=RunKind.CHECK, service=service, parameters=parameters)
        run = runs.perform(run, do_work)
        found = ConnectionCheck.objects.filter(run=run).first()
        if run.status == RunStatus.FAILED or found is None:
            raise CommandError(run.message)
        self._tell(found, as_json=options["json"])
        if not found.is_passed:
            raise CommandError("The console cannot work with this Odoo yet: see the lines that failed.")

    def _tell(self, found: ConnectionCheck, *, as_json: bool) -> None:
        if as_json:
            told = {
                "connection": found.connection.name if found.connection else None,
                "checked_at": found.created_at.isoformat(),
                "version": found.version,
                "transport": found.transport,
                "is_passed": found.is_passed,
                "lines": found.lines,
            }
            self.stdout.write(json.dumps(told, indent=2))
            return
        for line in found.lines:
            self.stdout.write(f"{MARKS[Level(line['level'])]:<7}{line['title']}: {line['message']}")
            if line["advice"]:
                self.stdout.write(f"{'':<7}→ {line['advice']}")


def _find_connection(name: str | None) -> OdooConnection | None:
    if not name:
        return None
    try:
        return OdooConnection.objects.get(name=name)
    except OdooConnection.DoesNotExist:
        names = ", ".join(OdooConnection.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no connection {name!r}. Connections: {names}.") from None
