"""`manage.py sync_odoo`: mirrors Odoo's partners, products, pricelists and subscription orders."""

from typing import Any

from reconciliation.management.run_command import RunCommand, find_service
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Mirrors Odoo's partners, products, pricelists and subscription orders."
    kind = RunKind.SYNC
    has_period = False

    def handle(self, *args: Any, **options: Any) -> None:
        self.perform_for([find_service(options["service"]) if options["service"] else None])
