"""What became of late usage: the ledger of the late usage policy."""

from django.db import models
from django.db.models import Q

from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from ingest.models.service import LateUsagePolicy
from ingest.models.usage import Fee


class LateOutcome(models.TextChoices):
    """Which bill has a late amount."""

    CARRIED = "carried", "Billed with the open period"
    OWN = "own", "Corrected in its own period"
    REPORTED = "reported", "Reported, billed to nobody"


class LateSettlement(PublicModel):
    """What was done about a fee's late usage while one later period, the one named here, was open.

    All rows of a fee sum to its late amount. Once the named period has closed its row stays as it is: what
    arrives then, and another policy, is for the row of the next open period.
    """

    fee = models.ForeignKey(Fee, on_delete=models.PROTECT, related_name="late_settlements")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField("open period", max_length=16)
    policy = models.CharField(max_length=16, choices=LateUsagePolicy.choices)
    amount = ExactDecimalField(help_text="What late usage adds to the fee beyond what was settled before.")
    outcome = models.CharField(max_length=16, choices=LateOutcome.choices)
    events_count = models.PositiveBigIntegerField(default=0)
    settled_at = models.DateTimeField(
        help_text="When that was last decided, and up to when events are in it."
    )

    class Meta:
        ordering = ["fee", "period_start"]
        constraints = [
            models.UniqueConstraint(fields=["fee", "period_start"], name="late_usage_settled_once"),
            models.CheckConstraint(
                condition=Q(policy__in=LateUsagePolicy.values), name="late_settlement_policy_is_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=LateOutcome.values), name="late_settlement_outcome_is_known"
            ),
            # Only that policy leaves an amount unbilled, and it bills none.
            models.CheckConstraint(
                condition=Q(policy=LateUsagePolicy.REPORT, outcome=LateOutcome.REPORTED)
                | (~Q(policy=LateUsagePolicy.REPORT) & ~Q(outcome=LateOutcome.REPORTED)),
                name="late_settlement_follows_its_policy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fee}, late, in {self.period_label}"
