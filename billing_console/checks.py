"""System checks on the settings: each wrong or missing one has an id and a hint."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

# Stable ids: a setting keeps its number when others come and go.
IDS = {
    "HOST": "billing_console.E001",
    "PORT": "billing_console.E002",
    "DATABASE_URL": "billing_console.E003",
    "SECRET_KEY": "billing_console.E004",
    "SECRETS_KEY": "billing_console.E005",
    "CELERY_BROKER_URL": "billing_console.E006",
    "ODOO_URL": "billing_console.E007",
    "ODOO_DB": "billing_console.E008",
    "ODOO_LOGIN": "billing_console.E009",
    "ODOO_API_KEY": "billing_console.E010",
    "ODOO_TIMEOUT": "billing_console.E011",
    "ODOO_COMPANY_ID": "billing_console.E012",
    "ENVIRONMENT": "billing_console.E013",
    "DATABASE_POOL_SIZE": "billing_console.E014",
    "EVENTS_BATCH_MAX": "billing_console.E015",
    "DEMO": "billing_console.E016",
    "WORKERS": "billing_console.E017",
    "WEBHOOK_TIMEOUT": "billing_console.E018",
    "LOG_LEVEL": "billing_console.E019",
    "ODOO_STANDIN_PORT": "billing_console.E020",
    "API_URL": "billing_console.E021",
    "ODOO_TRANSPORT": "billing_console.E022",
    "STRIPE_API_BASE": "billing_console.E023",
    "STRIPE_TIMEOUT": "billing_console.E024",
}


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """One error per setting that could not be read, as collected when the settings were loaded."""
    return [
        Error(problem.message, hint=problem.hint, id=IDS[problem.name])
        for problem in settings.ENVIRONMENT_PROBLEMS
    ]


@register()
def check_odoo_timeout(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Odoo retries a conflict by itself for up to half a minute; a shorter timeout makes unknown outcomes."""
    if settings.ODOO_TIMEOUT >= 60:
        return []
    hint = "Odoo itself retries a conflict for up to 30 seconds: set ODOO_TIMEOUT to 60 or more."
    return [Warning("ODOO_TIMEOUT is under 60 seconds.", hint=hint, id="billing_console.W001")]
