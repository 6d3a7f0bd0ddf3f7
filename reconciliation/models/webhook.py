"""Webhooks out: where a service listens, and each delivery to it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ingest.models import Service
from ingest.models.public import PublicModel


class SignatureAlgorithm(models.TextChoices):
    """How an endpoint's messages are signed (words as in Lago)."""

    JWT = "jwt", "jwt: RS256, verified with the console's public key"
    HMAC = "hmac", "hmac: SHA-256, verified with the endpoint's own key"


class WebhookEndpoint(PublicModel):
    """An address of a service that is told of facts; its signing secret is kept encrypted."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.URLField(max_length=1024)
    name = models.CharField(max_length=255, blank=True)
    algorithm = models.CharField(
        max_length=8, choices=SignatureAlgorithm.choices, default=SignatureAlgorithm.HMAC
    )
    secret = models.BinaryField(editable=False, help_text="The HMAC key, encrypted at rest; empty with jwt.")
    event_types = ArrayField(
        models.CharField(max_length=64), null=True, blank=True, help_text="What it is told of; empty is all."
    )
    is_active = models.BooleanField(default=True)
    deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the service does not listen there any more."
    )

    class Meta:
        ordering = ["service", "url"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "url"], condition=Q(deleted_at=None), name="webhook_endpoint_once"
            ),
            models.CheckConstraint(
                condition=Q(algorithm__in=SignatureAlgorithm.values), name="webhook_algorithm_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.url


class SigningKey(PublicModel):
    """A pair of RSA keys of this installation, by what it signs; the private one is encrypted at rest."""

    purpose = models.CharField(max_length=32, unique=True)
    private_key = models.BinaryField(editable=False)
    public_key = models.TextField(help_text="PEM.")

    def __str__(self) -> str:
        return self.purpose


class DeliveryStatus(models.TextChoices):
    """Where a delivery is (words as in Lago)."""

    PENDING = "pending", "Pending"
    RETRYING = "retrying", "Retrying"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class Delivery(PublicModel):
    """One message to one endpoint: its exact body, and every attempt's result counted."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    # The same on each retry: the receiver's key against duplicates (Lago: X-Lago-Unique-Key).
    unique_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    webhook_type = models.CharField(max_length=64)
    body = models.TextField(help_text="The exact bytes that are signed and sent.")
    status = models.CharField(max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    http_status = models.PositiveIntegerField(null=True)
    response = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-id"]
        permissions = [("retry_delivery", "Can send a delivery again")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=DeliveryStatus.values), name="delivery_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[DeliveryStatus.PENDING, DeliveryStatus.RETRYING])
                | Q(next_attempt_at__isnull=False),
                name="open_delivery_has_a_next_attempt",
            ),
        ]
        indexes = [models.Index(fields=["status", "next_attempt_at"], name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.webhook_type} to {self.endpoint}"


class EventReport(models.Model):
    """Until when a service was told of events with something wrong (Lago: events.errors)."""

    service = models.OneToOneField(Service, on_delete=models.PROTECT, related_name="event_report")
    reported_until = models.DateTimeField(help_text="Of what was received before this instant.")

    def __str__(self) -> str:
        return f"{self.service} until {self.reported_until:%Y-%m-%d %H:%M}"
