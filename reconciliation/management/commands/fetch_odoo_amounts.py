"""`manage.py fetch_odoo_amounts`: reads back what Odoo computes on the shadow quotations, and its invoices."""

from reconciliation.management.run_command import RunCommand
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Reads back what Odoo computes on the shadow quotations, and its invoices."
    kind = RunKind.FETCH
