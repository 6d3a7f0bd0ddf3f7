"""Which row of ours is what in Lago, for what was brought over from there."""

from django.db import models
from django.db.models import Q

from ingest.models.service import Service


class LagoKind(models.TextChoices):
    """What has an id in Lago."""

    METRIC = "metric", "Metric"
    PLAN = "plan", "Plan"
    CHARGE = "charge", "Charge"
    CUSTOMER = "customer", "Customer"
    SUBSCRIPTION = "subscription", "Subscription"
    WEBHOOK_ENDPOINT = "webhook_endpoint", "Webhook endpoint"


class LagoId(models.Model):
    """An id that a service knew in Lago, the row that it is here, and what Lago said of it last."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="lago_ids")
    kind = models.CharField(max_length=16, choices=LagoKind.choices)
    lago_id = models.UUIDField()
    # A UUID and no foreign key: endpoints are rows of the app above. Two of Lago's may be one of ours, where a code
    # was given anew.
    public_id = models.UUIDField(db_index=True, help_text="The row's public id.")
    digest = models.CharField(
        max_length=64, blank=True, help_text="Of what was taken over last: the same again changes nothing."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["service", "kind", "created_at"]
        constraints = [
            models.UniqueConstraint(fields=["service", "kind", "lago_id"], name="lago_id_once"),
            models.CheckConstraint(condition=Q(kind__in=LagoKind.values), name="lago_id_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.lago_id}"
