"""Replaces an API key by a new one and prints it, this once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.errors import DomainError
from ingest.keys import LONGEST_OVERLAP, OVERLAP, rotate_key
from ingest.models import ApiKey

HOUR = timedelta(hours=1)


class Command(BaseCommand):
    help = "Issues a key in place of another, which works on for a while; the new one stands alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key", required=True, metavar="PREFIX", help="the key's visible start, bc_…")
        parser.add_argument(
            "--overlap",
            type=float,
            default=OVERLAP / HOUR,
            metavar="HOURS",
            help=f"how long the old key still works: {OVERLAP / HOUR:.0f} unless told, at most"
            f" {LONGEST_OVERLAP / HOUR:.0f}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["key"].rstrip("…")
        found = ApiKey.objects.filter(prefix=prefix).order_by("pk")[:2]
        if len(found) != 1:
            raise CommandError(
                f"There is {'more than one' if found else 'no'} key that starts with {prefix}."
            )
        try:
            issued = rotate_key(key_id=found[0].pk, actor=None, overlap=_read_hours(options["overlap"]))
        except DomainError as error:
            raise CommandError(error.message) from error
        old = ApiKey.objects.get(pk=found[0].pk)
        self.stderr.write(
            f"A new API key of {old.service}. It is shown only now: keep it safe."
            f" {old} works until {old.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        self.stdout.write(issued.key)


def _read_hours(hours: float) -> timedelta:
    try:
        return timedelta(hours=hours)
    except (OverflowError, ValueError):
        raise CommandError("The overlap is no number of hours.") from None
