"""Subscriptions, and who bills each of them from when."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from ingest.models.catalogue import Plan
from ingest.models.customer import Customer
from ingest.models.public import PublicModel
from ingest.models.service import Service


class BillingTime(models.TextChoices):
    """Whether periods follow the calendar or the day the subscription began (names as in Lago)."""

    CALENDAR = "calendar", "Calendar"
    ANNIVERSARY = "anniversary", "Anniversary"


class SubscriptionStatus(models.TextChoices):
    """Where a subscription stands at an instant: its dates say it, no sweep has to (names as in Lago)."""

    PENDING = "pending", "Pending"
    ACTIVE = "active", "Active"
    TERMINATED = "terminated", "Terminated"
    CANCELED = "canceled", "Canceled"


class Subscription(PublicModel):
    """A customer on a plan from an instant to another, under the service's own id for it.

    A change of plan ends one and begins the next under the same external id, at the same instant.
    """

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="subscriptions")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    external_id = models.CharField(max_length=255)
    billing_time = models.CharField(max_length=16, choices=BillingTime.choices, default=BillingTime.CALENDAR)
    name = models.CharField(max_length=255, blank=True)
    subscription_at = models.DateTimeField(
        null=True, blank=True, help_text="What anniversaries count from; empty is its own start."
    )
    started_at = models.DateTimeField(help_text="In the future it is pending until then.")
    ending_at = models.DateTimeField(null=True, blank=True, help_text="The end that was agreed on.")
    terminated_at = models.DateTimeField(
        null=True, blank=True, help_text="Its end, exclusive; one in the future is decided already."
    )
    canceled_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was given up before it began: it never runs."
    )
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="next_ones"
    )
    plan_billed_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Base amounts of earlier periods were due before it was known: they are not billed.",
    )
    metered_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Periods that ended by then are history: they were billed elsewhere, and are not metered.",
    )
    odoo_order_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    profile = models.JSONField(
        default=dict, blank=True, help_text="What else the service says of it, in Lago's field names."
    )

    class Meta:
        ordering = ["external_id", "-started_at"]
        # The constraint subscription_one_at_a_time, in a migration, keeps those of one external id apart in time.
        indexes = [
            models.Index(fields=["service", "external_id", "started_at"], name="subscription_by_external_id")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(terminated_at=None) | Q(terminated_at__gt=F("started_at")),
                name="subscription_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(canceled_at=None) | Q(canceled_at__lte=F("started_at")),
                name="subscription_is_canceled_before_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(billing_time__in=BillingTime.values), name="subscription_billing_time_is_known"
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="subscription_has_an_external_id"),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def anchor(self) -> datetime:
        """What its anniversaries count from: kept through every change of plan."""
        return self.subscription_at or self.started_at

    def status_at(self, now: datetime) -> SubscriptionStatus:
        """Where it stands at an instant."""
        if self.canceled_at is not None:
            return SubscriptionStatus.CANCELED
        if self.terminated_at is not None and self.terminated_at <= now:
            return SubscriptionStatus.TERMINATED
        return SubscriptionStatus.PENDING if self.started_at > now else SubscriptionStatus.ACTIVE


class Biller(models.TextChoices):
    """Who bills a subscription's period."""

    SERVICE = "service", "The service"
    ODOO = "odoo", "Odoo"


class BillerTerm(models.Model):
    """From which period start on who bills a subscription; before its first term the service does."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="biller_terms")
    biller = models.CharField(max_length=16, choices=Biller.choices)
    starts_at = models.DateTimeField(help_text="The first period start that this biller bills.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["subscription", "starts_at"]
        constraints = [
            # One answer for every period start: the latest term at or before it.
            models.UniqueConstraint(fields=["subscription", "starts_at"], name="biller_once_per_start"),
            models.CheckConstraint(condition=Q(biller__in=Biller.values), name="biller_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_biller_display()} from {self.starts_at:%Y-%m-%d}"
