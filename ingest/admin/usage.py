"""Usage and fees: what was used, and what it costs by our own rating."""

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingest.buckets import describe_bucket
from ingest.computed import explain_fee
from ingest.models import Fee, FeeKind, Usage
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, amount_column, exact_column, quantity_column
from ingest.screens.filters import PeriodFilter, service_filter

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
    )
    search_fields = ("subscription__external_id", "subscription__customer__name", "charge__metric__code")
    search_help_text = "Subscription, customer or metric code"
    ordering = ("-period_start", "-id")
    fields = (
        "subscription",
        "kind",
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
        "currency",
        "how",
        "rated_at",
    )
    shown_full_quantity = quantity_column("full_quantity", title="before proration")
    shown_unit_amount = exact_column("unit_amount", title="per unit, informative")
    shown_late = amount_column("late_amount", title="from late usage", is_signed=True)
    shown_quantity = quantity_column("quantity")
    shown_amount = amount_column("amount")
    shown_exact_amount = exact_column("exact_amount")
    rated = age_column("rated_at", title="rated")

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

    @admin.display(description="events")
    def events(self, fee: Fee) -> SafeString | str:
        """How many events made it, and where they are."""
        if fee.kind != FeeKind.USAGE:
            return "none"
        address = f"{reverse('admin:ingest_usageevent_changelist')}?fee={fee.pk}"
        late = f", {fee.late_events_count} of them late" if fee.late_events_count else ""
        return format_html('<a class="link" href="{}">{} events{}</a>', address, fee.events_count, late)

    @admin.display(description="how it was computed")
    def how(self, fee: Fee) -> SafeString:
        """The price that was used and what each part gave."""
        return render_to_string("console/computed.html", {"computed": explain_fee(fee), "fee": fee})
