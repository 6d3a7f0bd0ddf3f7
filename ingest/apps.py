"""The intake and rating app."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Services, their catalogue, what they send and what it costs."""

    name = "ingest"
    verbose_name = "Intake and rating"
