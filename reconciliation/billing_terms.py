"""Which source holds when: a service's billing sources as what is stored asks them."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ingest.models import Service
from reconciliation.models import SOURCES_OF_KIND, BillingKind, BillingSource

# Before anybody decided, a service's bills come in files.
DEFAULT = BillingKind.FILE


@dataclass(frozen=True, slots=True)
class Terms:
    """A service's billing sources, the earliest first: each from its day on."""

    terms: tuple[tuple[date, BillingKind], ...] = ()

    def kind_on(self, day: date) -> BillingKind:
        """The source of a period that begins on a local day."""
        return next((kind for starts_on, kind in reversed(self.terms) if starts_on <= day), DEFAULT)

    def counts(self, source: str, period_start: datetime, timezone: ZoneInfo) -> bool:
        """Whether a document of that source counts for a period that starts then, where the customer is."""
        return source in SOURCES_OF_KIND[self.kind_on(period_start.astimezone(timezone).date())]

    def changed(self, kind: BillingKind, starts_on: date) -> "Terms":
        """The terms with one more, in place of what was decided for the same day."""
        return Terms(tuple(sorted({**dict(self.terms), starts_on: kind}.items())))


def read_terms(service: Service) -> Terms:
    """The billing sources that hold for a service."""
    rows = BillingSource.objects.filter(service=service, is_current=True).order_by("starts_on")
    return Terms(tuple((row.starts_on, BillingKind(row.kind)) for row in rows))
