"""Usage on orders: what Odoo itself bills, written onto the order of the subscription."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ingest.billers import billed_by
from ingest.models import Biller, Fee
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.connectors.odoo.order_lines import OrderUsage, verify_usage
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.models import Push
from reconciliation.writers.writer import Reading, Refusal

BILLED_BY_SERVICE = Refusal(
    "billed_by_service", "The service bills this period itself: nothing of it goes onto Odoo's order."
)


class OrderLineWriter:
    """The usage of a subscription's period, on the order that bills it."""

    def refuse(self, pushes: Sequence[Push]) -> Mapping[str, Refusal]:
        """Those with a fee that Odoo does not bill: the biller may have changed since the intent was stored."""
        keys = {line["key"] for push in pushes for line in push.payload["usage_lines"]}
        billed = ask_biller(keys)
        return {
            push.key: BILLED_BY_SERVICE
            for push in pushes
            if not billed.issuperset(line["key"] for line in push.payload["usage_lines"])
        }

    def write(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, WriteOutcome]:
        """A line for each fee; the guard asks once more who bills it."""
        with connector.permitting(ask_biller):
            return connector.write_order_lines(_drafts(pushes))

    def read(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, Reading]:
        """The lines, on whichever order of the subscription they are."""
        held = connector.read_order_usage(_drafts(pushes))
        return {push.key: _compare(push, held[push.key]) for push in pushes if push.key in held}

    def keep(self, readings: Mapping[str, tuple[Push, Reading]], read_at: datetime) -> None:
        """Nothing: what Odoo bills of an order comes back with its invoices."""

    def watch(self, push: Push, error: ConnectorError) -> None:
        """Nothing: usage that does not get there is watched against the invoicing run."""


def ask_biller(keys: Collection[str]) -> set[str]:
    """Those of the fees whose period Odoo bills, as things stand now."""
    fees = billed_by(Biller.ODOO, Fee.objects.filter(public_id__in=keys))
    return {public_id.hex for public_id in fees.values_list("public_id", flat=True)}


def _drafts(pushes: Sequence[Push]) -> list[OrderDraft]:
    return [OrderDraft.from_payload(push.payload) for push in pushes]


def _compare(push: Push, usage: OrderUsage) -> Reading:
    return Reading(
        odoo_id=usage.order.id,
        record=usage,
        differences=verify_usage(OrderDraft.from_payload(push.payload), usage),
    )
