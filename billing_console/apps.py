"""The composition as a Django app: its system checks, its commands, and the groups every database has."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConsoleConfig(AppConfig):
    """Registers the checks and keeps the role groups in step after each migrate."""

    name = "billing_console"
    verbose_name = "Billing Console"

    def ready(self) -> None:
        # Importing registers the checks, and makes this Celery app the one that tasks are sent through.
        from billing_console import celery, checks, roles  # noqa: F401

        post_migrate.connect(roles.synchronise_groups, dispatch_uid="billing_console.roles")
