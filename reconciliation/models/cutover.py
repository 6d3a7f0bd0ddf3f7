"""Cutover requests: moving one service's billing to Odoo, approved by a second person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ingest.models import Service
from ingest.models.public import PublicModel


class CutoverStatus(models.TextChoices):
    """Where a request is."""

    REQUESTED = "requested", "Waiting for approval"
    APPROVED = "approved", "Approved"
    LIVE = "live", "Live"
    REJECTED = "rejected", "Rejected"
    ROLLED_BACK = "rolled_back", "Rolled back"


class CutoverRequest(PublicModel):
    """A request to move a service to live at a date, the evidence it was decided on, and by whom."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="cutover_requests")
    effective_date = models.DateField(
        help_text="Each subscription switches at its first period start on or after it."
    )
    status = models.CharField(max_length=16, choices=CutoverStatus.choices, default=CutoverStatus.REQUESTED)
    comment = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    readiness = models.JSONField(help_text="The readiness report as it stood.")
    evidence_digest = models.CharField(max_length=64)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_comment = models.TextField(blank=True)
    rolled_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    rolled_back_at = models.DateTimeField(null=True)
    rollback_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("request_cutover", "Can request a cutover"),
            ("approve_cutover", "Can approve, reject and roll back a cutover"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="cutover_approver_is_another_person",
            ),
            models.CheckConstraint(
                condition=Q(status=CutoverStatus.REQUESTED, decided_by=None, decided_at=None)
                | (
                    ~Q(status=CutoverStatus.REQUESTED) & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
                name="cutover_decision_has_who_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(status=CutoverStatus.REJECTED) | ~Q(decision_comment=""),
                name="cutover_rejection_has_a_comment",
            ),
            models.CheckConstraint(
                condition=~Q(status=CutoverStatus.ROLLED_BACK)
                | (~Q(rollback_reason="") & Q(rolled_back_by__isnull=False, rolled_back_at__isnull=False)),
                name="cutover_rollback_has_who_and_why",
            ),
            models.CheckConstraint(
                condition=Q(status__in=CutoverStatus.values), name="cutover_status_is_known"
            ),
            models.UniqueConstraint(
                fields=["service"],
                condition=Q(status__in=[CutoverStatus.REQUESTED, CutoverStatus.APPROVED, CutoverStatus.LIVE]),
                name="cutover_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} on {self.effective_date}"
