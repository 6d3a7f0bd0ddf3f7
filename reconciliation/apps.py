"""The reconciliation app."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    """What Odoo computes against what the service billed, until Odoo takes over."""

    name = "reconciliation"
    verbose_name = "Reconciliation"
