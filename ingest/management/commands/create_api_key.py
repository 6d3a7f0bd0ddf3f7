"""Issues an API key to a service and prints it, this once."""

from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ingest.errors import DomainError
from ingest.keys import create_key
from ingest.models import Scope, Service
from ingest.rate_limits import WINDOW_SECONDS


class Command(BaseCommand):
    help = "Issues an API key to a service; the key stands alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, metavar="CODE", help="the service's code")
        parser.add_argument("--name", default="", help="what the key is for, as the list of keys shows it")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            help="what the key opens, once for each; everything unless told",
        )
        parser.add_argument(
            "--days", type=int, metavar="DAYS", help="in how many days the key expires; never unless told"
        )
        parser.add_argument(
            "--rate-limit",
            type=int,
            metavar="REQUESTS",
            help=f"how many requests it may make in {WINDOW_SECONDS} seconds; any number unless told",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = Service.objects.filter(code=options["service"]).first()
        if service is None:
            codes = ", ".join(Service.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no service {options['service']}. Services: {codes or 'none yet'}.")
        try:
            issued = create_key(
                service=service,
                name=options["name"],
                actor=None,
                scopes=options["scope"] or Scope.values,
                expires_at=_read_expiry(options["days"]),
                rate_limit=options["rate_limit"],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stderr.write(f"A new API key of {service}. It is shown only now: keep it safe.")
        self.stdout.write(issued.key)


def _read_expiry(days: int | None) -> datetime | None:
    if days is None:
        return None
    try:
        return timezone.now() + timedelta(days=days)
    except OverflowError:
        raise CommandError("That is beyond the end of the calendar.") from None
