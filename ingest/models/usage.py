"""Usage and fees: what was used in a period, and what it costs by our own rating."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from ingest.models.catalogue import Charge, ChargeVersion, PlanVersion
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from ingest.models.service import Service
from ingest.models.subscription import Subscription


class PeriodRow(PublicModel):
    """What is about one period of a subscription, and the part of it in which its events count."""

    subscription: models.ForeignKey
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField(max_length=16)
    # Which filter's price and which group it is, and one text that tells such buckets apart.
    filter_values = models.JSONField(
        null=True, help_text="The filter that took the events; null is the rest."
    )
    grouped_by = models.JSONField(default=dict, help_text="The group's properties, as the price asks for.")
    bucket = models.CharField(max_length=64, blank=True, default="")
    quantity = ExactDecimalField(
        help_text="What is priced: rounded as the metric says, prorated if the charge is."
    )
    full_quantity = ExactDecimalField(
        null=True, help_text="Before proration or weighting, where that differs."
    )
    events_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True


class Usage(PeriodRow):
    """The aggregated quantity of a charge's metric for one subscription, period, filter and group."""

    # The unique key begins with it.
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="usage", db_index=False
    )
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="usage")
    late_events_count = models.PositiveBigIntegerField(
        default=0, help_text="Of the events, those that arrived after the period had closed."
    )
    measures = models.JSONField(
        null=True, help_text="What some prices need of single events: allowances, values by day, amounts."
    )
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "usage"
        ordering = ["-period_start", "subscription", "charge"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_start", "charge", "bucket"], name="usage_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="usage_period_is_not_empty"
            ),
        ]
        indexes = [models.Index(fields=["period_start", "subscription"], name="usage_by_period")]

    def __str__(self) -> str:
        return f"{self.charge.metric} {self.period_label}"


class RatedPeriod(PublicModel):
    """One period of a service that was metered and rated for all its customers, and when that was last done."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rated_periods")
    period_label = models.CharField(max_length=16)
    rated_at = models.DateTimeField()

    class Meta:
        ordering = ["service", "period_label"]
        constraints = [
            models.UniqueConstraint(fields=["service", "period_label"], name="rated_period_once"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.period_label}"


class FeeKind(models.TextChoices):
    """What a fee is for."""

    USAGE = "usage", "Usage"
    TRUE_UP = "true_up", "Minimum of a charge"
    PLAN = "plan", "Plan"
    COMMITMENT = "commitment", "Minimum of a plan"
    LATE = "late", "Late usage of an earlier period"


OF_A_CHARGE = (FeeKind.USAGE, FeeKind.TRUE_UP)


class Fee(PeriodRow):
    """A rated amount of one period: usage under a charge, a plan's base amount, or what a minimum adds.

    A fee of late usage is what usage of an earlier period came to after that had closed; it may be below zero.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="fees", db_index=False
    )
    kind = models.CharField(max_length=16, choices=FeeKind.choices)
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="fees")
    # Without an index: a trigger refuses to delete a version, so that none is ever looked up.
    charge_version = models.ForeignKey(
        ChargeVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    plan_version = models.ForeignKey(
        PlanVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    counts_from = models.DateTimeField(null=True, help_text="From when on the subscription's events count.")
    counts_to = models.DateTimeField(null=True, help_text="Until when, exclusive.")
    currency = models.CharField(max_length=3)
    exact_amount = ExactDecimalField(help_text="Unrounded.")
    amount = ExactDecimalField(help_text="Rounded once, half away from zero, to the currency's exponent.")
    unit_amount = ExactDecimalField(
        null=True, help_text="Amount by unit; informative, nothing is priced with it."
    )
    late_amount = ExactDecimalField(
        default=0,
        help_text="The part of the amount that usage makes which arrived after the period had closed.",
    )
    late_events_count = models.PositiveBigIntegerField(default=0)
    deferred_amount = ExactDecimalField(
        default=0,
        db_default=0,
        help_text="The late part of the amount that a later period's bill has, or none does.",
    )
    billed_amount = models.GeneratedField(
        expression=F("amount") - F("deferred_amount"), output_field=ExactDecimalField(), db_persist=True
    )
    of_fee: Any = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="late_fees",
        db_index=False,
        help_text="The fee of the earlier period whose late usage this is.",
    )
    details = models.JSONField(default=list, help_text="The price used and what each tier gave.")
    rated_at = models.DateTimeField()

    class Meta:
        ordering = ["-period_start", "subscription", "kind", "charge"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_start", "kind", "charge", "bucket"],
                name="fee_once_per_charge_and_period",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_A_CHARGE, charge__isnull=False)
                | Q(kind__in=[FeeKind.PLAN, FeeKind.COMMITMENT], charge=None)
                | Q(kind=FeeKind.LATE),
                name="fee_of_usage_has_its_charge",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="fee_period_is_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, exact_amount__gte=0) | Q(kind=FeeKind.LATE),
                name="fee_is_not_negative",
            ),
            # What was carried into a period is billed there: it is not put off a second time.
            models.CheckConstraint(
                condition=Q(kind=FeeKind.LATE, of_fee__isnull=False, deferred_amount=0)
                | (~Q(kind=FeeKind.LATE) & Q(of_fee=None)),
                name="fee_of_late_usage_names_its_fee",
            ),
        ]
        indexes = [
            models.Index(fields=["period_start", "subscription"], name="fee_by_period"),
            models.Index(fields=["of_fee"], condition=Q(of_fee__isnull=False), name="fee_of_late_usage"),
        ]

    def __str__(self) -> str:
        return f"{self.charge or self.subscription.plan} {self.period_label}"
