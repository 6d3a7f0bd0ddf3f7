"""Named connections to Odoo: made, changed and given to services, audited; a key goes in and never comes out."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Charge, Customer, Plan, Service, Subscription
from ingest.services import lock_service
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.web import parse_address
from reconciliation.models import OdooConnection, Push, ServiceConnection
from reconciliation.odoo import connection_of
from reconciliation.secrets import encrypt

CONFIGURABLE = ("name", "url", "database", "login", "company_id", "language", "transport")


@transaction.atomic
def create_connection(*, values: Mapping[str, Any], api_key: str, actor: User | None) -> OdooConnection:
    """Makes a connection; nothing is sent to it yet.

    Refuses what is no address of a server (`wrong_address`) and a connection without a key (`key_required`). Raises
    ValidationError for any other wrong value.
    """
    require_permission(actor, "reconciliation.add_odooconnection")
    if not api_key:
        raise DomainError("key_required", "A connection needs an API key.")
    check_address(values["url"])
    connection = OdooConnection(**values, secret=encrypt(api_key))
    connection.full_clean()
    connection.save(force_insert=True)
    audit.record(actor=actor, action="connection.create", target=connection, after=_describe(connection))
    return connection


@transaction.atomic
def change_connection(
    *, connection_id: int, values: Mapping[str, Any], api_key: str = "", actor: User | None
) -> list[str]:
    """Changes a connection; an empty key keeps the one that it has. Returns the names of what changed.

    Another address or database is the same Odoo moved: the links of its services stay. Refuses as
    `create_connection` does.
    """
    require_permission(actor, "reconciliation.change_odooconnection")
    connection = OdooConnection.objects.select_for_update().get(pk=connection_id)
    before = _describe(connection)
    for name, value in values.items():
        setattr(connection, name, value)
    check_address(connection.url)
    after = _describe(connection)
    changed = [name for name in CONFIGURABLE if before[name] != after[name]]
    if api_key:
        connection.secret = encrypt(api_key)
    if not changed and not api_key:
        return []
    connection.full_clean()
    connection.save(force_update=True)
    audit.record(
        actor=actor,
        action="connection.change",
        target=connection,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed} | ({"api_key": "replaced"} if api_key else {}),
    )
    return [*changed, *(["api_key"] if api_key else [])]


@transaction.atomic
def assign_connection(*, service: Service, connection: OdooConnection | None, actor: User | None) -> bool:
    """Has a service billed by another Odoo, or by the environment's again; returns whether anything changed.

    Refuses a service with links into its Odoo (`service_is_linked`): ids of one database name other records in the
    next.
    """
    require_permission(actor, "ingest.change_service")
    row = lock_service(service.pk)
    before = connection_of(row)
    if before == connection:
        return False
    refuse_linked(row)
    if connection is None:
        ServiceConnection.objects.filter(service=row).delete()
    else:
        ServiceConnection.objects.update_or_create(service=row, defaults={"connection": connection})
    audit.record(
        actor=actor,
        action="service.connection",
        target=row,
        service=row,
        before={"connection": str(before or "")},
        after={"connection": str(connection or "")},
    )
    return True


def one_service_each() -> list[Service]:
    """A service for each named connection that any service uses: for its sake the connection's Odoo is mirrored."""
    used = ServiceConnection.objects.order_by("connection_id", "service_id").distinct("connection_id")
    return [each.service for each in used.select_related("service")]


def refuse_linked(service: Service) -> None:
    """Refuses with `service_is_linked` when any record of the service's is linked to one of Odoo's."""
    links = {
        "customers": Customer.objects.filter(service=service, odoo_partner_id__isnull=False),
        "subscriptions": Subscription.objects.filter(service=service, odoo_order_id__isnull=False),
        "plans": Plan.objects.filter(service=service, odoo_product_id__isnull=False),
        "charges": Charge.objects.filter(service=service, odoo_product_id__isnull=False),
        "pushes": Push.objects.filter(service=service),
    }
    linked = [name for name, rows in links.items() if rows.exists()]
    if linked:
        message = (
            f"{service} is linked to its Odoo already ({', '.join(linked)}): ids would mean other records."
        )
        raise DomainError("service_is_linked", message)


def check_address(url: str) -> None:
    """Refuses with `wrong_address` what is no http or https address of a server."""
    try:
        parse_address(url)
    except ConnectorError as error:
        raise DomainError(error.code, error.message) from None


def _describe(connection: OdooConnection) -> dict[str, Any]:
    return {name: getattr(connection, name) for name in CONFIGURABLE}
