"""Pushes: the outbox of intended writes to Odoo."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ingest.models import Customer, Service
from ingest.models.public import PublicModel
from reconciliation.models.run import Run


class PushKind(models.TextChoices):
    """What a push writes."""

    QUOTATION = "quotation", "Shadow quotation"
    ORDER_LINES = "order_lines", "Usage on an order"
    CORRECTION = "correction", "Draft correction"


class PushStatus(models.TextChoices):
    """Where a push is. `unknown`: an answer was lost, a read-back settles it before anything newer is sent."""

    PENDING = "pending", "Due"
    SENDING = "sending", "Sending"
    UNKNOWN = "unknown", "Outcome unknown"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SUPERSEDED = "superseded", "Superseded"
    CANCELED = "canceled", "Given up"


# An attempt is under way, or may be.
IN_FLIGHT = (PushStatus.SENDING, PushStatus.UNKNOWN)
# No attempt is under way; a newer version takes its place.
WAITING = (PushStatus.PENDING, PushStatus.FAILED)


class Push(PublicModel):
    """One intended write to Odoo, for one customer and period, with its payload and its outcome."""

    kind = models.CharField(
        max_length=16,
        choices=PushKind.choices,
        default=PushKind.QUOTATION,
        db_default=PushKind.QUOTATION,
    )
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="pushes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="pushes")
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField("period", max_length=16)
    key = models.CharField(max_length=255, help_text="The external id in Odoo: the same for each version.")
    version = models.PositiveIntegerField(default=1)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=PushStatus.choices, default=PushStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    odoo_id = models.BigIntegerField(null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="pushes")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "pushes"
        ordering = ["-created_at", "-id"]
        permissions = [("retry_push", "Can retry or give up a push")]
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="push_version_once"),
            # One attempt in flight per key: an attempt that commits late never overwrites a newer one.
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(status__in=[PushStatus.SENDING, PushStatus.UNKNOWN]),
                name="push_in_flight_once",
            ),
            models.UniqueConstraint(
                fields=["key"], condition=Q(status=PushStatus.PENDING), name="push_pending_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=PushKind.values), name="push_kind_is_known"),
            models.CheckConstraint(condition=Q(status__in=PushStatus.values), name="push_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status=PushStatus.DONE) | Q(odoo_id__isnull=False, settled_at__isnull=False),
                name="done_push_has_its_record",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="push_period_is_not_empty"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "next_attempt_at"], name="push_due"),
            models.Index(fields=["service", "period_start", "customer"], name="push_by_period"),
            models.Index(
                fields=["customer"],
                condition=Q(status__in=[PushStatus.PENDING, PushStatus.SENDING, PushStatus.UNKNOWN]),
                name="push_open_by_customer",
            ),
        ]

    def count_lines(self) -> int:
        """How many lines it writes, of whatever kind."""
        return sum(len(lines) for lines in self.payload.values() if isinstance(lines, list))

    def __str__(self) -> str:
        return f"{self.customer} {self.period_label} ({self.currency})"
