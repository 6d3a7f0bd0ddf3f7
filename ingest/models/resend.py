"""Events that were sent again: not stored twice, but counted."""

from django.db import models

from ingest.models.api_key import ApiKey


class Resend(models.Model):
    """How many events a key sent on one day (UTC) that were stored already: refused, or found identical."""

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="resends")
    day = models.DateField()
    refused = models.PositiveBigIntegerField(default=0)
    identical = models.PositiveBigIntegerField(default=0, help_text="Answered as they are stored.")

    class Meta:
        ordering = ["-day", "key"]
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="resend_once_per_key_and_day")]

    def __str__(self) -> str:
        return f"{self.key} on {self.day}"
