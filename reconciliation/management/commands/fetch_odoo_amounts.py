"""`manage.py fetch_odoo_amounts`: reads back what Odoo computes or bills, from where each service's amounts come."""

from reconciliation.management.run_command import RunCommand
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Reads back what Odoo computes on shadow quotations, or bills, as each service's page says."
    kind = RunKind.FETCH
