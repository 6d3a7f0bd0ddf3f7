"""Alerts: what a service wants to be told of when a subscription's usage grows, and when it was."""

from django.db import models
from django.db.models import Q

from ingest.models.catalogue import Metric
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from ingest.models.service import Service
from ingest.models.subscription import Subscription


class AlertType(models.TextChoices):
    """What an alert watches (names as in Lago): amounts in minor units, before tax."""

    CURRENT_AMOUNT = "current_usage_amount", "The period's usage"
    METRIC_AMOUNT = "billable_metric_current_usage_amount", "The period's usage of a metric"
    METRIC_UNITS = "billable_metric_current_usage_units", "The period's units of a metric"
    LIFETIME_AMOUNT = "lifetime_usage_amount", "All usage since the start"


# Those that are about one metric.
OF_A_METRIC = (AlertType.METRIC_AMOUNT, AlertType.METRIC_UNITS)


class UsageAlert(PublicModel):
    """Thresholds of what a subscription uses, kept by its external id through every change of plan."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="usage_alerts")
    external_subscription_id = models.CharField(max_length=255)
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    alert_type = models.CharField(max_length=64, choices=AlertType.choices)
    metric = models.ForeignKey(
        Metric, null=True, blank=True, on_delete=models.PROTECT, related_name="usage_alerts"
    )
    thresholds = models.JSONField(help_text="Each with its value as text, its code, and whether it recurs.")
    previous_value = ExactDecimalField(default=0, help_text="What the usage was when it was last looked at.")
    period_start = models.DateTimeField(null=True, help_text="Of which period that was.")
    last_processed_at = models.DateTimeField(null=True, help_text="When it was last looked at.")
    is_due = models.BooleanField(
        default=True, help_text="Whether it is to be looked at although nothing was used."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Its code is free again since then.")

    class Meta:
        ordering = ["external_subscription_id", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "external_subscription_id", "code"],
                condition=Q(deleted_at=None),
                name="alert_code_once_per_subscription",
            ),
            models.UniqueConstraint(
                fields=["service", "external_subscription_id", "alert_type"],
                condition=Q(deleted_at=None, metric=None),
                name="alert_type_once_per_subscription",
            ),
            models.UniqueConstraint(
                fields=["service", "external_subscription_id", "alert_type", "metric"],
                condition=Q(deleted_at=None),
                name="alert_metric_once_per_subscription",
            ),
            models.CheckConstraint(
                condition=Q(alert_type__in=OF_A_METRIC, metric__isnull=False)
                | Q(
                    alert_type__in=[AlertType.CURRENT_AMOUNT, AlertType.LIFETIME_AMOUNT], metric__isnull=True
                ),
                name="alert_has_its_metric",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class TriggeredAlert(PublicModel):
    """One time at which an alert's usage had crossed thresholds."""

    alert = models.ForeignKey(UsageAlert, on_delete=models.PROTECT, related_name="triggered")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="triggered_alerts")
    current_value = ExactDecimalField()
    previous_value = ExactDecimalField()
    crossed_thresholds = models.JSONField(help_text="Each with its value, its code, and whether it recurs.")
    triggered_at = models.DateTimeField()

    class Meta:
        ordering = ["-triggered_at", "-id"]

    def __str__(self) -> str:
        return f"{self.alert} at {self.current_value}"
