"""Customers: who is linked to which Odoo partner, and who is not yet."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ingest import customers
from ingest.models import Customer, LagoId, LagoKind, Subscription, SubscriptionStatus
from ingest.screens.actions import person_of, say
from ingest.screens.base import ConsoleAdmin
from ingest.screens.filters import ServiceFilter, condition_filter
from ingest.screens.formatting import show_badge
from ingest.terminations import in_status

LinkFilter = condition_filter(
    "link",
    "linked",
    {
        "no": ("Not linked to Odoo", Q(odoo_partner_id=None)),
        "yes": ("Linked to Odoo", Q(odoo_partner_id__isnull=False)),
    },
)


@admin.register(Customer)
class CustomerAdmin(ConsoleAdmin):
    """The account links; finance sets the Odoo partner, services send everything else."""

    list_display = ("__str__", "service", "external_id", "link", "stripe_customer_id", "subscriptions_count")
    list_filter = (ServiceFilter, LinkFilter)
    list_select_related = ("service",)
    search_fields = ("name", "external_id", "email", "stripe_customer_id", "=odoo_partner_id")
    search_help_text = "Name, external id, e-mail, Stripe customer or Odoo partner id"
    fields = (
        "service",
        "external_id",
        "name",
        "email",
        "timezone",
        "currency",
        "profile",
        "deleted_at",
        "odoo_partner_id",
        "stripe_customer_id",
        "lago_id",
    )
    readonly_fields = tuple(name for name in fields if name != "odoo_partner_id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Services and the mirror add customers."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Each customer with how many subscriptions run or are to begin."""
        open_ones = (
            Subscription.objects.filter(customer=OuterRef("pk"))
            .filter(
                in_status(SubscriptionStatus.ACTIVE, Now()) | in_status(SubscriptionStatus.PENDING, Now())
            )
            .order_by()
            .values("customer")
            .annotate(count=Count("*"))
            .values("count")
        )
        return super().get_queryset(request).annotate(open_count=Coalesce(Subquery(open_ones), 0))

    @admin.display(description="Odoo partner", ordering="odoo_partner_id")
    def link(self, customer: Customer) -> SafeString:
        """The partner's id, or that there is none."""
        if customer.is_linked:
            return show_badge(f"partner {customer.odoo_partner_id}", "good", "link")
        return show_badge("unlinked", "warn", "link_off")

    @admin.display(description="Lago's id")
    def lago_id(self, customer: Customer) -> str:
        """What the customer was in Lago, where it came from there."""
        ids = LagoId.objects.filter(kind=LagoKind.CUSTOMER, public_id=customer.public_id)
        return ", ".join(str(each.lago_id) for each in ids) or "–"

    @admin.display(description="open subscriptions")
    def subscriptions_count(self, customer: Any) -> int:
        """How many subscriptions are open."""
        return customer.open_count

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """Sets the link, through the function that audits it."""
        say(request, lambda: self._link(request, obj))

    def _link(self, request: HttpRequest, customer: Customer) -> str:
        partner = customer.odoo_partner_id
        if not customers.link(customer=customer, odoo_partner_id=partner, actor=person_of(request)):
            return f"{customer}: nothing changed."
        return f"{customer} is linked to Odoo partner {partner}." if partner else f"{customer} is unlinked."
