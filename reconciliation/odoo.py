"""The connection to Odoo of a service: the one that it names, else the one in the environment."""

import re
from collections.abc import Collection

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import QuerySet

from ingest.billers import billed_by
from ingest.errors import DomainError
from ingest.models import Biller, Fee, Service
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.models import OdooConnection
from reconciliation.secrets import decrypt

# What names a fee in Odoo.
FEE_KEY = re.compile(r"[0-9a-f]{32}")


def connect(service: Service | None = None) -> OdooConnector:
    """A connector for the service's connection and company, which nothing has been sent through yet.

    Refuses as `connect_to` does.
    """
    return connect_to(connection_of(service), company_id=company_of(service))


def connect_to(connection: OdooConnection | None, *, company_id: int | None = None) -> OdooConnector:
    """A connector for a named connection or the environment's, in its own company unless another is asked for.

    Refuses with `odoo_not_configured` when the environment has no address, and with `secret_unreadable` when the
    key was encrypted with another SECRETS_KEY.
    """
    if connection is None:
        return _connect_by_environment(company_id)
    try:
        api_key = decrypt(bytes(connection.secret))
    except InvalidToken:
        message = f"The API key of {connection} cannot be read: SECRETS_KEY has changed. Set the key again."
        raise DomainError("secret_unreadable", message) from None
    return OdooConnector.connect(
        url=connection.url,
        database=connection.database,
        login=connection.login,
        api_key=api_key,
        read_billers=read_billers,
        company_id=company_id or connection.company_id,
        language=connection.language,
        timeout=float(settings.ODOO_TIMEOUT),
        transport=connection.transport,
        ca_file=settings.ODOO_CA_FILE,
    )


def read_billers(line_keys: Collection[str]) -> dict[str, str]:
    """Who bills the period of the fee behind each key of a quotation's line, as it is now; two queries.

    A key that is no fee's is left out, and so is not written.
    """
    fees = Fee.objects.filter(public_id__in=[key for key in line_keys if FEE_KEY.fullmatch(key)])
    billers = {public_id.hex: str(Biller.SERVICE) for public_id in fees.values_list("public_id", flat=True)}
    by_odoo = billed_by(Biller.ODOO, fees).values_list("public_id", flat=True)
    return billers | {public_id.hex: str(Biller.ODOO) for public_id in by_odoo}


def connection_of(service: Service | None) -> OdooConnection | None:
    """The connection that a service names; None is the environment's."""
    named = getattr(service, "named_connection", None)
    return named.connection if named else None


def services_of(connection: OdooConnection | None) -> QuerySet[Service]:
    """The services of a named connection, or those that name none."""
    if connection is None:
        return Service.objects.filter(named_connection=None)
    return Service.objects.filter(named_connection__connection=connection)


def company_of(service: Service | None) -> int:
    """The id of the company in Odoo that a service is billed by: its own, else its connection's."""
    own = service.odoo_company_id if service else None
    if own:
        return own
    connection = connection_of(service)
    return connection.company_id if connection else int(settings.ODOO_COMPANY_ID)


def _connect_by_environment(company_id: int | None) -> OdooConnector:
    if not settings.ODOO_URL:
        raise DomainError("odoo_not_configured", "Odoo is not configured: set ODOO_URL and its credentials.")
    return OdooConnector.connect(
        url=settings.ODOO_URL,
        database=settings.ODOO_DB,
        login=settings.ODOO_LOGIN,
        api_key=settings.ODOO_API_KEY,
        read_billers=read_billers,
        company_id=company_id or int(settings.ODOO_COMPANY_ID),
        language=settings.ODOO_LANGUAGE,
        timeout=float(settings.ODOO_TIMEOUT),
        transport=settings.ODOO_TRANSPORT,
        ca_file=settings.ODOO_CA_FILE,
    )
