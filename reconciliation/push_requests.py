"""Confirming a push that was previewed: a run that writes what the person saw, or says that it is other by now."""

from django.contrib.auth.models import User

from ingest.errors import DomainError
from ingest.models import Phase, Service
from reconciliation.models import Run, RunKind
from reconciliation.runs import request_run


def confirm_push(
    *, service: Service, period_label: str, seen: str, actor: User, customer_id: int | None = None
) -> Run:
    """Queues the push of a service's period, or of one customer's, bound to the digest of its preview.

    One customer's usage is rated anew first, as its preview did; a whole period is written from the fees that were
    shown. When other than what was shown would be written by then, nothing is, and the run says so. Refuses
    without a preview (`not_previewed`), and as `request_run` does.
    """
    if not seen:
        raise DomainError("not_previewed", "Look at what would be written first.")
    # One in shadow is not judged.
    kind = RunKind.PUSH if service.phase == Phase.SHADOW and customer_id is None else RunKind.REFRESH
    chosen = {} if customer_id is None else {"customers": [customer_id]}
    return request_run(
        kind=kind,
        service=service,
        period_label=period_label,
        parameters={**chosen, "seen": seen},
        actor=actor,
    )
