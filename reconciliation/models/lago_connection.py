"""How a service's Lago is reached, and how far its invoices were read."""

from django.db import models

from ingest.models import Service
from ingest.models.public import PublicModel


class LagoConnection(PublicModel):
    """One service's Lago: its address, its encrypted key, what the last check found, and the last good reading."""

    service = models.OneToOneField(Service, on_delete=models.PROTECT, related_name="lago_connection")
    url = models.CharField("address", max_length=512)
    key = models.BinaryField(help_text="Encrypted; never shown again.")
    checked_at = models.DateTimeField(null=True)
    check_result = models.JSONField(default=dict, help_text="What the key may read, and why not.")
    read_at = models.DateTimeField(null=True, help_text="When the last whole reading began.")
    read_since = models.DateField(null=True, help_text="From which day of issue on everything was read once.")

    class Meta:
        ordering = ["service"]
        verbose_name = "Lago connection"

    def __str__(self) -> str:
        return f"{self.service}: {self.url}"
