"""Services: the applications whose billing moves to Odoo."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from ingest.models.public import PublicModel

# As many events of ordinary size as one body may hold.
MOST_EVENTS = 10_000


def validate_timezone(name: str) -> None:
    """Refuses a name that is not an IANA time zone."""
    if name not in available_timezones():
        raise ValidationError("%(name)s is not a time zone, such as America/Toronto.", params={"name": name})


class Phase(models.TextChoices):
    """How far a service has moved; a rolled back service is in its dual run again."""

    SHADOW = "shadow", "Shadow"
    DUAL_RUN = "dual_run", "Dual run"
    APPROVED = "approved", "Approved"
    LIVE = "live", "Live"


class LateUsagePolicy(models.TextChoices):
    """Who pays for usage that arrived after its period had closed."""

    NEXT_PERIOD = "next_period", "Bill it with the next period"
    CREDIT = "credit", "Credit what is too much, bill the rest with the next period"
    REPORT = "report", "Report it, bill nothing"


class Service(PublicModel):
    """One application that bills through the console, with its phase and its rules."""

    code = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    phase = models.CharField(max_length=16, choices=Phase.choices, default=Phase.SHADOW)
    phase_since = models.DateTimeField(default=timezone.now)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    grace_hours = models.PositiveSmallIntegerField(
        default=24, help_text="Hours after its end at which a period closes."
    )
    required_clean_periods = models.PositiveSmallIntegerField(
        default=2, help_text="Consecutive closed periods within tolerance that a cutover needs."
    )
    late_usage_policy = models.CharField(
        max_length=16,
        choices=LateUsagePolicy.choices,
        default=LateUsagePolicy.REPORT,
        help_text="Who pays for usage that arrived late; what closed periods carried stays as it is.",
    )
    odoo_company_id = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The Odoo company that bills this service; empty is the default one.",
    )
    is_resend_accepted = models.BooleanField(
        "accepts events sent again",
        default=False,
        help_text="An event that is sent again and is the same in all it says is answered 200, as it is stored;"
        " else 422, as Lago does.",
    )
    is_batch_partial = models.BooleanField(
        "stores the good events of a batch",
        default=False,
        help_text="The others are named in the answer by their place; else a batch is stored whole or not at all,"
        " as in Lago.",
    )
    events_batch_max = models.PositiveIntegerField(
        "most events of a batch",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_EVENTS)],
        help_text=f"Up to {MOST_EVENTS:,}; empty is the console's own limit, Lago's hundred unless it is set.",
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(events_batch_max=None)
                | models.Q(events_batch_max__range=(1, MOST_EVENTS)),
                name="service_batch_is_bounded",
            ),
            models.CheckConstraint(condition=models.Q(phase__in=Phase.values), name="service_phase_is_known"),
            models.CheckConstraint(
                condition=models.Q(late_usage_policy__in=LateUsagePolicy.values),
                name="service_late_usage_policy_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(required_clean_periods__gte=1), name="service_needs_a_clean_period"
            ),
            models.CheckConstraint(
                condition=models.Q(odoo_company_id=None) | models.Q(odoo_company_id__gte=1),
                name="service_company_is_an_id",
            ),
        ]

    def __str__(self) -> str:
        return self.name
