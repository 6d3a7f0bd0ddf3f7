"""The months of the demo's story: the six newest closed ones on the day that it is first loaded."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = 6

# A month's last local midnight lies up to 12 hours after UTC's, and a period closes a day later.
CLOSES_AFTER = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Window:
    """Six closed calendar months; months are named by their first day."""

    newest: date

    @property
    def start(self) -> date:
        """The first day of the oldest month."""
        return add_months(self.newest, 1 - MONTHS)

    @property
    def end(self) -> date:
        """The day after the newest month."""
        return add_months(self.newest, 1)


def newest_closed_month(now: datetime) -> date:
    """The first day of the newest month whose periods are closed in every time zone of the story."""
    return add_months((now - CLOSES_AFTER).astimezone(UTC).date().replace(day=1), -1)


def add_months(month: date, count: int) -> date:
    """The first day of the month that lies `count` months after the given day's."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def count_months(earlier: date, later: date) -> int:
    """How many months lie between the months of two days."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def midnight(day: date, timezone: ZoneInfo) -> datetime:
    """When the day begins there, as the rest of the console writes instants."""
    return datetime.combine(day, time.min, timezone).astimezone(UTC)
