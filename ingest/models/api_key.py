"""API keys: how a service proves who it is, what it may do with a key, and how often."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ingest.models.public import PublicModel
from ingest.models.service import Service


class Scope(models.TextChoices):
    """What a key opens."""

    INGEST = "ingest", "Ingest: post events and ask for estimates"
    READ = "read", "Read: look at everything of the service"
    MANAGE = "manage", "Manage: every other write"


def every_scope() -> list[str]:
    """What a key opens unless told otherwise."""
    return list(Scope.values)


class ApiKey(PublicModel):
    """One bearer key of one service; only its digest is kept, the key itself is shown once."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=120, blank=True)
    prefix = models.CharField(max_length=16, help_text="The first characters, to recognise the key by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices), default=every_scope)
    rate_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests in ten seconds; empty is no limit."
    )
    replaces = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        help_text="The key that was rotated into this one.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [
            # SHA-256: a random 256-bit key needs no slow hash.
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="api_key_digest_is_sha256"
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values) & ~Q(scopes=[]),
                name="api_key_scopes_are_known",
            ),
            models.CheckConstraint(
                condition=Q(rate_limit=None) | Q(rate_limit__gte=1),
                name="api_key_rate_limit_lets_one_through",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class RateWindow(models.Model):
    """How often a key with a limit was used since its window began.

    The table is unlogged: counting must not wait for the disk, and a crash of the database may forget it.
    """

    key = models.OneToOneField(ApiKey, on_delete=models.PROTECT, primary_key=True, related_name="rate_window")
    started_at = models.DateTimeField()
    used = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.key} since {self.started_at}"
