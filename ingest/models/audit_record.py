"""The audit record: one row per decision, append-only."""

from django.conf import settings
from django.db import models

from ingest.models.public import PublicModel
from ingest.models.service import Service


class AuditRecord(PublicModel):
    """Who did what to what, from what to what, why, and on which evidence; triggers refuse any change."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="audit_records"
    )
    actor_label = models.CharField(max_length=150, help_text="The user's name, or the rule that decided.")
    action = models.CharField(max_length=64)
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="audit_records")
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64, help_text="The object's public id.")
    object_label = models.CharField(max_length=255)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    evidence_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-created_at"], name="audit_of_object"),
            models.Index(fields=["-created_at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"
