"""`manage.py reconcile`: judges both sides of closed periods."""

from reconciliation.management.run_command import RunCommand
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Judges both sides of closed periods."
    kind = RunKind.RECONCILE
