"""What was pushed and is no longer so in Odoo: an older attempt that came through after all, or somebody's edit."""

from collections.abc import Sequence

from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.readback import verify_own
from reconciliation.connectors.odoo.records import Quotation
from reconciliation.models import Push, PushStatus


def fail_changed(held: Sequence[tuple[Push, Quotation]]) -> None:
    """Fails the push of each quotation that no longer is what was pushed last, so that the next one mends it.

    Lines that somebody else added stay and count: they are Odoo's side. Nothing is written for a quotation that is
    no draft any more; that is an alarm.
    """
    for push, quotation in held:
        if push.status != PushStatus.DONE or quotation.state != "draft":
            continue
        differences = verify_own(QuotationDraft.from_payload(push.payload), quotation)
        if differences:
            _fail(push, "; ".join(differences)[:1000])


def _fail(push: Push, differences: str) -> None:
    newer = Push.objects.filter(key=push.key, version__gt=push.version)
    if not newer.exists():
        Push.objects.filter(pk=push.pk, status=PushStatus.DONE).update(
            status=PushStatus.FAILED,
            error_code="changed_in_odoo",
            error=f"Odoo no longer holds what was pushed, and the next push writes it again: {differences}",
        )
