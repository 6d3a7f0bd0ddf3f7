"""Days of a span in the customer's time zone, and shares of a period by them (Lago: proration)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from ingest.metering.aggregation.contract import Span
from ingest.metering.arithmetic import ceil_quotient

# Lago: prorated quantities are cut up at five digits after the point.
SHARE_PLACES = 5


def local_day(instant: datetime, span: Span) -> date:
    """The day of an instant where the customer is."""
    return instant.astimezone(span.timezone).date()


def first_day(span: Span) -> date:
    """The day on which the span begins."""
    return local_day(span.start, span)


def last_day(span: Span) -> date:
    """The day of the span's last instant."""
    return local_day(span.end - timedelta.resolution, span)


def days_of(span: Span) -> int:
    """How many days the span touches, each counting whole."""
    return (last_day(span) - first_day(span)).days + 1


def days_from(instant: datetime, span: Span) -> int:
    """The days from an event's to the span's last, both inclusive; all of them for what came before."""
    # The start's day stands for all before it: the first instants that there are have no day everywhere.
    return (last_day(span) - local_day(max(instant, span.start), span)).days + 1


def ceil_share(unit_days: Decimal, span: Span) -> Decimal:
    """Units times days as a share of the whole period, exact, then cut up at five digits."""
    return ceil_quotient(unit_days, Decimal(span.period_days), SHARE_PLACES)
