"""/invoices: what a period costs by our own rating, and what Odoo made of it, in Lago's shape (Lago: invoices)."""

from dataclasses import replace
from datetime import date

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.customers import find_customer
from ingest.api.errors import ApiError, refuse_fields
from ingest.api.openapi import PAGES, describe
from ingest.api.pagination import read_page
from ingest.api.queries import read_id, read_list
from ingest.api.view import ApiView
from reconciliation.api.invoice_answers import (
    PENDING,
    SUBSCRIPTION,
    InvoiceAnswer,
    InvoicesAnswer,
    show_invoice,
    show_whole,
)
from reconciliation.bills import BillList, BillStatus, Wanted, find_bill

NOT_FOUND = ApiError(404, code="invoice_not_found")

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
        return _show_page(self.caller.service_id, _read_wanted(request.query_params), request)


class CustomerInvoicesView(ApiView):
    """The bills of one customer's periods."""

    resource = "customer"

    @describe(
        "list_customer_invoices",
        "List a customer's invoices",
        tag="customers",
        answer=InvoicesAnswer,
        query=QUERY,
        refuses=(404, 422),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """One page of bills, newest first."""
        customer = find_customer(self.caller.service_id, external_id)
        wanted = replace(_read_wanted(request.query_params), external_customer_id=customer.external_id)
        return _show_page(self.caller.service_id, wanted, request)


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
        return Response({"invoice": show_whole(bill, now=timezone.now())})


def _show_page(service_id: int, wanted: Wanted, request: Request) -> Response:
    page = read_page(request.query_params)
    if _asks_for_others(request.query_params):
        return Response({"invoices": [], "meta": page.describe(0)})
    bills = BillList(service_id, wanted)
    meta = page.describe(bills.count())
    shown = [show_invoice(bill) for bill in bills.read(page.start, page.size)]
    return Response({"invoices": shown, "meta": meta})


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
