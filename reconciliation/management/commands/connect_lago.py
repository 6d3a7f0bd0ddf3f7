"""`manage.py connect_lago`: keeps where a service's Lago is, and checks what its key may read."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.errors import DomainError
from reconciliation.connectors.errors import ConnectorError
from reconciliation.lago_connections import check_connection, save_connection
from reconciliation.management.commands.import_lago import KEY, URL, read_key
from reconciliation.management.run_command import find_service
from reconciliation.models import LagoConnection


class Command(BaseCommand):
    help = (
        "Keeps the address and the key of a service's Lago, encrypted, and checks them; --check only checks."
    )

    def create_parser(self, *args: Any, **options: Any) -> Any:
        """Without abbreviations: `--key` would be taken for `--key-file`, and the key for a name to tell of."""
        return super().create_parser(*args, allow_abbrev=False, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", metavar="CODE", required=True)
        parser.add_argument("--url", default=URL, help=f"where Lago's API is; {URL} unless told")
        parser.add_argument(
            "--key-file",
            type=Path,
            metavar="FILE",
            help=f"a file with Lago's API key; else the variable {KEY}",
        )
        parser.add_argument("--check", action="store_true", help="only check what is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        service = find_service(options["service"])
        try:
            if not options["check"]:
                key = read_key(options["key_file"])
                save_connection(service=service, url=options["url"], key=key, actor=None)
            row = LagoConnection.objects.filter(service=service).first()
            if row is None:
                raise CommandError(f"{service} has no connection to Lago.")
            found = check_connection(connection=row)
        except (ConnectorError, DomainError) as error:
            raise CommandError(error.message) from None
        for name, problem in found.items():
            self.stdout.write(f"{name}: {problem or 'can be read'}")
        if any(found.values()):
            raise CommandError("The key may not read everything that is needed.")
