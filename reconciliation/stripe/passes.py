"""A pass: what changed at Stripe is fetched, attributed, and the periods that it touches are judged again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import Phase, Service
from reconciliation.alone import alone
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import TO_DO, RecordState, Run, StripeRecord
from reconciliation.odoo import connect as connect_odoo
from reconciliation.odoo_payments import sync_payments
from reconciliation.reconcile import reconcile_period
from reconciliation.runs import Progress
from reconciliation.stripe import events
from reconciliation.stripe.connection import connect, find_account
from reconciliation.stripe.fetching import fetch
from reconciliation.stripe.settling import Settled, settle

logger = structlog.get_logger(__name__)


def fetch_and_settle(run: Run, progress: Progress) -> dict[str, Any]:
    """The whole pass; `only: settle` in the run's parameters leaves the network out. What is to do is tried again."""
    if run.parameters.get("only") == "settle":
        return _count(settle_all(run, progress), {})
    with alone("fetch_stripe") as is_alone:
        if not is_alone:
            raise DomainError("already_running", "Stripe is being read by another run.")
        read = _read(run, progress)
        read |= _read_odoo(progress)
    return _count(settle_all(run, progress), read)


def _read(run: Run, progress: Progress) -> dict[str, int]:
    since, fees = run.parameters.get("since"), bool(run.parameters.get("fees"))
    api = connect()
    account = find_account(api)
    fetched = fetch(
        api=api,
        account=account,
        echo=progress.report,
        run=run,
        since=datetime.fromisoformat(since) if since else None,
        with_fees=fees,
    )
    while events.process_due(api=api, account=account, now=timezone.now()):
        progress.report("Processed events", 0, 0)
    return {f"read_{kind}": count for kind, count in fetched.read.items()}


def _read_odoo(progress: Progress) -> dict[str, Any]:
    """Odoo's own payments, where it is configured; without them its charges would wait as nobody's, and say so."""
    if not settings.ODOO_URL:
        return {}
    progress.report("Reading Odoo's payments", 0, 0)
    try:
        return {"odoo_transactions": sync_payments(connector=connect_odoo())}
    except ConnectorError as error:
        return {"failed": 1, "message": f"Odoo's payments could not be read: {error.message}"}


def settle_all(run: Run | None, progress: Progress | None) -> Settled:
    """Attributes what waits and what a person had to look at, in every account that was read; judges the periods."""
    StripeRecord.objects.filter(state__in=TO_DO).update(state=RecordState.WAITING)
    return _settle_accounts(run, progress)


def process_events() -> int:
    """Processes the events that are due and attributes what they changed; returns how many there were."""
    if not settings.STRIPE_API_KEY or not events.are_due(timezone.now()):
        return 0
    api = connect()
    done = events.process_due(api=api, account=find_account(api), now=timezone.now())
    _settle_accounts(None, None)
    return done


def _settle_accounts(run: Run | None, progress: Progress | None) -> Settled:
    total = Settled()
    accounts = (
        StripeRecord.objects.filter(state=RecordState.WAITING).order_by().values_list("account", flat=True)
    )

    def echo(done: int, of: int) -> None:
        if progress:
            progress.report("Attributing", done, of)

    for account in sorted(accounts.distinct()):
        settled = settle(account=account, run=run, echo=echo if progress else None)
        total.states.update(settled.states)
        total.changed += settled.changed
        total.periods |= settled.periods
    _judge(total.periods)
    return total


def _judge(periods: Iterable[tuple[int, str]]) -> None:
    """Judges anew what rested on bills that changed; what is open or in shadow has no verdict to change."""
    services = Service.objects.in_bulk({service for service, _ in periods})
    for service_id, label in sorted(periods):
        service = services[service_id]
        if service.phase == Phase.SHADOW:
            continue
        try:
            reconcile_period(service=service, period_label=label, now=timezone.now())
        except DomainError as error:
            logger.info("not_judged", service=service.code, period=label, code=error.code)


def _count(settled: Settled, read: dict[str, Any]) -> dict[str, Any]:
    """What a run says: what was read, what it came to, and how much of it waits for a person."""
    open_ = {str(state): settled.states[state] for state in TO_DO if settled.states[state]}
    return {**read, "bills": settled.states[RecordState.CLAIMED], "changed": settled.changed, **open_}
