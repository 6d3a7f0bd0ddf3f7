"""What the API answers about a bill, with Lago's field names (Lago: invoices)."""

from datetime import datetime, timedelta

import msgspec

from ingest.api.customers import Customer, show_customer
from ingest.api.openapi import envelop, list_of
from ingest.api.rendering import render_second
from ingest.api.subscription_answer import Subscription, show_subscription, with_shown
from ingest.calendar import customer_timezone
from ingest.models import Subscription as SubscriptionRow
from ingest.rating.money import to_cents
from reconciliation.api.fee_answers import AppliedTax, FeeOut, show_fee, show_tax
from reconciliation.billed_parts import BilledPart, parts_of
from reconciliation.bills import Bill, OdooBill
from reconciliation.fee_taxes import add_bills, taxes_of_bill
from reconciliation.lines import read_fees
from reconciliation.models import AmountLine

SUBSCRIPTION = "subscription"
PENDING = "pending"


class InvoiceLine(msgspec.Struct):
    """A line of Odoo's document, as it computed it."""

    code: str
    description: str
    amount_cents: int
    taxes_amount_cents: int
    total_amount_cents: int


class Invoice(msgspec.Struct, kw_only=True):
    """The bill of a customer's period: `source` says whether it is what we expect, or Odoo's."""

    lago_id: str
    source: str
    billing_entity_code: str
    sequential_id: None = None
    number: str
    purchase_order_number: None = None
    issuing_date: str
    payment_due_date: None = None
    net_payment_term: int = 0
    invoice_type: str = SUBSCRIPTION
    status: str
    payment_status: str = PENDING
    payment_dispute_lost_at: None = None
    payment_overdue: bool = False
    currency: str
    fees_amount_cents: int
    taxes_amount_cents: int
    progressive_billing_credit_amount_cents: int = 0
    coupons_amount_cents: int = 0
    credit_notes_amount_cents: int = 0
    sub_total_excluding_taxes_amount_cents: int
    sub_total_including_taxes_amount_cents: int
    total_amount_cents: int
    total_due_amount_cents: int
    total_paid_amount_cents: int = 0
    total_offsetted_credit_note_amount_cents: int = 0
    prepaid_credit_amount_cents: int = 0
    prepaid_granted_credit_amount_cents: int = 0
    prepaid_purchased_credit_amount_cents: int = 0
    file_url: None = None
    xml_url: None = None
    web_url: None = None
    version_number: int
    self_billed: bool = False
    created_at: str
    updated_at: str
    voided_at: None = None
    lago_customer_id: str
    external_customer_id: str
    taxes_note: str | None


class BillingPeriod(msgspec.Struct):
    """The part of the bill's period in which a subscription ran; ends are the last second of it."""

    lago_subscription_id: str
    external_subscription_id: str
    lago_plan_id: str
    subscription_from_datetime: str
    subscription_to_datetime: str
    charges_from_datetime: str
    charges_to_datetime: str
    invoicing_reason: str


class InvoiceWithFees(Invoice, kw_only=True):
    """A bill with whose it is and what it is made of: our fees, or the lines of Odoo's document."""

    customer: Customer
    subscriptions: list[Subscription]
    billing_periods: list[BillingPeriod]
    fees: list[FeeOut]
    lines: list[InvoiceLine]
    applied_taxes: list[AppliedTax]
    credits: list[None] = []
    metadata: list[None] = []
    error_details: list[None] = []
    applied_invoice_custom_sections: list[None] = []


InvoiceAnswer = envelop("invoice", InvoiceWithFees, "InvoiceAnswer")
InvoicesAnswer = list_of("invoices", Invoice, "InvoicesAnswer")


def show_invoice(bill: Bill) -> Invoice:
    """A bill without what it is made of."""
    return Invoice(**_words(bill))  # type: ignore[arg-type]


def show_whole(bill: Bill, *, now: datetime) -> InvoiceWithFees:
    """A bill with its customer, the subscriptions that ran in its period, and its fees or lines."""
    words, currency = {**_words(bill), **_show_subject(bill, now)}, bill.row.currency
    if isinstance(bill, OdooBill):
        lines = [_show_line(line, currency) for line in bill.row.lines.all()]
        return InvoiceWithFees(**words, fees=[], lines=lines, applied_taxes=[])  # type: ignore[arg-type]
    fees = [fee for fee in read_fees([bill.row]) if fee.period_end == bill.row.period_end]
    return InvoiceWithFees(
        **words,  # type: ignore[arg-type]
        fees=[show_fee(each) for each in add_bills(fees) if each.fee.currency == currency],
        lines=[],
        applied_taxes=[show_tax(tax, currency) for tax in taxes_of_bill(bill.row)],
    )


def _show_subject(bill: Bill, now: datetime) -> dict[str, object]:
    parts = parts_of(bill)
    shown = with_shown(SubscriptionRow.objects.filter(pk__in=[part.subscription.pk for part in parts]))
    return {
        "customer": show_customer(bill.row.customer),
        "subscriptions": [show_subscription(row, now=now) for row in shown.order_by("started_at", "pk")],
        "billing_periods": [_show_part(part) for part in parts],
    }


def _show_part(part: BilledPart) -> BillingPeriod:
    row, last = part.subscription, render_second(part.end - timedelta.resolution)
    return BillingPeriod(
        lago_subscription_id=str(row.public_id),
        external_subscription_id=row.external_id,
        lago_plan_id=str(row.plan.public_id),
        subscription_from_datetime=render_second(part.first_day),
        subscription_to_datetime=last,
        charges_from_datetime=render_second(part.start),
        charges_to_datetime=last,
        invoicing_reason=part.reason,
    )


def _show_line(line: AmountLine, currency: str) -> InvoiceLine:
    untaxed, tax, total = (
        0 if amount is None else to_cents(amount, currency) for amount in (line.untaxed, line.tax, line.total)
    )
    known_total = untaxed + tax if line.total is None else total
    known_untaxed = total - tax if line.untaxed is None else untaxed
    return InvoiceLine(line.code, line.description, known_untaxed, tax, known_total)


def _words(bill: Bill) -> dict[str, object]:
    row, currency = bill.row, bill.row.currency
    untaxed, tax, total = (to_cents(each, currency) for each in (bill.untaxed, bill.tax, bill.total))
    return {
        "lago_id": str(row.public_id),
        "source": str(bill.kind),
        "billing_entity_code": row.customer.service.code,
        "number": bill.number,
        "issuing_date": row.period_end.astimezone(customer_timezone(row.customer)).date().isoformat(),
        "status": str(bill.status),
        "currency": currency,
        "fees_amount_cents": untaxed,
        "taxes_amount_cents": tax,
        "sub_total_excluding_taxes_amount_cents": untaxed,
        "sub_total_including_taxes_amount_cents": total,
        "total_amount_cents": total,
        "total_due_amount_cents": total,
        "version_number": bill.version,
        "created_at": render_second(row.created_at),
        "updated_at": render_second(bill.updated_at),
        "lago_customer_id": str(row.customer.public_id),
        "external_customer_id": row.customer.external_id,
        "taxes_note": bill.note or None,
    }
