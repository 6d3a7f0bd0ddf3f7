"""Issues an API key to a service and prints it, this once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.keys import create_key
from ingest.models import Service


class Command(BaseCommand):
    help = "Issues an API key to a service; the key stands alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, metavar="CODE", help="the service's code")
        parser.add_argument("--name", default="", help="what the key is for, as the list of keys shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        service = Service.objects.filter(code=options["service"]).first()
        if service is None:
            codes = ", ".join(Service.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no service {options['service']}. Services: {codes or 'none yet'}.")
        issued = create_key(service=service, name=options["name"], actor=None)
        self.stderr.write(f"A new API key of {service}. It is shown only now: keep it safe.")
        self.stdout.write(issued.key)
