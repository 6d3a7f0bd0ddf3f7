"""Checking a connection to Odoo: what the console will ask of it, what Odoo says to that, kept with its time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from ingest.errors import DomainError
from ingest.models import Charge, Plan, Service
from reconciliation import runs
from reconciliation.connectors.odoo.checks import Expected, Level
from reconciliation.connectors.odoo.inspection import CHECKS, Line
from reconciliation.models import ConnectionCheck, OdooConnection, Run, RunKind
from reconciliation.odoo import connect_to, connection_of, services_of
from reconciliation.runs import Progress


def request_check(
    *, connection: OdooConnection | None, actor: User | None, service: Service | None = None
) -> Run:
    """Queues a check of a connection, the environment's when it is None. Refuses as `runs.request_run`."""
    return runs.request_run(
        kind=RunKind.CHECK, service=service, actor=actor, parameters=name_connection(connection)
    )


def name_connection(connection: OdooConnection | None) -> dict[str, Any]:
    """The parameters of a run that checks it."""
    return {"connection": str(connection.public_id)} if connection else {}


def check(*, run: Run, progress: Progress) -> dict[str, Any]:
    """Makes the checks of a run one by one, and keeps what they found; returns the counts by level.

    A server that does not answer is a line that failed, not a failed run. Refuses a run for a connection that there
    is not (`unknown_connection`), and as `connect_to` does.
    """
    connection = _find_connection(run)
    company_id = run.service.odoo_company_id if run.service else None
    connector = connect_to(connection, company_id=company_id)
    lines: list[Line] = []
    for line in connector.inspect(read_expected(connection=connection, service=run.service)):
        lines.append(line)
        progress.report(line.title, len(lines), len(CHECKS))
    found = ConnectionCheck.objects.create(
        connection=connection,
        service=run.service,
        run=run,
        lines=[asdict(line) for line in lines],
        is_passed=not any(line.level is Level.FAILED for line in lines),
        # What did not answer is not asked again: it would be waited for once more.
        **(connector.describe() if _was_reached(lines) else {}),
    )
    return {**Counter(str(line.level) for line in lines), "message": _summarise(found)}


def read_expected(*, connection: OdooConnection | None, service: Service | None = None) -> Expected:
    """What the services of a connection ask of it, or one of them; five queries."""
    services = services_of(connection)
    if service is not None:
        services = services.filter(pk=service.pk)
    plans = Plan.objects.filter(service__in=services, deleted_at=None)
    charges = Charge.objects.filter(plan__in=plans, deleted_at=None)
    return Expected(
        url=connection.url if connection else settings.ODOO_URL,
        currencies=frozenset(plans.values_list("currency", flat=True)),
        usage_products=_products(charges),
        plan_products=_products(plans),
        unlinked_prices=sum(rows.filter(odoo_product_id=None).count() for rows in (charges, plans)),
        stripe_account=settings.STRIPE_ACCOUNT,
    )


def newest_checks() -> dict[int | None, ConnectionCheck]:
    """The newest check of each connection, the environment's under None, in one query."""
    newest = ConnectionCheck.objects.order_by("connection_id", "-id").distinct("connection_id")
    return {found.connection_id: found for found in newest.select_related("connection", "run")}


def _products(rows: QuerySet[Any]) -> frozenset[int]:
    linked = rows.filter(~Q(odoo_product_id=None))
    return frozenset(linked.values_list("odoo_product_id", flat=True))


def _find_connection(run: Run) -> OdooConnection | None:
    wanted = run.parameters.get("connection")
    if wanted is None:
        return connection_of(run.service)
    connection = OdooConnection.objects.filter(public_id=wanted).first()
    if connection is None:
        raise DomainError("unknown_connection", "The connection that was to be checked is not there.")
    return connection


def _summarise(found: ConnectionCheck) -> str:
    failed = [
        f"{line['title']}: {line['message']} {line['advice']}" for line in found.lines if _has_failed(line)
    ]
    return " ".join(failed).strip()


def _was_reached(lines: Iterable[Line]) -> bool:
    return any(line.code == "version" and line.level is not Level.FAILED for line in lines)


def _has_failed(line: dict[str, Any]) -> bool:
    return line["level"] == Level.FAILED
