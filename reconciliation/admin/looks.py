"""How the states of reconciliation look: a tone and an icon for each word."""

from ingest.models import Phase
from ingest.screens.columns import Look
from reconciliation.models import (
    CutoverStatus,
    DeliveryStatus,
    EventState,
    FileStatus,
    LineState,
    Outcome,
    PushStatus,
    RecordState,
    RunStatus,
    Status,
)

STATUS = {
    Status.MATCH: Look("good", "check_circle"),
    Status.DELTA: Look("bad", "error"),
    Status.RESOLVED: Look("info", "task_alt"),
}
OUTCOME = {
    Outcome.COMPARED: Look("plain", "compare_arrows"),
    Outcome.MISSING_ODOO: Look("warn", "playlist_remove"),
    Outcome.MISSING_EXTERNAL: Look("warn", "playlist_remove"),
    Outcome.STALE: Look("warn", "schedule"),
    Outcome.UNLINKED: Look("warn", "link_off"),
    Outcome.OTHER_CURRENCY: Look("warn", "currency_exchange"),
}
RUN = {
    RunStatus.QUEUED: Look("plain", "hourglass_empty"),
    RunStatus.RUNNING: Look("info", "sync"),
    RunStatus.SUCCEEDED: Look("good", "check_circle"),
    RunStatus.PARTIAL: Look("warn", "rule"),
    RunStatus.FAILED: Look("bad", "error"),
    RunStatus.PAUSED: Look("warn", "pause_circle"),
    RunStatus.CANCELED: Look("plain", "block"),
}
PUSH = {
    PushStatus.PENDING: Look("plain", "hourglass_empty"),
    PushStatus.SENDING: Look("info", "sync"),
    PushStatus.UNKNOWN: Look("warn", "help"),
    PushStatus.DONE: Look("good", "check_circle"),
    PushStatus.FAILED: Look("bad", "error"),
    PushStatus.SUPERSEDED: Look("plain", "history"),
    PushStatus.CANCELED: Look("plain", "block"),
}
DELIVERY = {
    DeliveryStatus.PENDING: Look("plain", "hourglass_empty"),
    DeliveryStatus.RETRYING: Look("warn", "sync_problem"),
    DeliveryStatus.SUCCEEDED: Look("good", "check_circle"),
    DeliveryStatus.FAILED: Look("bad", "error"),
}
CUTOVER = {
    CutoverStatus.REQUESTED: Look("warn", "pending_actions"),
    CutoverStatus.APPROVED: Look("info", "event_available"),
    CutoverStatus.LIVE: Look("good", "rocket_launch"),
    CutoverStatus.REJECTED: Look("plain", "block"),
    CutoverStatus.ROLLED_BACK: Look("plain", "undo"),
}
PHASE = {
    Phase.SHADOW: Look("plain", "visibility"),
    Phase.DUAL_RUN: Look("info", "compare_arrows"),
    Phase.APPROVED: Look("info", "event_available"),
    Phase.LIVE: Look("good", "rocket_launch"),
}
LINE = {
    LineState.OPEN: Look("warn", "pending_actions"),
    LineState.ASSIGNED: Look("good", "task_alt"),
    LineState.LEFT_OUT: Look("plain", "block"),
    LineState.SETTLED: Look("plain", "history"),
}
STRIPE_RECORD = {
    RecordState.WAITING: Look("plain", "hourglass_empty"),
    RecordState.CLAIMED: Look("good", "check_circle"),
    RecordState.EVIDENCE: Look("plain", "receipt"),
    RecordState.ODOO: Look("plain", "sync_alt"),
    RecordState.UNCLAIMED: Look("warn", "help"),
    RecordState.CONFLICT: Look("bad", "call_split"),
    RecordState.PARKED: Look("bad", "error"),
    RecordState.UNBILLED: Look("plain", "block"),
}
STRIPE_EVENT = {
    EventState.WAITING: Look("plain", "hourglass_empty"),
    EventState.DONE: Look("good", "check_circle"),
    EventState.IGNORED: Look("plain", "block"),
    EventState.PARKED: Look("bad", "error"),
}
FILE = {
    FileStatus.RECEIVED: Look("info", "sync"),
    FileStatus.PREVIEWED: Look("warn", "pending_actions"),
    FileStatus.REFUSED: Look("bad", "error"),
    FileStatus.CONFIRMED: Look("info", "sync"),
    FileStatus.IMPORTED: Look("good", "check_circle"),
    FileStatus.DISCARDED: Look("plain", "block"),
}
