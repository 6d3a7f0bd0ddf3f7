"""`manage.py check_cards`: which cards an administrator of Odoo has to create before a service goes live, as CSV."""

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from reconciliation.management.run_command import find_service
from reconciliation.models import OdooToken
from reconciliation.stripe.cards import find_missing_cards

HEADER = ("customer", "name", "odoo_partner_id", "stripe_customer", "payment_method", "reason")


class Command(BaseCommand):
    help = "Lists the customers of a service whose card Odoo does not hold, as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--service", metavar="CODE", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        service = find_service(options["service"])
        if not OdooToken.objects.exists():
            raise CommandError(
                "No card was read from Odoo yet: fetch_stripe reads them, once Odoo is configured."
            )
        missing = find_missing_cards(service=service, now=timezone.now())
        writer = csv.writer(self.stdout)
        writer.writerow(HEADER)
        for each in missing:
            customer = each.customer
            cells = (
                customer.external_id,
                customer.name,
                customer.odoo_partner_id or "",
                customer.stripe_customer_id,
                each.payment_method,
                each.reason,
            )
            writer.writerow([_escape(str(cell)) for cell in cells])
        if missing:
            raise CommandError(f"{len(missing)} customers of {service} could not be charged by Odoo.")


def _escape(cell: str) -> str:
    """A spreadsheet would run what begins like a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
