"""Alarms: what must never happen and was seen."""

from django.db import models
from django.db.models import Q

from ingest.models import Service
from ingest.models.public import PublicModel


class AlarmKind(models.TextChoices):
    """What was seen."""

    QUOTATION_NOT_DRAFT = "quotation_not_draft", "A shadow quotation is no longer a draft"
    USAGE_NOT_IN_ODOO = "usage_not_in_odoo", "Usage is not in Odoo before its invoicing run"
    BILLED_AFTER_SWITCH = "billed_after_switch", "The service billed a period that Odoo bills"
    BILLED_BY_ODOO_TOO = "billed_by_odoo_too", "Odoo invoiced a period that the service bills"


class Alarm(PublicModel):
    """Something seen that could bill a customer twice or wrongly; it stays open until it is gone."""

    kind = models.CharField(max_length=32, choices=AlarmKind.choices)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="alarms")
    reference = models.CharField(max_length=255, help_text="The record that raised it.")
    message = models.TextField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "reference"], condition=Q(cleared_at=None), name="alarm_open_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=AlarmKind.values), name="alarm_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.message
