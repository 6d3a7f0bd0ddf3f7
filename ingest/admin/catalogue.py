"""The catalogue: metrics, plans with their charges, and the versions of their prices."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from ingest.admin.price_check import show_price_check
from ingest.admin.what_if import show_what_if
from ingest.models import Charge, ChargeModel, ChargeVersion, Metric, Plan, PlanVersion
from ingest.products import PERMISSION, set_product
from ingest.screens.actions import person_of, say
from ingest.screens.base import EvidenceAdmin, EvidenceInline
from ingest.screens.columns import amount_column, json_column
from ingest.screens.filters import ServiceFilter, condition_filter, exact_filter
from ingest.screens.formatting import show_json


@admin.register(Metric)
class MetricAdmin(EvidenceAdmin):
    """What is metered, and how events become a quantity."""

    list_display = ("name", "code", "service", "aggregation", "field_name", "is_recurring", "deleted_at")
    list_filter = (ServiceFilter, "aggregation", "is_recurring")
    list_select_related = ("service",)
    search_fields = ("name", "code")
    fields = (
        "service",
        "code",
        "name",
        "description",
        "aggregation",
        "field_name",
        "is_recurring",
        "rounding_function",
        "rounding_precision",
        "expression",
        "shown_filters",
        "created_at",
        "deleted_at",
    )
    shown_filters = json_column("filters", title="filters")


class ChargeInline(EvidenceInline):
    """What a plan charges for, and charged for."""

    model = Charge
    fields = (
        "metric",
        "code",
        "shown_model",
        "shown_price",
        "odoo_product_id",
        "deleted_at",
        "other_price",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Charge]:
        """The charges with their versions."""
        return super().get_queryset(request).prefetch_related("versions")

    @admin.display(description="model")
    def shown_model(self, charge: Charge) -> str:
        """How the newest version prices."""
        version = _newest(charge)
        return str(version.get_model_display()) if version else ""

    @admin.display(description="price")
    def shown_price(self, charge: Charge) -> SafeString | str:
        """The newest version's properties."""
        version = _newest(charge)
        return show_json(version.properties) if version else ""

    @admin.display(description="another price")
    def other_price(self, charge: Charge) -> SafeString:
        """Where a closed period is rated with another price."""
        return _link_what_if(charge, "What if?")


class PlanVersionInline(EvidenceInline):
    """What a plan costs, and has cost."""

    model = PlanVersion
    fields = ("number", "effective_from", "shown_amount", "shown_minimum", "trial_days", "created_at")
    readonly_fields = fields
    shown_amount = amount_column("amount", currency="plan__currency", title="base amount")
    shown_minimum = amount_column("minimum_commitment", currency="plan__currency", title="minimum")


class ChargeVersionInline(EvidenceInline):
    """How a charge is priced, and was."""

    model = ChargeVersion
    fields = (
        "number",
        "effective_from",
        "model",
        "shown_properties",
        "shown_filters",
        "is_prorated",
        "is_pay_in_advance",
        "shown_minimum",
    )
    readonly_fields = fields
    shown_properties = json_column("properties")
    shown_filters = json_column("filters")
    shown_minimum = amount_column("min_amount", currency="charge__plan__currency", title="minimum")


def _link_what_if(charge: Charge, text: str) -> SafeString:
    address = reverse("admin:ingest_charge_what_if", args=[charge.pk])
    return format_html('<a class="link" href="{}">{}</a>', address, text)


def _newest(charge: Charge) -> ChargeVersion | None:
    return max(charge.versions.all(), key=lambda each: (each.effective_from, each.number), default=None)


ProductFilter = condition_filter(
    "Odoo product",
    "product",
    {
        "no": ("Without an Odoo product", Q(odoo_product_id=None, deleted_at=None)),
        "yes": ("With an Odoo product", Q(odoo_product_id__isnull=False)),
    },
)


class MappedAdmin(SimpleHistoryAdmin, EvidenceAdmin):
    """What is sold: services send it, finance says which Odoo product it bills as. Rows keep their versions."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may set products, and nothing else."""
        return request.user.has_perm(PERMISSION)

    def has_change_history_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: an old version is not brought back by hand."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Everything but the product."""
        return tuple(name for name in super().get_readonly_fields(request, obj) if name != "odoo_product_id")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Sets the product, through the function that audits it."""
        say(request, lambda: self._map(request, obj))

    def _map(self, request: HttpRequest, sold: Plan | Charge) -> str:
        product = sold.odoo_product_id
        if not set_product(sold=sold, odoo_product_id=product, actor=person_of(request)):
            return f"{sold}: nothing changed."
        return f"{sold} bills as Odoo product {product}." if product else f"{sold} has no Odoo product."


@admin.register(Plan)
class PlanAdmin(MappedAdmin):
    """What is sold, with the charges that price its usage."""

    list_display = (
        "name",
        "code",
        "service",
        "interval",
        "shown_amount",
        "currency",
        "odoo_product_id",
        "deleted_at",
    )
    list_filter = (ServiceFilter, ProductFilter, "interval", exact_filter("currency", "currency", "currency"))
    list_select_related = ("service",)
    search_fields = ("name", "code")
    fields = (
        "service",
        "code",
        "name",
        "invoice_display_name",
        "description",
        "interval",
        "is_pay_in_advance",
        "shown_amount",
        "currency",
        "odoo_product_id",
        "created_at",
        "deleted_at",
    )
    inlines = (PlanVersionInline, ChargeInline)
    shown_amount = amount_column("amount", title="base amount")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """The plans with the base amount of their newest version."""
        newest = PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("-effective_from", "-number")
        return super().get_queryset(request).annotate(amount=Subquery(newest.values("amount")[:1]))


@admin.register(Charge)
class ChargeAdmin(MappedAdmin):
    """The price of a metric on a plan."""

    list_display = (
        "__str__",
        "code",
        "service",
        "plan",
        "metric",
        "shown_model",
        "odoo_product_id",
        "deleted_at",
    )
    list_filter = (ServiceFilter, ProductFilter, "plan__interval")
    list_select_related = ("service", "plan", "metric")
    search_fields = ("code", "plan__name", "plan__code", "metric__name", "metric__code")
    fields = (
        "service",
        "plan",
        "metric",
        "code",
        "invoice_display_name",
        "shown_model",
        "odoo_product_id",
        "other_price",
        "created_at",
        "deleted_at",
    )
    inlines = (ChargeVersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Charge]:
        """The charges with the model of their newest version."""
        newest = ChargeVersion.objects.filter(charge=OuterRef("pk")).order_by("-effective_from", "-number")
        rows = super().get_queryset(request)
        return rows.annotate(pricing=Subquery(newest.values("model")[:1]), currency=F("plan__currency"))

    def get_urls(self) -> list[URLPattern]:
        """The list's own addresses, and the price check's before them."""
        views = [
            ("price-check/", self.price_check, "ingest_charge_price_check"),
            ("<int:object_id>/what-if/", self.what_if, "ingest_charge_what_if"),
        ]
        own = [path(route, self.admin_site.admin_view(view), name=name) for route, view, name in views]
        return own + super().get_urls()

    def price_check(self, request: HttpRequest) -> TemplateResponse:
        """What would this cost? For whoever may see charges."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return show_price_check(request, screen=self)

    def what_if(self, request: HttpRequest, object_id: int) -> TemplateResponse:
        """What if a closed period had had another price? For whoever may see charges and fees."""
        if not (self.has_view_permission(request) and request.user.has_perm("ingest.view_fee")):
            raise PermissionDenied
        rows = Charge.objects.select_related("service", "plan", "metric")
        return show_what_if(request, screen=self, charge=get_object_or_404(rows, pk=object_id))

    @admin.display(description="another price")
    def other_price(self, charge: Charge) -> SafeString:
        """Where a closed period is rated with another price."""
        return _link_what_if(charge, "What if a closed period had had another price?")

    @admin.display(description="model")
    def shown_model(self, charge: Charge) -> str:
        """How the newest version prices."""
        pricing = getattr(charge, "pricing", None)
        return ChargeModel(pricing).label if pricing else ""
