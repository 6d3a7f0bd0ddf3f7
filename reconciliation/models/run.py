"""Runs: every piece of work outside a request, with its progress and its outcome."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ingest.models import Service
from ingest.models.public import PublicModel


class RunKind(models.TextChoices):
    """What a run does."""

    RATE = "rate", "Meter and rate"
    PUSH = "push", "Push to Odoo"
    FETCH = "fetch", "Fetch Odoo amounts"
    SYNC = "sync", "Mirror Odoo"
    CHECK = "check", "Check the connection to Odoo"
    PREVIEW = "preview", "Read a file"
    IMPORT = "import", "Import amounts"
    FETCH_LAGO = "fetch_lago", "Fetch Lago's invoices"
    CHECK_LAGO = "check_lago", "Check Lago"
    LAGO = "lago", "Import from Lago"
    STRIPE = "stripe", "Fetch from Stripe"
    CHECK_STRIPE = "check_stripe", "Check Stripe"
    RECONCILE = "reconcile", "Reconcile"
    RERUN = "rerun", "Read Odoo again and reconcile"
    REFRESH = "refresh", "Rate, push, fetch and reconcile"


class RunStatus(models.TextChoices):
    """Where a run is; `partial` did some of its work and says what it did not."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    SUCCEEDED = "succeeded", "Succeeded"
    PARTIAL = "partial", "Partly done"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


# A worker has it or will have it; a person may stop it.
UNDER_WAY = (RunStatus.QUEUED, RunStatus.RUNNING)
FINISHED = (RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELED)


class Run(PublicModel):
    """One piece of work: who asked for it, how far it is, and how it ended."""

    kind = models.CharField(max_length=16, choices=RunKind.choices)
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="runs")
    period_label = models.CharField(max_length=16, blank=True)
    parameters = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=RunStatus.choices, default=RunStatus.QUEUED)
    stage = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    summary = models.JSONField(default=dict, help_text="What the run counted.")
    message = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # A worker that dies lets its lease run out; the sweep then wakes the run again.
    leased_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("operate_run", "Can start and retry runs")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RunKind.values), name="run_kind_is_known"),
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.RUNNING) | Q(leased_until__isnull=False),
                name="running_run_has_a_lease",
            ),
        ]
        indexes = [models.Index(fields=["status", "leased_until"], name="run_to_wake")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.service or ''} {self.period_label}".strip()

    @property
    def is_finished(self) -> bool:
        """True when nothing more will happen to this run by itself."""
        return self.status in FINISHED
