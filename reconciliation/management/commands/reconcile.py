"""`manage.py reconcile`: judges both sides of closed periods."""

from ingest.models import Phase, Service
from reconciliation.management.run_command import RunCommand
from reconciliation.models import RunKind


class Command(RunCommand):
    help = "Judges both sides of closed periods."
    kind = RunKind.RECONCILE

    def choose(self, code: str | None) -> list[Service]:
        """A service in shadow is not judged: it is refused by its code and left out of all."""
        services = super().choose(code)
        return services if code else [each for each in services if each.phase != Phase.SHADOW]
