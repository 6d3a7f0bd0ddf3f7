"""Usage and fees: what was used, and what it costs by our own rating."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ingest.admin.fee_events import FEES, stream_events
from ingest.buckets import describe_bucket, describe_fee
from ingest.computed import explain_fee
from ingest.models import Fee, FeeKind, LateSettlement, Usage
from ingest.screens.base import EvidenceAdmin, EvidenceInline
from ingest.screens.columns import age_column, amount_column, exact_column, quantity_column
from ingest.screens.filters import PeriodFilter, service_filter
from ingest.screens.formatting import NOTHING, format_signed

SubscriptionServiceFilter = service_filter("subscription__service")


@admin.register(Usage)
class UsageAdmin(EvidenceAdmin):
    """The quantity of each metric per subscription and period."""

    list_display = (
        "subscription",
        "customer",
        "metric",
        "group",
        "period_label",
        "shown_quantity",
        "events_count",
        "computed",
    )
    list_filter = (SubscriptionServiceFilter, PeriodFilter)
    list_select_related = ("subscription__customer", "charge__metric")
    search_fields = ("subscription__external_id", "subscription__customer__name", "charge__metric__code")
    search_help_text = "Subscription, customer or metric code"
    ordering = ("-period_start", "-id")
    fields = (
        "subscription",
        "metric",
        "group",
        "period_label",
        "period_start",
        "period_end",
        "shown_quantity",
        "shown_full_quantity",
        "events_count",
        "late_events_count",
        "computed_at",
    )
    shown_full_quantity = quantity_column("full_quantity")
    shown_quantity = quantity_column("quantity")
    computed = age_column("computed_at", title="computed")

    @admin.display(ordering="charge__metric__name")
    def metric(self, usage: Usage) -> str:
        """What was metered."""
        return str(usage.charge.metric)

    @admin.display(description="filter and group")
    def group(self, usage: Usage) -> str:
        """Which filter and group the quantity is of."""
        return describe_bucket(usage)

    @admin.display(ordering="subscription__customer__name")
    def customer(self, usage: Usage) -> str:
        """Whose subscription it is."""
        return str(usage.subscription.customer)


class LateSettlementInline(EvidenceInline):
    """What became of a fee's late usage, open period by open period."""

    model = LateSettlement
    verbose_name_plural = "late usage"
    fields = ("period_label", "shown_amount", "outcome", "policy", "events_count", "settled_at")
    readonly_fields = fields
    shown_amount = amount_column("amount", currency="fee__currency", is_signed=True)


@admin.register(Fee)
class FeeAdmin(EvidenceAdmin):
    """The rated amounts, with the price used and what each tier gave."""

    list_display = (
        "__str__",
        "customer",
        "subscription",
        "period_label",
        "kind",
        "shown_quantity",
        "shown_amount",
        "currency",
        "shown_late",
        "rated",
    )
    list_filter = (SubscriptionServiceFilter, PeriodFilter, "kind")
    list_select_related = (
        "subscription__customer",
        "subscription__plan",
        "charge__metric",
        "charge__plan",
        "charge_version",
        "of_fee",
    )
    search_fields = ("subscription__external_id", "subscription__customer__name", "charge__metric__code")
    search_help_text = "Subscription, customer or metric code"
    ordering = ("-period_start", "-id")
    fields = (
        "subscription",
        "kind",
        "origin",
        "charge",
        "price_version",
        "group",
        "period_label",
        "period_start",
        "period_end",
        "counts_from",
        "counts_to",
        "shown_quantity",
        "shown_full_quantity",
        "events",
        "shown_exact_amount",
        "shown_amount",
        "shown_unit_amount",
        "shown_late",
        "shown_billed",
        "late_fees",
        "currency",
        "how",
        "rated_at",
    )
    shown_full_quantity = quantity_column("full_quantity", title="before proration")
    shown_unit_amount = exact_column("unit_amount", title="per unit, informative")
    shown_late = amount_column("late_amount", title="from late usage", is_signed=True)
    shown_billed = amount_column("billed_amount", title="on the period's own bill")
    inlines = (LateSettlementInline,)
    shown_quantity = quantity_column("quantity")
    shown_amount = amount_column("amount")
    shown_exact_amount = exact_column("exact_amount")
    rated = age_column("rated_at", title="rated")

    def get_urls(self) -> list[URLPattern]:
        """The list's own addresses, and the download of a fee's events before them."""
        view = self.admin_site.admin_view(self.download_events)
        return [path("<int:object_id>/events.csv", view, name="ingest_fee_events"), *super().get_urls()]

    def download_events(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        """The events of one fee as comma-separated values, for whoever may see both."""
        if not (self.has_view_permission(request) and request.user.has_perm("ingest.view_usageevent")):
            raise PermissionDenied
        return stream_events(get_object_or_404(FEES, pk=object_id))

    @admin.display(ordering="subscription__customer__name")
    def customer(self, fee: Fee) -> str:
        """Whose subscription it is."""
        return str(fee.subscription.customer)

    @admin.display(description="price version")
    def price_version(self, fee: Fee) -> str:
        """Which version of the price it was rated with."""
        return str(fee.charge_version or fee.plan_version or "")

    @admin.display(description="filter and group")
    def group(self, fee: Fee) -> str:
        """Which filter and group the fee is of."""
        return describe_bucket(fee)

    @admin.display(description="late usage of")
    def origin(self, fee: Fee) -> SafeString | str:
        """The fee of the earlier period that this was carried from; none for any other fee."""
        return _link(fee.of_fee) if fee.of_fee else NOTHING

    @admin.display(description="billed with later periods")
    def late_fees(self, fee: Fee) -> SafeString | str:
        """What of it was carried, each a fee of the period that has it."""
        carried = fee.late_fees.exclude(amount=0).select_related("charge__metric", "of_fee")
        rows = [
            (_link(each), format_signed(each.amount, each.currency))
            for each in carried.order_by("period_start")
        ]
        return format_html_join(", ", "{}: {}", rows) or NOTHING

    @admin.display(description="events")
    def events(self, fee: Fee) -> SafeString | str:
        """How many events made it, and where they are."""
        if fee.kind not in (FeeKind.USAGE, FeeKind.LATE):
            return "none"
        address = f"{reverse('admin:ingest_usageevent_changelist')}?fee={fee.pk}"
        late = f", {fee.late_events_count} of them late" if fee.late_events_count else ""
        return format_html(
            '<a class="link" href="{}">{} events{}</a>, <a class="link" href="{}">as CSV</a>',
            address,
            fee.events_count,
            late,
            reverse("admin:ingest_fee_events", args=[fee.pk]),
        )

    def get_inlines(self, request: HttpRequest, obj: Fee | None = None) -> Any:
        """What became of late usage, for a fee that had any."""
        return self.inlines if obj is not None and obj.late_settlements.exists() else ()

    @admin.display(description="how it was computed")
    def how(self, fee: Fee) -> SafeString:
        """The price that was used and what each part gave."""
        return render_to_string("console/computed.html", {"computed": explain_fee(fee), "fee": fee})


def _link(fee: Fee) -> SafeString:
    address = reverse("admin:ingest_fee_change", args=[fee.pk])
    return format_html(
        '<a class="link" href="{}">{}</a>', address, f"{describe_fee(fee)}, {fee.period_label}"
    )
