"""Shadow quotations: what a service still bills, written where Odoo computes it and cannot bill it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.billers import billed_by
from ingest.models import Biller, Fee
from reconciliation import odoo_amounts
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.connectors.odoo.readback import verify
from reconciliation.connectors.odoo.records import Quotation
from reconciliation.models import Push
from reconciliation.writers.writer import Reading, Refusal

BILLED_BY_ODOO = Refusal(
    "billed_by_odoo", "Odoo bills this period now: no shadow quotation is written for it."
)


class QuotationWriter:
    """A period's quotation of one customer in one currency, left a draft."""

    def refuse(self, pushes: Sequence[Push]) -> Mapping[str, Refusal]:
        """Those with a fee that Odoo bills by now: the biller may have changed since the intent was stored."""
        keys = {line["key"]: push.key for push in pushes for line in list_lines(push)}
        fees = billed_by(Biller.ODOO, Fee.objects.filter(public_id__in=keys))
        return {keys[public_id.hex]: BILLED_BY_ODOO for public_id in fees.values_list("public_id", flat=True)}

    def write(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, WriteOutcome]:
        """One quotation for each."""
        return connector.write_quotations([QuotationDraft.from_payload(push.payload) for push in pushes])

    def read(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, Reading]:
        """The quotations; one that somebody confirmed, sent or cancelled is not ours to write any more."""
        known = {push.key: push.odoo_id for push in pushes if push.odoo_id}
        held = connector.read_quotations([push.key for push in pushes], known)
        return {push.key: _compare(push, held[push.key]) for push in pushes if push.key in held}

    def keep(self, readings: Mapping[str, tuple[Push, Reading]], read_at: datetime) -> None:
        """Odoo's amounts, whatever they are."""
        held = [(push, reading.record) for push, reading in readings.values()]
        odoo_amounts.store_quotations(held, fetched_at=read_at)

    def watch(self, push: Push, error: ConnectorError) -> None:
        """A quotation that is no longer a draft is an alarm."""
        odoo_amounts.watch_state(push, error)


def list_lines(push: Push) -> list[dict[str, str]]:
    """The lines of a quotation's payload."""
    return [*push.payload["usage_lines"], *push.payload["plan_lines"]]


def _compare(push: Push, quotation: Quotation) -> Reading:
    refusal = None
    if quotation.state != "draft":
        refusal = Refusal("not_draft", f"The quotation {quotation.name} is no longer a draft in Odoo.")
    return Reading(
        odoo_id=quotation.id,
        record=quotation,
        differences=verify(QuotationDraft.from_payload(push.payload), quotation),
        refusal=refusal,
    )
