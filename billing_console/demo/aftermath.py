"""What came after the bills: rows that finance resolved or took, one that reopened, one event that was late."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet

from billing_console.demo.bills import make_bill
from billing_console.demo.incidents import adjusted
from billing_console.demo.intake import post_events
from billing_console.demo.periods import list_periods, months_ago
from billing_console.demo.terms import Account, Bill, ServiceStory
from billing_console.demo.usage import make_event
from billing_console.demo.window import Window, add_months
from ingest.collection import PostedEvent
from ingest.metering.periods import Period
from ingest.models import Service
from reconciliation import triage
from reconciliation.models import Reconciliation, Status


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of a monthly account, by the months before the newest, and what finance wrote about it."""

    service: str
    account: str
    months_ago: int
    reason: str = ""


RESOLVED: Sequence[Decision] = (
    Decision("nexacloud", "21473187560", 4, "Service credit, granted in writing; Odoo gets a credit note."),
    Decision("nexacloud", "39483241683", 3, "Billed twice by NexaCloud; refunded with the following bill."),
    Decision(
        "nexadesk", "desk-1006", 5, "Tickets of the migrated queue were counted late; checked with support."
    ),
    Decision("nexadesk", "desk-1018", 5, "Duplicate line, credited with the following invoice."),
    Decision("nexadesk", "desk-1012", 4, "Goodwill credit, approved by the manager."),
    Decision("nexamaps", "maps-1040", 4, "Credit for stale tiles, agreed with the customer."),
    Decision("memberships", "member-1013", 4, "Speaker discount; Odoo gets it with the next renewal."),
    Decision("nexadesk", "desk-1017", 2, "Data import at 45.00, agreed with the customer."),
)
# Resolved above; then the service sent a corrected bill, and the row reopened.
SERVICE = "nexadesk"
CORRECTED_ACCOUNT, CORRECTED_MONTHS_AGO = "desk-1017", 2
CORRECTION = adjusted("30.00", "Data import, corrected")
ASSIGNED = Decision("nexadesk", "desk-1001", 0)

# An event that NexaDesk sent weeks after the month closed and was pushed.
LATE_ACCOUNT, LATE_MONTHS_AGO, LATE_TICKETS = "desk-1021", 1, "45"
# One that NexaDesk billed without: it came after the bill, and before the push.
UNBILLED_ACCOUNT, UNBILLED_MONTHS_AGO, UNBILLED_TICKETS = "desk-1013", 3, "120"


def resolve_rows(finance: User, window: Window) -> None:
    """Resolves each row of the table once; one that reopened since stays open."""
    for decision in RESOLVED:
        rows = find_rows(decision, window).filter(status=Status.DELTA, reason="")
        ids = list(rows.values_list("pk", flat=True))
        triage.resolve(reconciliation_ids=ids, actor=finance, reason=decision.reason)


def assign_row(finance: User, window: Window) -> None:
    """Gives finance a row to work on, once."""
    ids = list(find_rows(ASSIGNED, window).values_list("pk", flat=True))
    triage.assign(reconciliation_ids=ids, actor=finance, owner=finance)


def find_rows(decision: Decision, window: Window) -> QuerySet[Reconciliation]:
    """The rows that a decision is about."""
    return Reconciliation.objects.filter(
        service__code=decision.service,
        customer__external_id=decision.account,
        period_label=label_month(window, decision.months_ago),
    )


def correct_bill(story: ServiceStory, window: Window) -> Iterator[Bill]:
    """The bill as the service corrected it, under the same number."""
    account, period = _find_period(story, window, CORRECTED_ACCOUNT, CORRECTED_MONTHS_AGO)
    yield CORRECTION(make_bill(replace(story, incidents=[]), account, period, CORRECTED_MONTHS_AGO))


def post_late_event(service: Service, story: ServiceStory, window: Window) -> None:
    """Stores the event that came after the push, once."""
    account, period = _find_period(story, window, LATE_ACCOUNT, LATE_MONTHS_AGO)
    post_events(service, [_late_event(account, period, LATE_TICKETS)])


def post_unbilled_event(service: Service, story: ServiceStory, window: Window) -> None:
    """Stores the event that came after the bill, once; only a story with its account has one."""
    if UNBILLED_ACCOUNT not in {account.id for account in story.accounts}:
        return
    account, period = _find_period(story, window, UNBILLED_ACCOUNT, UNBILLED_MONTHS_AGO)
    post_events(service, [_late_event(account, period, UNBILLED_TICKETS)])


def _late_event(account: Account, period: Period, tickets: str) -> PostedEvent:
    return make_event(
        subscription=account.id,
        code="tickets",
        name="generated late tickets",
        timestamp=period.end - timedelta(hours=5),
        properties={"quantity": tickets},
        is_late=True,
    )


def label_month(window: Window, ago: int) -> str:
    """The label of the month that many months before the newest."""
    return f"{add_months(window.newest, -ago):%Y-%m}"


def _find_period(story: ServiceStory, window: Window, account_id: str, ago: int) -> tuple[Account, Period]:
    account = next(account for account in story.accounts if account.id == account_id)
    periods = list_periods(story, account, window)
    return account, next(period for period in periods if months_ago(period, story, window) == ago)
