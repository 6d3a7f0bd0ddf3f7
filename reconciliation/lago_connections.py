"""The connection to a service's Lago: kept with its key encrypted, and checked for what the key may read."""

from datetime import date, datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Phase, Service
from reconciliation.alone import alone
from reconciliation.connectors.lago.api import read_address
from reconciliation.connectors.lago.bills import LagoBills
from reconciliation.lago.fetching import OVERLAP, Fetched, fetch_bills
from reconciliation.models import LagoConnection, Run
from reconciliation.reconcile import reconcile_period
from reconciliation.runs import Progress
from reconciliation.secrets import decrypt, encrypt

PERMISSION = "reconciliation.change_lagoconnection"


@transaction.atomic
def save_connection(
    *, service: Service, url: str, key: str, actor: User | None, rule: str = "command"
) -> LagoConnection:
    """Keeps where a service's Lago is, with its key encrypted; an empty key leaves the one that is kept.

    Audited without the key. Refuses who may not (`permission_denied`) and no key at all (`no_key`), also for another
    address: the kept key is not sent elsewhere. Raises ConnectorError for what is no address or no key.
    """
    require_permission(actor, PERMISSION)
    row = LagoConnection.objects.select_for_update().filter(service=service).first()
    kept = decrypt_key(row) if row and not key and read_address(row.url) == read_address(url) else ""
    if not key and not kept:
        raise DomainError("no_key", "Give the key of Lago's API: a kept one is not sent to another address.")
    LagoBills(url, key or kept)
    before = {"url": row.url} if row else {}
    row = row or LagoConnection(service=service)
    # Of another address nothing was read yet.
    if before.get("url") not in (None, url):
        row.read_at = row.read_since = None
    row.url, row.key = url, encrypt(key or kept)
    row.check_result, row.checked_at = {}, None
    row.save()
    audit.record(
        actor=actor,
        action="lago_connection.save",
        target=row,
        service=service,
        before=before,
        after={"url": url, "key": "changed" if key else "kept"},
        rule=rule,
    )
    return row


def check_connection(*, connection: LagoConnection) -> dict[str, str]:
    """Asks Lago what the key may read and keeps the answer; by list, empty where it may. Raises ConnectorError."""
    found = open_connection(connection).check()
    LagoConnection.objects.filter(pk=connection.pk).update(check_result=found, checked_at=timezone.now())
    return found


def open_connection(connection: LagoConnection) -> LagoBills:
    """Lago as the kept key sees it; nothing was asked yet."""
    return LagoBills(connection.url, decrypt_key(connection))


def decrypt_key(connection: LagoConnection) -> str:
    """The kept key; refuses with `key_unreadable` when SECRETS_KEY is another one than it was kept with."""
    try:
        return decrypt(bytes(connection.key))
    except InvalidToken:
        message = "Lago's key was kept under another SECRETS_KEY: give it again."
        raise DomainError("key_unreadable", message) from None


def fetch_of_service(run: Run, progress: Progress) -> dict[str, Any]:
    """Fetches what a service's Lago billed since the last whole reading, and judges the periods that it touches.

    The work of a run; `since` in its parameters is a day of issue to begin at, `all` reads everything again.
    """
    connection = _connection_of(run)
    service = connection.service
    started = timezone.now()
    since = _find_start(run, connection)
    with alone(f"fetch_lago {connection.pk}") as is_alone:
        if not is_alone:
            raise DomainError("already_running", "This Lago is being read by another run.")
        fetched = fetch_bills(
            service=service,
            api=open_connection(connection),
            now=started,
            echo=progress.report,
            since=since,
            run=run,
        )
    _keep_reading(connection, started, since)
    reopened = _judge(service, fetched, started)
    counts = {name: fetched.counts[name] for name in ("invoices", "credit_notes", "changed", "refused")}
    return {**counts, "reopened": reopened, "message": " ".join(fetched.problems)}


def check_of_service(run: Run, progress: Progress) -> dict[str, Any]:
    """Checks what the key of a service's Lago may read; problems are the run's message."""
    found = check_connection(connection=_connection_of(run))
    problems = [problem for problem in found.values() if problem]
    return {"refused": len(problems), "message": " ".join(problems)}


def _connection_of(run: Run) -> LagoConnection:
    found = LagoConnection.objects.filter(service=run.service).select_related("service").first()
    if run.service is None or found is None:
        raise DomainError("lago_not_connected", "Say where this service's Lago is: it has no connection.")
    return found


def _find_start(run: Run, connection: LagoConnection) -> date | None:
    if run.parameters.get("all"):
        return None
    if run.parameters.get("since"):
        return date.fromisoformat(run.parameters["since"])
    if connection.read_at is None:
        return None
    return (connection.read_at - OVERLAP).date()


def _keep_reading(connection: LagoConnection, started: datetime, since: date | None) -> None:
    """Only a reading that leaves no gap behind the last one moves the mark."""
    reached = connection.read_at
    if since is None or (reached is not None and since <= (reached + timedelta(days=1)).date()):
        LagoConnection.objects.filter(pk=connection.pk).update(
            read_at=started, read_since=since or date(1970, 1, 1)
        )


def _judge(service: Service, fetched: Fetched, now: datetime) -> int:
    """Judges anew what rested on bills that changed; a service in shadow has no verdicts."""
    service.refresh_from_db()
    if service.phase == Phase.SHADOW:
        return 0
    return sum(
        reconcile_period(service=service, period_label=label, now=now).reopened
        for label in sorted(fetched.periods)
    )
