"""The audit: who did what, when, from what to what, and why."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from ingest.models import AuditRecord
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import json_column
from ingest.screens.filters import ServiceFilter, condition_filter, exact_filter
from ingest.screens.formatting import format_instant, show_badge

ByFilter = condition_filter(
    "decided by",
    "by",
    {"people": ("People", Q(actor__isnull=False)), "rules": ("The console itself", Q(actor=None))},
)


@admin.register(AuditRecord)
class AuditRecordAdmin(EvidenceAdmin):
    """Append-only; a database trigger refuses any change."""

    list_display = ("when", "action", "who", "object_label", "service", "reason")
    list_filter = (
        ServiceFilter,
        ByFilter,
        exact_filter("action", "action", "action"),
        exact_filter("user name", "user", "actor__username"),
    )
    list_select_related = ("service", "actor")
    search_fields = ("object_label", "object_id__exact", "actor_label")
    search_help_text = "Object, its public id, or who"
    fields = (
        "when",
        "action",
        "who",
        "service",
        "object_type",
        "object_id",
        "object_label",
        "shown_before",
        "shown_after",
        "reason",
        "evidence_digest",
    )
    shown_before = json_column("before")
    shown_after = json_column("after")

    @admin.display(description="when", ordering="created_at")
    def when(self, record: AuditRecord) -> str:
        """When it was decided, to the second."""
        at: datetime = record.created_at
        return format_instant(at).replace(" UTC", f":{at:%S} UTC")

    @admin.display(description="who", ordering="actor_label")
    def who(self, record: AuditRecord) -> SafeString:
        """The person, or the rule when no person decided."""
        if record.actor is None:
            return show_badge(record.actor_label, "plain", "smart_toy")
        return show_badge(record.actor_label, "info", "person")
