"""Usage events, as posted: append-only, kept whole, counted once."""

from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from ingest.models.api_key import ApiKey
from ingest.models.fields import CurrentTransactionId, ExactDecimalField, TransactionIdField
from ingest.models.service import Service


class UsageEvent(models.Model):
    """One usage event as a service posted it; triggers refuse to change or delete it.

    The unique key decides duplicates (Lago: duplicate semantics): service, external subscription and
    transaction id. An event without a subscription never collides, because SQL nulls are distinct.
    """

    public_id = models.UUIDField(db_default=RandomUUID(), editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="events", db_index=False)
    external_subscription_id = models.CharField(max_length=255, null=True)
    transaction_id = models.CharField(max_length=255)
    code = models.CharField(max_length=255)
    timestamp = models.DateTimeField(help_text="When the usage happened.")
    properties = models.JSONField(default=dict)
    precise_total_amount_cents = ExactDecimalField(null=True)
    # The metric's field, read once at intake; null when the metric was unknown then or the text is no number.
    quantity = ExactDecimalField(null=True)
    received_at = models.DateTimeField(db_default=Now())
    # Unchecked: a key is never deleted, and to check a foreign key costs as much as to write the row's index.
    key = models.ForeignKey(
        ApiKey,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The key it was sent with.",
    )
    transaction = TransactionIdField(db_default=CurrentTransactionId())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "external_subscription_id", "transaction_id"], name="event_counts_once"
            ),
        ]
        indexes = [
            # Rows arrive in time order: a BRIN reads like partitions at a thousandth of an index's size.
            BrinIndex(fields=["timestamp"], name="event_by_time", pages_per_range=32),
            BrinIndex(fields=["received_at"], name="event_by_receipt", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return self.transaction_id
