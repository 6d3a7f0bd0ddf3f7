"""Odoo's records as they were last read."""

from django.contrib import admin

from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, amount_column, json_column, quantity_column
from ingest.screens.filters import exact_filter
from reconciliation.models import (
    OdooFiscalPosition,
    OdooInvoice,
    OdooOrder,
    OdooPartner,
    OdooPricelist,
    OdooProduct,
    OdooTax,
)


class MirrorAdmin(EvidenceAdmin):
    """A mirrored model: never changed here, with the raw record beside its columns."""

    ordering = ("-odoo_id",)
    mirrored = age_column("mirrored_at", title="mirrored")
    shown_raw = json_column("raw", title="raw record")


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
        "company_id",
        "position_id",
        "country_id",
        "state_id",
        "parent_id",
        "address_type",
        "written_at",
        "mirrored_at",
        "shown_raw",
    )


@admin.register(OdooProduct)
class OdooProductAdmin(MirrorAdmin):
    """What charges and plans bill as."""

    list_display = ("name", "odoo_id", "default_code", "price", "mirrored")
    search_fields = ("name", "default_code", "=odoo_id")
    fields = ("name", "odoo_id", "default_code", "price", "tax_ids", "written_at", "mirrored_at", "shown_raw")
    price = quantity_column("list_price")


@admin.register(OdooPricelist)
class OdooPricelistAdmin(MirrorAdmin):
    """What sets a quotation's currency."""

    list_display = ("name", "odoo_id", "currency", "company_id", "mirrored")
    search_fields = ("name", "=odoo_id")
    fields = ("name", "odoo_id", "currency", "company_id", "written_at", "mirrored_at", "shown_raw")


@admin.register(OdooTax)
class OdooTaxAdmin(MirrorAdmin):
    """What a product is taxed with, and what stands in for it elsewhere."""

    list_display = ("name", "odoo_id", "rate", "kind", "use", "is_included", "is_active", "mirrored")
    list_filter = (exact_filter("use", "use", "use"),)
    search_fields = ("name", "=odoo_id")
    fields = (
        *list_display[:-1],
        "affects_base",
        "child_ids",
        "original_ids",
        "company_id",
        "written_at",
        "mirrored_at",
        "shown_raw",
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
        "company_id",
        "written_at",
        "mirrored_at",
        "shown_raw",
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
    list_filter = (exact_filter("state", "state", "state"), exact_filter("partner", "partner", "partner_id"))
    search_fields = ("name", "client_order_ref", "=odoo_id")
    fields = (*list_display[:-1], "plan_name", "next_invoice_date", "written_at", "mirrored_at", "shown_raw")
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
    list_filter = (exact_filter("state", "state", "state"), exact_filter("partner", "partner", "partner_id"))
    search_fields = ("name", "=odoo_id")
    fields = ("name", *list_display[1:], "order", "written_at", "mirrored_at", "shown_raw")
    shown_untaxed = amount_column("untaxed")
    shown_tax = amount_column("tax")
    shown_total = amount_column("total")
