"""Odoo's records as they were last read."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, amount_column, json_column, quantity_column
from ingest.screens.filters import condition_filter, exact_filter
from ingest.screens.formatting import show_badge, show_instant
from reconciliation.admin import linking
from reconciliation.models import (
    MirrorCursor,
    OdooFiscalPosition,
    OdooInvoice,
    OdooInvoiceLine,
    OdooOrder,
    OdooOrderLine,
    OdooPartner,
    OdooPlan,
    OdooPricelist,
    OdooProduct,
    OdooTax,
    OdooTaxPast,
)

# What there is in Odoo, and what was once.
ThereFilter = condition_filter(
    "there",
    "there",
    {"yes": ("In Odoo", Q(gone_at=None)), "no": ("Gone in Odoo", Q(gone_at__isnull=False))},
)
# The end of every page: when it was written and read, and whether it is still there.
READ = ("company_id", "written_at", "mirrored_at", "gone_at", "shown_raw")


class MirrorAdmin(EvidenceAdmin):
    """A mirrored model: never changed here, with the raw record beside its columns."""

    ordering = ("-odoo_id",)
    list_filter: Any = (ThereFilter,)
    shown_raw = json_column("raw", title="raw record")

    @admin.display(description="mirrored", ordering="mirrored_at")
    def mirrored(self, row: Any) -> SafeString | str:
        """How old it is, or that Odoo has it no more."""
        if row.gone_at is not None:
            return show_badge("gone in Odoo", "warn", "delete")
        return show_instant(row.mirrored_at)


@admin.register(OdooPartner)
class OdooPartnerAdmin(MirrorAdmin):
    """Who Odoo bills."""

    list_display = ("name", "odoo_id", "ref", "email", "mirrored")
    search_fields = ("name", "ref", "email", "=odoo_id")
    fields = (
        "name",
        "odoo_id",
        "ref",
        "email",
        "vat",
        "is_active",
        "position_id",
        "country_id",
        "state_id",
        "parent_id",
        "address_type",
        *READ,
    )

    def get_urls(self) -> list[URLPattern]:
        """The pages that link customers, and what is wrong."""
        pages = {
            "links": ("links/", linking.show_links),
            "links_file": ("links/file/", linking.show_links_file),
            "findings": ("findings/", linking.show_findings),
        }
        own = [
            path(
                address,
                self.admin_site.admin_view(self._show(page)),
                name=f"reconciliation_odoopartner_{name}",
            )
            for name, (address, page) in pages.items()
        ]
        return own + super().get_urls()

    def _show(self, page: Callable[..., HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return page(request, screen=self)

        return view


@admin.register(OdooProduct)
class OdooProductAdmin(MirrorAdmin):
    """What charges and plans bill as."""

    list_display = ("name", "odoo_id", "default_code", "price", "mirrored")
    search_fields = ("name", "default_code", "=odoo_id")
    fields = ("name", "odoo_id", "default_code", "price", "is_recurring", "is_active", "tax_ids", *READ)
    price = quantity_column("list_price")


@admin.register(OdooPricelist)
class OdooPricelistAdmin(MirrorAdmin):
    """What sets a quotation's currency."""

    list_display = ("name", "odoo_id", "currency", "company_id", "mirrored")
    search_fields = ("name", "=odoo_id")
    fields = ("name", "odoo_id", "currency", "is_active", *READ)


@admin.register(OdooTax)
class OdooTaxAdmin(MirrorAdmin):
    """What a product is taxed with, and what stands in for it elsewhere."""

    list_display = ("name", "odoo_id", "rate", "kind", "use", "is_included", "is_active", "mirrored")
    list_filter = (ThereFilter, exact_filter("use", "use", "use"))
    search_fields = ("name", "=odoo_id")
    fields = (
        *list_display[:-1],
        "affects_base",
        "child_ids",
        "original_ids",
        *READ,
    )
    rate = quantity_column("percent")


@admin.register(OdooFiscalPosition)
class OdooFiscalPositionAdmin(MirrorAdmin):
    """Which taxes are charged where."""

    list_display = ("name", "odoo_id", "sequence", "is_automatic", "is_conditional", "is_active", "mirrored")
    search_fields = ("name", "=odoo_id")
    fields = (
        *list_display[:-1],
        "country_id",
        "state_ids",
        "tax_ids",
        *READ,
    )


@admin.register(OdooOrder)
class OdooOrderAdmin(MirrorAdmin):
    """Subscription orders."""

    list_display = (
        "name",
        "odoo_id",
        "state",
        "subscription_state",
        "partner_id",
        "client_order_ref",
        "shown_untaxed",
        "shown_total",
        "currency",
        "mirrored",
    )
    list_filter = (
        ThereFilter,
        exact_filter("state", "state", "state"),
        exact_filter("partner", "partner", "partner_id"),
    )
    search_fields = ("name", "client_order_ref", "=odoo_id")
    fields = (*list_display[:-1], "plan_name", "start_date", "next_invoice_date", *READ)
    shown_untaxed = amount_column("untaxed")
    shown_total = amount_column("total")


@admin.register(OdooInvoice)
class OdooInvoiceAdmin(MirrorAdmin):
    """Invoices and credit notes, the latter with negative amounts."""

    list_display = (
        "__str__",
        "odoo_id",
        "move_type",
        "state",
        "payment_state",
        "invoice_date",
        "partner_id",
        "shown_untaxed",
        "shown_tax",
        "shown_total",
        "currency",
    )
    list_filter = (
        ThereFilter,
        exact_filter("state", "state", "state"),
        exact_filter("partner", "partner", "partner_id"),
    )
    search_fields = ("name", "=odoo_id")
    fields = (
        "name",
        *list_display[1:],
        "ref",
        "due_date",
        "reversed_id",
        *READ,
    )
    shown_untaxed = amount_column("untaxed")
    shown_tax = amount_column("tax")
    shown_total = amount_column("total")


@admin.register(OdooPlan)
class OdooPlanAdmin(MirrorAdmin):
    """How often Odoo bills subscriptions."""

    list_display = ("name", "odoo_id", "every", "unit", "mirrored")
    search_fields = ("name", "=odoo_id")
    fields = (*list_display[:-1], *READ)


@admin.register(OdooOrderLine)
class OdooOrderLineAdmin(MirrorAdmin):
    """What subscription orders bill."""

    list_display = (
        "name",
        "odoo_id",
        "order_id",
        "product_id",
        "shown_quantity",
        "shown_price",
        "shown_untaxed",
        "shown_to_invoice",
        "external_id",
        "mirrored",
    )
    list_filter = (
        ThereFilter,
        exact_filter("order", "order", "order_id"),
        exact_filter("product", "product", "product_id"),
    )
    search_fields = ("name", "external_id", "=odoo_id", "=order_id")
    fields = (*list_display[:-1], "delivered", "invoiced", "to_invoice", "tax_ids", *READ)
    shown_quantity = quantity_column("quantity")
    shown_price = quantity_column("price_unit")
    shown_untaxed = quantity_column("untaxed")
    shown_to_invoice = quantity_column("untaxed_to_invoice")


@admin.register(OdooInvoiceLine)
class OdooInvoiceLineAdmin(MirrorAdmin):
    """What invoices and credit notes bill, and their taxes, as Odoo shows them."""

    list_display = (
        "name",
        "odoo_id",
        "move_id",
        "display_type",
        "product_id",
        "shown_untaxed",
        "shown_total",
        "shown_balance",
        "mirrored",
    )
    list_filter = (
        ThereFilter,
        exact_filter("invoice", "invoice", "move_id"),
        exact_filter("product", "product", "product_id"),
    )
    search_fields = ("name", "external_id", "=odoo_id", "=move_id")
    fields = (
        *list_display[:-1],
        "quantity",
        "price_unit",
        "tax_ids",
        "sale_line_ids",
        "deferred_from",
        "deferred_to",
        "external_id",
        *READ,
    )
    shown_untaxed = quantity_column("untaxed")
    shown_total = quantity_column("total")
    shown_balance = quantity_column("balance")


@admin.register(MirrorCursor)
class MirrorCursorAdmin(EvidenceAdmin):
    """How far the mirror is, kind by kind."""

    when_empty = "Nothing was mirrored yet: manage.py sync_odoo, or the nightly run."
    list_display = ("kind", "company_id", "shown_state", "completed", "compared", "since", "error")
    list_filter = (exact_filter("company", "company", "company_id"),)
    search_fields = ("kind",)
    fields = (
        "kind",
        "company_id",
        "shown_state",
        "since",
        "started_at",
        "after_id",
        "newest",
        "completed_at",
        "compared_at",
        "error",
    )
    completed = age_column("completed_at", title="complete")
    compared = age_column("compared_at", title="ids compared")

    @admin.display(description="state")
    def shown_state(self, cursor: MirrorCursor) -> SafeString:
        """Whether it is complete, under way, or not allowed."""
        if cursor.error:
            return show_badge("not readable", "bad", "block")
        if cursor.started_at is not None:
            return show_badge("under way", "warn", "sync")
        return show_badge("complete", "good", "check_circle")


@admin.register(OdooTaxPast)
class OdooTaxPastAdmin(EvidenceAdmin):
    """What taxes charged before they changed: closed periods are taxed by it."""

    when_empty = "No tax has changed since it was first mirrored."
    list_display = ("name", "odoo_id", "rate", "kind", "is_included", "is_active", "until", "noticed")
    search_fields = ("name", "=odoo_id")
    fields = (*list_display[:-1], "affects_base", "noticed_at", "company_id")
    rate = quantity_column("percent")
    noticed = age_column("noticed_at", title="noticed")
