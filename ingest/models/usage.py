"""Usage and fees: what was used in a period, and what it costs by our own rating."""

from django.db import models
from django.db.models import F, Q

from ingest.models.catalogue import Charge, Metric
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from ingest.models.subscription import Subscription


class Usage(PublicModel):
    """The aggregated quantity of one metric for one subscription over one period."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="usage")
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="usage")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField(max_length=16)
    quantity = ExactDecimalField()
    events_count = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "usage"
        ordering = ["-period_start", "subscription", "metric"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "metric", "period_start"], name="usage_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="usage_period_is_not_empty"
            ),
        ]
        indexes = [models.Index(fields=["period_start", "subscription"], name="usage_by_period")]

    def __str__(self) -> str:
        return f"{self.metric} {self.period_label}"


class FeeKind(models.TextChoices):
    """What a fee is for."""

    USAGE = "usage", "Usage"
    PLAN = "plan", "Plan"


class Fee(PublicModel):
    """A rated amount of one period: usage under a charge, or the plan's base amount."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="fees")
    kind = models.CharField(max_length=16, choices=FeeKind.choices)
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="fees")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    quantity = ExactDecimalField()
    events_count = models.PositiveBigIntegerField(default=0)
    exact_amount = ExactDecimalField(help_text="Unrounded.")
    amount = ExactDecimalField(help_text="Rounded once, half away from zero, to the currency's exponent.")
    details = models.JSONField(default=list, help_text="The price used and what each tier gave.")
    rated_at = models.DateTimeField()

    class Meta:
        ordering = ["-period_start", "subscription", "kind", "charge"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_start", "charge"],
                name="fee_once_per_charge_and_period",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(kind=FeeKind.PLAN, charge=None) | Q(kind=FeeKind.USAGE, charge__isnull=False),
                name="fee_of_usage_has_its_charge",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="fee_period_is_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, exact_amount__gte=0), name="fee_is_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["period_start", "subscription"], name="fee_by_period")]

    def __str__(self) -> str:
        return f"{self.charge or self.subscription.plan} {self.period_label}"
