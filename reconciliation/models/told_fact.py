"""What services were told of themselves: which facts, and until when."""

from django.db import models

from ingest.models import Service


class FactReport(models.Model):
    """Until when a service was told what became of its customers, subscriptions and prices."""

    service = models.OneToOneField(Service, on_delete=models.PROTECT, related_name="fact_report")
    told_until = models.DateTimeField(help_text="Of what happened before this instant.")

    def __str__(self) -> str:
        return f"{self.service} until {self.told_until:%Y-%m-%d %H:%M}"


class ToldFact(models.Model):
    """A fact that a service was told lately: a decision that commits late is looked for again, and told once."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="told_facts")
    webhook_type = models.CharField(max_length=64)
    key = models.UUIDField(help_text="The audit record that says so, or the subscription whose date came.")
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "webhook_type", "key"], name="fact_is_told_once")
        ]
        indexes = [models.Index(fields=["service", "told_at"], name="told_fact_by_time")]

    def __str__(self) -> str:
        return f"{self.webhook_type} {self.key}"
