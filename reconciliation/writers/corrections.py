"""Corrections: a draft invoice or credit note for what finance accepted, never posted."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.corrections import Correction, CorrectionDraft, verify_correction
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.corrections import is_billed_by_odoo
from reconciliation.models import Push
from reconciliation.writers.order_lines import BILLED_BY_SERVICE
from reconciliation.writers.writer import Reading, Refusal


class CorrectionWriter:
    """One draft document of one customer."""

    def refuse(self, pushes: Sequence[Push]) -> Mapping[str, Refusal]:
        """Those of a period that Odoo does not bill, as things stand now."""
        billed = ask_biller({push.key for push in pushes})
        return {push.key: BILLED_BY_SERVICE for push in pushes if push.key not in billed}

    def write(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, WriteOutcome]:
        """A draft for each; the guard asks once more who bills its period."""
        with connector.permitting(ask_biller):
            return connector.write_corrections(
                [CorrectionDraft.from_payload(push.payload) for push in pushes]
            )

    def read(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, Reading]:
        """The documents, whether somebody has posted them by now or not."""
        held = connector.read_corrections([push.key for push in pushes])
        return {push.key: _compare(push, held[push.key]) for push in pushes if push.key in held}

    def keep(self, readings: Mapping[str, tuple[Push, Reading]], read_at: datetime) -> None:
        """Nothing: it counts once it is posted, and comes back with Odoo's invoices."""

    def watch(self, push: Push, error: ConnectorError) -> None:
        """Nothing: it waits among the failed."""


def ask_biller(keys: Collection[str]) -> set[str]:
    """Those of the corrections whose period Odoo bills, as things stand now."""
    pushes = Push.objects.filter(key__in=keys).select_related("customer")
    return {
        push.key
        for push in pushes
        if is_billed_by_odoo(customer=push.customer, period_start=push.period_start)
    }


def _compare(push: Push, held: Correction) -> Reading:
    differences = verify_correction(CorrectionDraft.from_payload(push.payload), held)
    refusal = None
    if differences:
        # It is only inserted: sending it again would change nothing.
        message = f"The document in Odoo is not what was meant ({'; '.join(differences)}): correct it there."
        refusal = Refusal("changed_in_odoo", message)
    return Reading(odoo_id=held.id, record=held, differences=differences, refusal=refusal)
