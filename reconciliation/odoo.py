"""The connection to Odoo that the settings name."""

from django.conf import settings

from ingest.errors import DomainError
from ingest.models import Service
from reconciliation.connectors.odoo.connector import OdooConnector


def connect(service: Service | None = None) -> OdooConnector:
    """A connector for the service's company, which nothing has been sent through yet.

    Refuses with `odoo_not_configured` when no address is set.
    """
    if not settings.ODOO_URL:
        raise DomainError("odoo_not_configured", "Odoo is not configured: set ODOO_URL and its credentials.")
    return OdooConnector.connect(
        url=settings.ODOO_URL,
        database=settings.ODOO_DB,
        login=settings.ODOO_LOGIN,
        api_key=settings.ODOO_API_KEY,
        company_id=company_of(service),
        language=settings.ODOO_LANGUAGE,
        timeout=float(settings.ODOO_TIMEOUT),
        transport=settings.ODOO_TRANSPORT,
        ca_file=settings.ODOO_CA_FILE,
    )


def company_of(service: Service | None) -> int:
    """The id of the company in Odoo that a service is billed by: its own, else the one that is configured."""
    own = service.odoo_company_id if service else None
    return own or int(settings.ODOO_COMPANY_ID)
