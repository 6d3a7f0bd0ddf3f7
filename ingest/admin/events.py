"""Usage events as posted, and those that match no metric or no subscription."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from ingest.models import Metric, Subscription, UsageEvent
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import json_column, quantity_column
from ingest.screens.filters import ServiceFilter, condition_filter, exact_filter
from ingest.screens.formatting import format_instant

KNOWN_CODE = Exists(Metric.objects.filter(service=OuterRef("service"), code=OuterRef("code")))
KNOWN_SUBSCRIPTION = Exists(
    Subscription.objects.filter(service=OuterRef("service"), external_id=OuterRef("external_subscription_id"))
)
MatchFilter = condition_filter(
    "match",
    "match",
    {
        "no": ("Unmatched", ~Q(KNOWN_CODE) | ~Q(KNOWN_SUBSCRIPTION)),
        "code": ("Unknown metric code", ~Q(KNOWN_CODE)),
        "subscription": ("Unknown subscription", ~Q(KNOWN_SUBSCRIPTION)),
    },
)


@admin.register(UsageEvent)
class UsageEventAdmin(EvidenceAdmin):
    """What services posted, newest first; never counted, because there are millions."""

    paginator = InfinitePaginator
    list_display = (
        "transaction_id",
        "service",
        "external_subscription_id",
        "code",
        "shown_quantity",
        "used_at",
        "arrived_at",
    )
    list_filter = (
        ServiceFilter,
        MatchFilter,
        exact_filter("metric code", "code", "code"),
        exact_filter("subscription", "subscription", "external_subscription_id"),
    )
    list_select_related = ("service",)
    # By whole values: a search inside of texts would read the whole table.
    search_fields = ("transaction_id__exact", "external_subscription_id__exact", "code__exact")
    search_help_text = "A whole transaction id, subscription or metric code"
    ordering = ("-id",)
    fields = (
        "service",
        "transaction_id",
        "external_subscription_id",
        "code",
        "used_at",
        "arrived_at",
        "shown_quantity",
        "shown_properties",
        "public_id",
    )
    shown_quantity = quantity_column("quantity")
    shown_properties = json_column("properties")

    @admin.display(description="used at")
    def used_at(self, event: UsageEvent) -> SafeString | str:
        """When the usage happened."""
        return format_instant(event.timestamp)

    @admin.display(description="received at")
    def arrived_at(self, event: UsageEvent) -> SafeString | str:
        """When the console kept it."""
        return format_instant(event.received_at)
