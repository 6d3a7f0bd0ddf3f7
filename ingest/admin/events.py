"""Usage events as posted, and those that match no metric or no subscription."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.paginator import InfinitePaginator

from ingest.admin.fee_events import FEES
from ingest.admin.senders import show_runs, show_senders
from ingest.admin.verdicts import ReceivedFilter, VerdictFilter, show_verdict
from ingest.buckets import describe_fee
from ingest.fee_events import events_of, fees_of
from ingest.models import Fee, Metric, Subscription, UsageEvent
from ingest.near_duplicates import find_near
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import json_column, link_to, quantity_column
from ingest.screens.filters import ServiceFilter, condition_filter, exact_filter
from ingest.screens.formatting import format_instant
from ingest.verdicts import ADVICE, judge

MOST_NEAR = 20
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
        "shown_verdict",
        "used_at",
        "arrived_at",
    )
    list_filter = (
        ServiceFilter,
        VerdictFilter,
        ReceivedFilter,
        MatchFilter,
        FeeFilter,
        exact_filter("metric code", "code", "code"),
        exact_filter("subscription", "subscription", "external_subscription_id"),
    )
    list_select_related = ("service", "key")
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
        "sent_with",
        "explained_verdict",
        "shown_quantity",
        "shown_properties",
        "shown_fees",
        "possible_duplicates",
        "public_id",
    )
    shown_quantity = quantity_column("quantity")
    shown_properties = json_column("properties")

    def get_urls(self) -> list[URLPattern]:
        """The pages that count."""
        pages = {"verdicts": self.show_verdicts, "possible_duplicates": self.show_possible_duplicates}
        own = [
            path(
                f"{name.replace('_', '-')}/",
                self.admin_site.admin_view(view),
                name=f"ingest_usageevent_{name}",
            )
            for name, view in pages.items()
        ]
        return own + super().get_urls()

    def show_verdicts(self, request: HttpRequest) -> TemplateResponse:
        """What became of a day's events, by who sent them."""
        return self._show(request, show_senders)

    def show_possible_duplicates(self, request: HttpRequest) -> TemplateResponse:
        """Events that may be one event sent twice."""
        return self._show(request, show_runs)

    def _show(self, request: HttpRequest, page: Callable[..., TemplateResponse]) -> TemplateResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return page(request, screen=self)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, its page's events judged at once."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        verdicts = judge(changelist.result_list, now=timezone.now())
        for event in changelist.result_list:
            event.verdict = verdicts[event.pk]
        return changelist

    @admin.display(description="verdict")
    def shown_verdict(self, event: UsageEvent) -> SafeString:
        """What metering makes of it today."""
        verdict = getattr(event, "verdict", None) or judge([event], now=timezone.now())[event.pk]
        return show_verdict(verdict)

    @admin.display(description="verdict")
    def explained_verdict(self, event: UsageEvent) -> SafeString:
        """The verdict, and what to do."""
        verdict = judge([event], now=timezone.now())[event.pk]
        return format_html("{} {}", show_verdict(verdict), ADVICE[verdict])

    @admin.display(description="sent with")
    def sent_with(self, event: UsageEvent) -> SafeString | str:
        """The key."""
        return link_to(event.key) if event.key else "a key that was not kept"

    @admin.display(description="possible duplicates")
    def possible_duplicates(self, event: UsageEvent) -> SafeString | str:
        """Events that say the same at the same time under other ids."""
        near = find_near(event)[:MOST_NEAR]
        return format_html_join(", ", "{}", ((link_to(other),) for other in near)) or "none"

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
