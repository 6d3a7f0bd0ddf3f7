"""Usage events as posted, and those that match no metric or no subscription."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from ingest.admin.fee_events import FEES
from ingest.buckets import describe_fee
from ingest.fee_events import events_of, fees_of
from ingest.models import Fee, Metric, Subscription, UsageEvent
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import json_column, quantity_column
from ingest.screens.filters import ServiceFilter, condition_filter, exact_filter
from ingest.screens.formatting import format_instant

MOST_DIGITS = 18  # of a key that the database can hold

KNOWN_CODE = Exists(
    Metric.objects.filter(service=OuterRef("service"), code=OuterRef("code"), deleted_at=None)
)
KNOWN_SUBSCRIPTION = Exists(
    Subscription.objects.filter(
        service=OuterRef("service"), external_id=OuterRef("external_subscription_id"), canceled_at=None
    )
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


class FeeFilter(admin.SimpleListFilter):
    """The events behind one fee; the fee's page links here."""

    title = "fee"
    parameter_name = "fee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The fee that was asked for."""
        fee = _find_fee(request.GET.get("fee", ""))
        return [(str(fee.pk), str(fee))] if fee else [("", "opened from a fee")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEvent]) -> QuerySet[UsageEvent]:
        """Its events; none for a fee that there is not."""
        if not self.value():
            return queryset
        fee = _find_fee(self.value() or "")
        return queryset.filter(pk__in=events_of(fee).values("pk")) if fee else queryset.none()


def _find_fee(key: str) -> Fee | None:
    if not key.isdecimal() or len(key) > MOST_DIGITS:
        return None
    return FEES.filter(pk=key).first()


@admin.register(UsageEvent)
class UsageEventAdmin(EvidenceAdmin):
    """What services posted, newest first; never counted, because there are millions."""

    paginator = InfinitePaginator
    when_empty = "Services post them to the API: see docs/api.md."
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
        FeeFilter,
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
        "shown_fees",
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

    @admin.display(description="fees")
    def shown_fees(self, event: UsageEvent) -> SafeString | str:
        """The fees that the event is part of."""
        links = [
            (reverse("admin:ingest_fee_change", args=[fee.pk]), describe_fee(fee)) for fee in fees_of(event)
        ]
        return (
            format_html_join(", ", '<a class="link" href="{}">{}</a>', links)
            or "none: not rated, or not matched"
        )
