"""The catalogue: metrics, the plans that sell them and the charges that price them."""

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from ingest.models.service import Service


class Aggregation(models.TextChoices):
    """How a metric's events become one quantity (names as in Lago)."""

    COUNT = "count_agg", "Count"
    SUM = "sum_agg", "Sum"


class Interval(models.TextChoices):
    """How often a plan bills (names as in Lago)."""

    WEEKLY = "weekly", "Week"
    MONTHLY = "monthly", "Month"
    QUARTERLY = "quarterly", "Quarter"
    SEMIANNUAL = "semiannual", "Half-year"
    YEARLY = "yearly", "Year"


class ChargeModel(models.TextChoices):
    """How a quantity is priced (names as in Lago)."""

    STANDARD = "standard", "Standard"
    GRADUATED = "graduated", "Graduated"


class Metric(PublicModel):
    """A billable metric: the code that events carry and how they aggregate."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="metrics")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    aggregation = models.CharField(max_length=16, choices=Aggregation.choices)
    field_name = models.CharField(
        max_length=255, blank=True, help_text="The property that is summed; a count needs none."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "code"], name="metric_once_per_service"),
            models.UniqueConstraint(fields=["service", "id"], name="metric_of_service"),
            models.CheckConstraint(
                condition=Q(aggregation__in=Aggregation.values), name="metric_aggregation_is_known"
            ),
            models.CheckConstraint(
                condition=Q(aggregation=Aggregation.COUNT) | ~Q(field_name=""), name="metric_has_its_field"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Plan(PublicModel):
    """What a service sells: an interval, a base amount and charges, in one currency."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="plans")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    interval = models.CharField(max_length=16, choices=Interval.choices, default=Interval.MONTHLY)
    amount = ExactDecimalField(default=0, help_text="The base amount of one full period.")
    currency = models.CharField(max_length=3)
    odoo_product_id = models.BigIntegerField(
        null=True, blank=True, help_text="The Odoo product of the base amount; Odoo prices it itself."
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "code"], name="plan_once_per_service"),
            models.UniqueConstraint(fields=["service", "id"], name="plan_of_service"),
            models.CheckConstraint(condition=Q(interval__in=Interval.values), name="plan_interval_is_known"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="plan_amount_is_not_negative"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="plan_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return self.name


class Charge(PublicModel):
    """The price of a metric on a plan, and the Odoo product it bills as."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="charges")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="charges")
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="charges")
    model = models.CharField(max_length=32, choices=ChargeModel.choices)
    properties = models.JSONField(help_text="As in Lago: amounts are decimal strings.")
    odoo_product_id = models.BigIntegerField(null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["plan", "metric__name"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "metric"], name="charge_once_per_plan_and_metric"),
            models.CheckConstraint(condition=Q(model__in=ChargeModel.values), name="charge_model_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} on {self.plan}"
