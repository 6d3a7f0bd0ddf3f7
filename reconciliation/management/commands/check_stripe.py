"""`manage.py check_stripe`: tells whose key it is, what it may read, and what is missing."""

from typing import Any

from reconciliation.connectors.stripe.records import Kind
from reconciliation.management.run_command import RunCommand
from reconciliation.models import Run, RunKind, StripeCheck


class Command(RunCommand):
    help = "Checks the connection to Stripe: the key, its mode, its rights, the webhooks' secrets."
    kind = RunKind.CHECK_STRIPE
    has_period = False

    def handle(self, *args: Any, **options: Any) -> None:
        self.perform_for([None])

    def _tell(self, run: Run) -> str:
        check = StripeCheck.objects.filter(run=run).first()
        if check is None:
            return f"{run}: {run.message}"
        mode = "live" if check.is_live else "test"
        self.stdout.write(
            f"{check.name or 'Account'} {check.account or '(not told)'}, {mode} mode, {check.api_base}"
        )
        self.stdout.write(f"API version {check.api_version}")
        for kind in Kind:
            self.stdout.write(f"{kind}: {check.rights.get(kind) or 'may be read'}")
        self.stdout.write(
            f"webhooks: {'can be verified' if check.has_webhook_secret else 'no secret is set'}"
        )
        return "\n".join(check.problems)
