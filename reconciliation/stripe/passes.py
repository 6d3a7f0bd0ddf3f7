"""A pass: what changed at Stripe is fetched, attributed, and the periods that it touches are judged again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import Phase, Service
from reconciliation.alone import alone
from reconciliation.connections import mirrored_for
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.stripe.records import Kind
from reconciliation.models import TO_DO, RecordState, Run, StripeRecord
from reconciliation.odoo import connect as connect_odoo
from reconciliation.odoo import connection_of
from reconciliation.odoo_payments import sync_tokens, sync_transactions
from reconciliation.reconcile import reconcile_period
from reconciliation.runs import Progress
from reconciliation.stripe import events
from reconciliation.stripe.connection import connect, find_account
from reconciliation.stripe.fetching import fetch
from reconciliation.stripe.settling import ORDER, Settled, settle

logger = structlog.get_logger(__name__)

WITHOUT_CHARGES = tuple(kind for kind in ORDER if kind is not Kind.CHARGES)


def fetch_and_settle(run: Run, progress: Progress) -> dict[str, Any]:
    """The whole pass; `only: settle` in the run's parameters leaves the network out. What is to do is tried again."""
    if run.parameters.get("only") == "settle":
        return _count(settle_all(run, progress), {})
    with alone("fetch_stripe") as is_alone:
        if not is_alone:
            raise DomainError("already_running", "Stripe is being read by another run.")
        read = _read(run, progress)
        progress.report("Reading Odoo's payments", 0, 0)
        odoo = _read_odoo(with_tokens=True)
    kinds = ORDER if odoo.is_read else WITHOUT_CHARGES
    return _count(settle_all(run, progress, kinds), {**read, **odoo.counts})


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


@dataclass(frozen=True, slots=True)
class _OdooRead:
    """Whether Odoo's payments are known as they are now, and what a run says of it."""

    is_read: bool
    counts: dict[str, Any]


def _read_odoo(*, with_tokens: bool) -> _OdooRead:
    """Reads Odoo's own payments, where there is an Odoo: charges wait until it is known which of them are its own."""
    # The mirror is of one Odoo.
    service = mirrored_for()[0]
    if not settings.ODOO_URL and connection_of(service) is None:
        return _OdooRead(True, {})
    try:
        connector = connect_odoo(service)
        counts = {"odoo_transactions": sync_transactions(connector=connector)}
        if with_tokens:
            counts["odoo_cards"] = sync_tokens(connector=connector)
    except (ConnectorError, DomainError) as error:
        message = f"Odoo's payments could not be read, and charges wait for them: {error.message}"
        return _OdooRead(False, {"failed": 1, "message": message})
    return _OdooRead(True, counts)


def settle_all(run: Run | None, progress: Progress | None, kinds: Sequence[Kind] = ORDER) -> Settled:
    """Attributes what waits and what a person had to look at, in every account that was read; judges the periods."""
    StripeRecord.objects.filter(state__in=TO_DO).update(state=RecordState.WAITING)
    return _settle_accounts(run, progress, kinds)


def process_events() -> int:
    """Processes the events that are due and attributes what they changed; returns how many there were."""
    if not settings.STRIPE_API_KEY or not events.are_due(timezone.now()):
        return 0
    api = connect()
    done = events.process_due(api=api, account=find_account(api), now=timezone.now())
    has_charges = StripeRecord.objects.filter(kind=Kind.CHARGES, state=RecordState.WAITING).exists()
    is_known = not has_charges or _read_odoo(with_tokens=False).is_read
    _settle_accounts(None, None, ORDER if is_known else WITHOUT_CHARGES)
    return done


def _settle_accounts(run: Run | None, progress: Progress | None, kinds: Sequence[Kind]) -> Settled:
    total = Settled()
    accounts = (
        StripeRecord.objects.filter(state=RecordState.WAITING).order_by().values_list("account", flat=True)
    )

    def echo(done: int, of: int) -> None:
        if progress:
            progress.report("Attributing", done, of)

    for account in sorted(accounts.distinct()):
        settled = settle(account=account, run=run, echo=echo if progress else None, kinds=kinds)
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
