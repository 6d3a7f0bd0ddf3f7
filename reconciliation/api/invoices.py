"""/invoices: what a period costs by our own rating, and what Odoo made of it, in Lago's shape (Lago: invoices)."""

from datetime import date

import msgspec
from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import read_page
from ingest.api.queries import read_id, read_list
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.calendar import customer_timezone
from ingest.rating.money import to_cents
from reconciliation.api.fee_answers import AppliedTax, FeeOut, show_fee, show_tax
from reconciliation.bills import Bill, BillList, BillStatus, OdooBill, Wanted, find_bill
from reconciliation.fee_taxes import add_bills, taxes_of_bill
from reconciliation.lines import read_fees
from reconciliation.models import AmountLine

NOT_FOUND = ApiError(404, code="invoice_not_found")
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


class InvoiceWithFees(Invoice, kw_only=True):
    """A bill with what it is made of: our fees, or the lines of Odoo's document."""

    fees: list[FeeOut]
    lines: list[InvoiceLine]
    applied_taxes: list[AppliedTax]
    credits: list[None] = []
    metadata: list[None] = []
    error_details: list[None] = []


InvoiceAnswer = envelop("invoice", InvoiceWithFees, "InvoiceAnswer")
InvoicesAnswer = list_of("invoices", Invoice, "InvoicesAnswer")

QUERY = (
    OpenApiParameter("external_customer_id", str),
    OpenApiParameter("currency", str),
    OpenApiParameter("invoice_type", str, description="Every bill here is a `subscription`."),
    OpenApiParameter("status", str, enum=[each.value for each in BillStatus]),
    OpenApiParameter(
        "payment_status", str, description="Every bill here is `pending`: Odoo knows what is paid."
    ),
    OpenApiParameter("issuing_date_from", OpenApiTypes.DATE),
    OpenApiParameter("issuing_date_to", OpenApiTypes.DATE),
    OpenApiParameter("amount_from", int, description="The total in minor units, at least."),
    OpenApiParameter("amount_to", int, description="The total in minor units, at most."),
    *PAGES,
)


class InvoicesView(ApiView):
    """The bills of all periods."""

    resource = "invoice"

    @describe(
        "list_invoices",
        "List invoices",
        description="Of each customer's period what we expect and, once pushed, what Odoo computed.",
        tag="invoices",
        answer=InvoicesAnswer,
        query=QUERY,
        refuses=(422,),
    )
    def get(self, request: Request) -> Response:
        """One page of bills, newest first."""
        query = request.query_params
        page = read_page(query)
        if _asks_for_others(query):
            return Response({"invoices": [], "meta": page.describe(0)})
        bills = BillList(self.caller.service_id, _read_wanted(query))
        meta = page.describe(bills.count())
        shown = [show_invoice(bill) for bill in bills.read(page.start, page.size)]
        return Response({"invoices": shown, "meta": meta})


class InvoiceView(ApiView):
    """One bill, by its id."""

    resource = "invoice"

    @describe("get_invoice", "Get an invoice", tag="invoices", answer=InvoiceAnswer, refuses=(404,))
    def get(self, request: Request, lago_id: str) -> Response:
        """The bill with its fees or lines."""
        public_id = read_id(lago_id)
        bill = find_bill(service_id=self.caller.service_id, public_id=public_id) if public_id else None
        if bill is None:
            raise NOT_FOUND
        return Response({"invoice": _show_whole(bill)})


def show_invoice(bill: Bill) -> Invoice:
    """A bill without what it is made of."""
    return Invoice(**_words(bill))  # type: ignore[arg-type]


def _show_whole(bill: Bill) -> InvoiceWithFees:
    currency = bill.row.currency
    if isinstance(bill, OdooBill):
        lines = [_show_line(line, currency) for line in bill.row.lines.all()]
        return InvoiceWithFees(**_words(bill), fees=[], lines=lines, applied_taxes=[])  # type: ignore[arg-type]
    fees = [fee for fee in read_fees([bill.row]) if fee.period_end == bill.row.period_end]
    return InvoiceWithFees(
        **_words(bill),  # type: ignore[arg-type]
        fees=[show_fee(each) for each in add_bills(fees) if each.fee.currency == currency],
        lines=[],
        applied_taxes=[show_tax(tax, currency) for tax in taxes_of_bill(bill.row)],
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


def _asks_for_others(query: QueryDict) -> bool:
    """Whether a list asks for types or payment statuses that no bill here has."""
    types, statuses = read_list(query, "invoice_type"), read_list(query, "payment_statuses")
    statuses += read_list(query, "payment_status")
    return bool(types and SUBSCRIPTION not in types) or bool(statuses and PENDING not in statuses)


def _read_wanted(query: QueryDict) -> Wanted:
    return Wanted(
        external_customer_id=query.get("external_customer_id", ""),
        currency=query.get("currency", ""),
        statuses=[*read_list(query, "statuses"), *read_list(query, "status")],
        issued_from=_read_date(query, "issuing_date_from"),
        issued_to=_read_date(query, "issuing_date_to"),
        cents_from=_read_cents(query, "amount_from"),
        cents_to=_read_cents(query, "amount_to"),
    )


def _read_date(query: QueryDict, name: str) -> date | None:
    try:
        return date.fromisoformat(str(query[name])[:10]) if query.get(name) else None
    except ValueError:
        raise refuse_fields({name: ["invalid_date"]}) from None


def _read_cents(query: QueryDict, name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 25:
        raise refuse_fields({name: ["value_is_invalid"]})
    return int(text)
