"""What a live subscription's order in Odoo should carry for a period: its usage fees, or a reason why not."""

from collections import defaultdict
from collections.abc import Iterable

from ingest.billers import billed_by
from ingest.fees import fees_of_period
from ingest.models import Biller, Fee, FeeKind, Service, Subscription
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.quotations import Bill, Refusal, find_product, make_usage_line, refuse_imprecise


def read_order_drafts(
    *, service: Service, period_label: str, customers: Iterable[int] | None = None
) -> tuple[list[tuple[Bill, OrderDraft]], list[Refusal]]:
    """The usage of a period that Odoo bills, by subscription, and what is in the way of others.

    The plan's own fee is not among it: Odoo bills it by the order's recurring lines.
    """
    drafts: list[tuple[Bill, OrderDraft]] = []
    refusals: list[Refusal] = []
    for (subscription, bill), fees in _group(service, period_label, customers).items():
        result = _draft(subscription, bill, fees)
        if isinstance(result, Refusal):
            refusals.append(result)
        else:
            drafts.append((bill, result))
    return drafts, refusals


def read_usage(service: Service, period_label: str) -> list[Fee]:
    """The fees of a period that go onto orders: Odoo bills them, and they come to something."""
    fees = billed_by(Biller.ODOO, fees_of_period(service=service, period_label=period_label))
    return list(fees.exclude(kind=FeeKind.PLAN).exclude(billed_amount=0).order_by("pk"))


def _group(
    service: Service, period_label: str, customers: Iterable[int] | None
) -> dict[tuple[Subscription, Bill], list[Fee]]:
    chosen = None if customers is None else set(customers)
    bills: dict[tuple[Subscription, Bill], list[Fee]] = defaultdict(list)
    for fee in read_usage(service, period_label):
        subscription = fee.subscription
        if chosen is None or subscription.customer_id in chosen:
            bills[subscription, _bill(subscription, fee)].append(fee)
    return bills


def _bill(subscription: Subscription, fee: Fee) -> Bill:
    days = f"{fee.period_start:%Y%m%d}_{fee.period_end:%Y%m%d}"
    return Bill(
        subscription.customer,
        fee.currency,
        fee.period_start,
        fee.period_end,
        fee.period_label,
        key=f"usage_{subscription.public_id.hex}_{fee.currency}_{days}",
    )


def _draft(subscription: Subscription, bill: Bill, fees: list[Fee]) -> OrderDraft | Refusal:
    partner_id, order_id = bill.customer.odoo_partner_id, subscription.odoo_order_id
    if partner_id is None:
        return Refusal(bill, "unlinked", f"{bill.customer} is not linked to an Odoo partner: link it.")
    if order_id is None:
        message = f"Subscription {subscription} is not linked to its order in Odoo, which bills it: link it."
        return Refusal(bill, "no_order", message)
    unmapped = sorted({str(fee.charge or subscription.plan) for fee in fees if find_product(fee) is None})
    if unmapped:
        message = f"No Odoo product is set for {', '.join(unmapped)}: set it on the plan or the charge."
        return Refusal(bill, "no_product", message)
    imprecise = refuse_imprecise(bill, fees)
    if imprecise is not None:
        return imprecise
    lines = tuple(make_usage_line(fee) for fee in fees)
    return OrderDraft(bill.key, order_id, partner_id, bill.currency, lines)
