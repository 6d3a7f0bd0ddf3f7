"""`manage.py sync_odoo`: mirrors Odoo's records, from where the last time stopped."""

from argparse import ArgumentParser
from typing import Any

from reconciliation import mirror
from reconciliation.management.run_command import RunCommand, find_service
from reconciliation.models import RunKind
from reconciliation.odoo import company_of


class Command(RunCommand):
    help = "Mirrors Odoo's partners, products, pricelists, taxes, subscription orders and invoices."
    kind = RunKind.SYNC
    has_period = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--all", action="store_true", help="read everything again, as after Odoo was restored from a copy"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = find_service(options["service"]) if options["service"] else None
        if options["all"]:
            mirror.forget_passes(company_id=company_of(service))
        self.perform_for([service])
