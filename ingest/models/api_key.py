"""API keys: how a service proves who it is."""

from django.db import models
from django.db.models import Q

from ingest.models.public import PublicModel
from ingest.models.service import Service


class ApiKey(PublicModel):
    """One bearer key of one service; only its digest is kept, the key itself is shown once."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=120, blank=True)
    prefix = models.CharField(max_length=16, help_text="The first characters, to recognise the key by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
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
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"
