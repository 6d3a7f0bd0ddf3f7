"""Named connections to Odoo: made, changed and given to services, audited; a key goes in and never comes out."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Charge, Customer, Plan, Service, Subscription
from ingest.services import lock_service
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.web import parse_address
from reconciliation.models import MirrorCursor, OdooConnection, Push, ServiceConnection
from reconciliation.models.odoo_mirror import OdooRecord, OdooTaxPast
from reconciliation.odoo import connection_of
from reconciliation.secrets import encrypt

KEY_STAYS = "The kept key is not sent to another address: give the key again."
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
    `create_connection` does; another address wants its key given again (`key_required`), as who may change an
    address may not learn a key by having it sent there.
    """
    require_permission(actor, "reconciliation.change_odooconnection")
    connection = OdooConnection.objects.select_for_update().get(pk=connection_id)
    before = _describe(connection)
    for name, value in values.items():
        setattr(connection, name, value)
    check_address(connection.url)
    after = _describe(connection)
    changed = [name for name in CONFIGURABLE if before[name] != after[name]]
    if "url" in changed and not api_key:
        raise DomainError("key_required", KEY_STAYS)
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
    next. And, as the mirror does not tell one Odoo's records from another's, one beside linked services of another
    Odoo (`mirror_is_anothers`); what was mirrored before anything was linked is forgotten.
    """
    require_permission(actor, "ingest.change_service")
    row = lock_service(service.pk)
    before = connection_of(row)
    if before == connection:
        return False
    refuse_linked(row)
    refuse_other_mirror(connection)
    _forget_unused_mirror()
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


def mirrored_for() -> list[Service | None]:
    """For whose sake Odoo is mirrored: a service of each connection that may be, None for the environment's."""
    used = ServiceConnection.objects.order_by("connection_id", "service_id").distinct("connection_id")
    services: list[Service | None] = [each.service for each in used.select_related("service", "connection")]
    if not services or Service.objects.filter(named_connection=None).exists():
        services.insert(0, None)
    return [service for service in services if _may_mirror(service)] or services[:1]


def _may_mirror(service: Service | None) -> bool:
    try:
        refuse_other_mirror(connection_of(service))
    except DomainError:
        return False
    return True


def refuse_linked(service: Service) -> None:
    """Refuses with `service_is_linked` when any record of the service's is linked to one of Odoo's."""
    linked = [name for name, rows in _links().items() if rows.filter(service=service).exists()]
    if linked:
        message = (
            f"{service} is linked to its Odoo already ({', '.join(linked)}): ids would mean other records."
        )
        raise DomainError("service_is_linked", message)


def refuse_other_mirror(connection: OdooConnection | None) -> None:
    """Refuses with `mirror_is_anothers` to mirror an Odoo, or to use it, while services are linked to another.

    The mirror knows records by their ids alone, and both have a record of each id.
    """
    linked = {pk for rows in _links().values() for pk in rows.values_list("service_id", flat=True).distinct()}
    for service in Service.objects.filter(pk__in=linked).select_related("named_connection__connection"):
        if connection_of(service) != connection:
            there = connection_of(service) or "the environment’s Odoo"
            message = f"{service} is linked to {there}, and the mirror keeps the records of one Odoo only."
            raise DomainError("mirror_is_anothers", message)


def _links() -> dict[str, QuerySet[Any]]:
    """What is linked to records of Odoo's, of all services."""
    return {
        "customers": Customer.objects.filter(odoo_partner_id__isnull=False),
        "subscriptions": Subscription.objects.filter(odoo_order_id__isnull=False),
        "plans": Plan.objects.filter(odoo_product_id__isnull=False),
        "charges": Charge.objects.filter(odoo_product_id__isnull=False),
        "pushes": Push.objects.all(),
    }


def _forget_unused_mirror() -> None:
    """Empties the mirror while nothing is linked into it: what is read next may be of another Odoo."""
    if any(rows.exists() for rows in _links().values()):
        return
    models: list[type[Model]] = [OdooTaxPast, MirrorCursor, *OdooRecord.__subclasses__()]
    for model in models:
        model._default_manager.all().delete()


def check_address(url: str) -> None:
    """Refuses with `wrong_address` what is no http or https address of a server."""
    try:
        parse_address(url)
    except ConnectorError as error:
        raise DomainError(error.code, error.message) from None


def _describe(connection: OdooConnection) -> dict[str, Any]:
    return {name: getattr(connection, name) for name in CONFIGURABLE}
