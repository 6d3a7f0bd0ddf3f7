"""The base of every model that the outside may name: a UUID beside the integer key."""

import uuid

from django.db import models


class PublicModel(models.Model):
    """A row with a public id; the integer key never leaves the console."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
