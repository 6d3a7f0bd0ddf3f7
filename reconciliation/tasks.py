"""Celery tasks: wake-up calls only.

The work, its lease and its state are rows; any message may be lost or doubled.
"""

import structlog
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import Phase, Service
from reconciliation import alerts, cutover, event_errors, facts, invoicing_watch, push, runs, webhooks
from reconciliation.alone import alone
from reconciliation.api.webhook_objects import show_object, show_triggered
from reconciliation.connections import mirrored_for
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import LagoConnection, RunKind
from reconciliation.stripe.passes import process_events
from reconciliation.work import do_work, send_all

logger = structlog.get_logger(__name__)

# Seconds: the budget, and one attempt that begins at its end: to connect, to read the head and then the body.
LONGEST_DELIVERIES = webhooks.BUDGET + 3 * settings.WEBHOOK_TIMEOUT


@shared_task
def execute_run(run_id: int) -> None:
    """Does a run, unless another worker has it."""
    run = runs.claim_run(run_id)
    if run is not None:
        runs.perform(run, do_work)


@shared_task
def wake_runs() -> None:
    """Wakes runs whose message or worker was lost."""
    for run_id in runs.find_lost_runs(timezone.now()):
        execute_run.delay(run_id)


@shared_task
def send_waiting_pushes() -> None:
    """Sends what waited for its backoff, and settles what a lost answer left in doubt; one worker at a time.

    A service whose Odoo cannot be spoken with, for want of a key for one, does not hold up the others.
    """
    with alone("send_waiting_pushes") as is_alone:
        for service in push.services_waiting(timezone.now()) if is_alone else ():
            try:
                send_all(service)
            except (ConnectorError, DomainError) as error:
                logger.warning("pushes_wait", service=service.code, code=error.code)


@shared_task(soft_time_limit=LONGEST_DELIVERIES)
def deliver_webhooks() -> None:
    """Attempts the deliveries that are due; one worker at a time, for a bounded time.

    Whatever receivers do, the other workers are free for runs. An attempt that drips past the limit ends as one
    whose worker died: it is scheduled already.
    """
    with alone("deliver_webhooks") as is_alone:
        try:
            if is_alone:
                webhooks.deliver_due(now=timezone.now())
        except SoftTimeLimitExceeded:
            logger.warning("delivery_took_too_long")


@shared_task
def poll_stripe() -> None:
    """Reads what changed at Stripe, where it is configured; webhooks tell sooner, and may be lost."""
    if settings.STRIPE_API_KEY:
        runs.request_run(kind=RunKind.STRIPE, service=None, actor=None)


@shared_task
def process_stripe_events() -> None:
    """Processes what Stripe's webhooks told of; one worker at a time."""
    with alone("process_stripe_events") as is_alone:
        if is_alone:
            try:
                process_events()
            except (ConnectorError, DomainError) as error:
                # The events wait; the run that polls says the same on its page.
                logger.warning("stripe_events_wait", code=error.code)


@shared_task
def announce_event_errors() -> None:
    """Tells services which events of the last hour have something wrong."""
    event_errors.announce_event_errors(now=timezone.now())


@shared_task
def announce_facts() -> None:
    """Tells services what became of their customers, subscriptions and prices; one worker at a time."""
    with alone("announce_facts") as is_alone:
        if is_alone:
            facts.announce_facts(now=timezone.now(), show=show_object)


@shared_task
def check_alerts() -> None:
    """Tells services which thresholds their subscriptions' usage has crossed; one worker at a time."""
    with alone("check_alerts") as is_alone:
        if is_alone:
            alerts.check_alerts(now=timezone.now(), show=show_triggered)


@shared_task
def watch_invoicing() -> None:
    """Raises an alarm for usage that should be on its order in Odoo by now, and is not."""
    for service in Service.objects.filter(phase=Phase.LIVE):
        invoicing_watch.watch(service=service, now=timezone.now())


@shared_task
def activate_cutovers() -> None:
    """Moves approved services to live once their date has come."""
    cutover.activate_due(now=timezone.now())


@shared_task
def start_nightly_runs() -> None:
    """Brings every service's closed periods up to date; one in shadow is metered and pushed, not judged.

    What Lago billed is read first, where a service has one.
    """
    for service in mirrored_for():
        runs.request_run(kind=RunKind.SYNC, service=service, actor=None)
    for connection in LagoConnection.objects.select_related("service"):
        runs.request_run(kind=RunKind.FETCH_LAGO, service=connection.service, actor=None)
    for service in Service.objects.all():
        kind = RunKind.PUSH if service.phase == Phase.SHADOW else RunKind.REFRESH
        runs.request_run(kind=kind, service=service, actor=None)
