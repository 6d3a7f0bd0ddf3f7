"""The catalogue: metrics, the plans that sell them and the charges that price them."""

from datetime import UTC, datetime

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
    MAX = "max_agg", "Maximum"
    UNIQUE_COUNT = "unique_count_agg", "Unique count"
    WEIGHTED_SUM = "weighted_sum_agg", "Weighted sum"
    LATEST = "latest_agg", "Latest"


class RoundingFunction(models.TextChoices):
    """How a metric's quantity is rounded before it is priced (names as in Lago)."""

    ROUND = "round", "Half away from zero"
    CEIL = "ceil", "Up"
    FLOOR = "floor", "Down"


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
    GRADUATED_PERCENTAGE = "graduated_percentage", "Graduated percentage"
    PACKAGE = "package", "Package"
    PERCENTAGE = "percentage", "Percentage"
    VOLUME = "volume", "Volume"
    DYNAMIC = "dynamic", "Dynamic"


# Since when a price holds that no other one preceded.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Metric(PublicModel):
    """A billable metric: the code that events carry and how they aggregate."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="metrics")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    aggregation = models.CharField(max_length=16, choices=Aggregation.choices)
    field_name = models.CharField(
        max_length=255, blank=True, help_text="The property that is aggregated; a count needs none."
    )
    is_recurring = models.BooleanField(
        default=False, help_text="What was added in earlier periods counts until it is taken away."
    )
    rounding_function = models.CharField(max_length=8, choices=RoundingFunction.choices, blank=True)
    rounding_precision = models.SmallIntegerField(
        default=0, help_text="Digits after the point; below zero tens, hundreds and so on."
    )
    expression = models.TextField(
        blank=True, help_text="Evaluated when an event arrives; its result becomes the event's field."
    )
    filters = models.JSONField(
        default=dict, blank=True, help_text="The properties that a price may depend on, with their values."
    )
    description = models.TextField(blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Its code is free again since then.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "code"],
                condition=Q(deleted_at=None),
                name="metric_once_per_service",
            ),
            models.UniqueConstraint(fields=["service", "id"], name="metric_of_service"),
            models.CheckConstraint(
                condition=Q(aggregation__in=Aggregation.values), name="metric_aggregation_is_known"
            ),
            models.CheckConstraint(
                condition=Q(aggregation=Aggregation.COUNT) | ~Q(field_name=""), name="metric_has_its_field"
            ),
            models.CheckConstraint(
                condition=Q(is_recurring=False)
                | Q(aggregation__in=[Aggregation.SUM, Aggregation.UNIQUE_COUNT, Aggregation.WEIGHTED_SUM]),
                name="metric_can_recur",
            ),
            models.CheckConstraint(
                condition=Q(rounding_function="") | Q(rounding_function__in=RoundingFunction.values),
                name="metric_rounding_is_known",
            ),
            models.CheckConstraint(
                condition=Q(expression="") | ~Q(field_name=""), name="metric_expression_has_its_field"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Plan(PublicModel):
    """What a service sells, in one currency: an interval, a base amount and charges; prices are versions."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="plans")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    interval = models.CharField(max_length=16, choices=Interval.choices, default=Interval.MONTHLY)
    currency = models.CharField(max_length=3)
    odoo_product_id = models.BigIntegerField(
        null=True, blank=True, help_text="The Odoo product of the base amount; Odoo prices it itself."
    )
    description = models.TextField(blank=True)
    invoice_display_name = models.CharField(max_length=255, blank=True)
    is_pay_in_advance = models.BooleanField(
        default=False, help_text="The base amount is billed when a period begins; else when it ends."
    )
    commitment_display_name = models.CharField(
        max_length=255, blank=True, help_text="What the minimum commitment is called."
    )
    metadata = models.JSONField(
        null=True, blank=True, help_text="What the service notes of it, texts by their keys; empty is none."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="Its code is free again since then.")
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        permissions = [("map_product", "Can set the Odoo product of plans and charges")]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "code"], condition=Q(deleted_at=None), name="plan_once_per_service"
            ),
            models.UniqueConstraint(fields=["service", "id"], name="plan_of_service"),
            models.CheckConstraint(condition=Q(interval__in=Interval.values), name="plan_interval_is_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="plan_currency_is_iso"),
        ]

    def __str__(self) -> str:
        return self.name


class PriceVersion(PublicModel):
    """What a price was from an instant on; append-only, so that a past period is rated as it was."""

    number = models.PositiveIntegerField()
    effective_from = models.DateTimeField(
        default=BEGINNING, help_text="It prices the periods that end after this instant."
    )

    class Meta:
        abstract = True
        ordering = ["effective_from", "number"]


class PlanVersion(PriceVersion):
    """One version of what a plan costs beside its usage; amounts in the plan's currency."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    amount = ExactDecimalField(default=0, help_text="The base amount of one full period.")
    minimum_commitment = ExactDecimalField(
        default=0, help_text="What a full period costs at least, usage included."
    )
    trial_days = models.PositiveIntegerField(
        default=0, help_text="Days from the start without a base amount."
    )

    class Meta(PriceVersion.Meta):
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=0, minimum_commitment__gte=0), name="plan_amount_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"


class Charge(PublicModel):
    """A metric that a plan prices, and the Odoo product it bills as; how it is priced are versions."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="charges")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="charges")
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="charges")
    code = models.CharField(max_length=255, blank=True, help_text="The service's own name for it.")
    invoice_display_name = models.CharField(max_length=255, blank=True)
    odoo_product_id = models.BigIntegerField(null=True, blank=True)
    deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="It prices no period that ends after this instant."
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["plan", "metric__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "code"],
                condition=Q(deleted_at=None) & ~Q(code=""),
                name="charge_code_once_per_plan",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} on {self.plan}"


class ChargeVersion(PriceVersion):
    """One version of how a charge is priced."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="versions")
    model = models.CharField(max_length=32, choices=ChargeModel.choices)
    properties = models.JSONField(help_text="As in Lago: amounts are decimal strings.")
    filters = models.JSONField(
        default=list, blank=True, help_text="Prices of their own for some of the metric's filter values."
    )
    is_prorated = models.BooleanField(default=False, help_text="A unit costs by the days it was there.")
    is_pay_in_advance = models.BooleanField(default=False, help_text="Each event is billed on arrival.")
    min_amount = ExactDecimalField(default=0, help_text="What a full period of this charge costs at least.")

    class Meta(PriceVersion.Meta):
        constraints = [
            models.UniqueConstraint(fields=["charge", "number"], name="charge_version_once"),
            models.CheckConstraint(condition=Q(model__in=ChargeModel.values), name="charge_model_is_known"),
            models.CheckConstraint(condition=Q(min_amount__gte=0), name="charge_minimum_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.charge} v{self.number}"
