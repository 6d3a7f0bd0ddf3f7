"""The counts in the sidebar: read on every page, and so kept for a moment."""

from collections.abc import Callable

from django.core.cache import cache

from reconciliation.models import (
    TO_DO,
    Alarm,
    CutoverRequest,
    CutoverStatus,
    LineState,
    Reconciliation,
    Status,
    StripeRecord,
    UnattributedLine,
)

KEPT_SECONDS = 5
MOST = 999


def _count(name: str, read: Callable[[], int]) -> str:
    count = cache.get_or_set(f"badge:{name}", read, KEPT_SECONDS) or 0
    return "" if not count else f"{MOST}+" if count > MOST else str(count)


def count_to_triage() -> str:
    """Open reconciliations."""
    rows = Reconciliation.objects.filter(status=Status.DELTA).order_by()
    return _count("triage", rows[: MOST + 1].count)


def count_waiting() -> str:
    """Cutover requests that wait for a second person."""
    return _count("waiting", CutoverRequest.objects.filter(status=CutoverStatus.REQUESTED).count)


def count_alarms() -> str:
    """Open alarms."""
    return _count("alarms", Alarm.objects.filter(cleared_at=None).count)


def count_unattributed() -> str:
    """Lines of Odoo that wait for a person."""
    return _count("unattributed", UnattributedLine.objects.filter(state=LineState.OPEN).count)


def count_stripe() -> str:
    """Bills at Stripe that count nowhere until a person has looked."""
    rows = StripeRecord.objects.filter(state__in=TO_DO).order_by()
    return _count("stripe", rows[: MOST + 1].count)
