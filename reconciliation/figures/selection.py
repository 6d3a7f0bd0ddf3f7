"""Which service and which period a page is about, as its address says."""

from dataclasses import dataclass

from django.db.models import Min, Q

from ingest.models import Service
from reconciliation.models import Reconciliation

# As many columns as a heat map can show and a person can compare.
MOST_PERIODS = 12


@dataclass(frozen=True, slots=True)
class Selection:
    """The services and periods there are, and the ones chosen; no service is all of them."""

    services: tuple[Service, ...]
    periods: tuple[str, ...]
    service: Service | None
    period: str

    @property
    def rows(self) -> Q:
        """The reconciliations that are chosen."""
        return self.of_service & Q(period_label=self.period)

    @property
    def of_service(self) -> Q:
        """The reconciliations of the chosen service, of any period."""
        return Q(service=self.service) if self.service else Q()


def select(*, service_code: str, period_label: str) -> Selection:
    """The selection of an address; what it does not name, or names wrongly, is all services and the newest
    closed period.
    """
    services = tuple(Service.objects.all())
    service = next((row for row in services if row.code == service_code), None)
    periods = read_periods(service)
    known = period_label in periods or Reconciliation.objects.filter(period_label=period_label).exists()
    newest = periods[-1] if periods else ""
    return Selection(services, periods, service, period_label if known else newest)


def read_periods(service: Service | None = None) -> tuple[str, ...]:
    """The labels of the newest periods that were judged, the oldest of them first."""
    rows = Reconciliation.objects.filter(service=service) if service else Reconciliation.objects.all()
    labels = rows.order_by().values("period_label").annotate(start=Min("period_start"))
    newest = labels.order_by("-start", "-period_label").values_list("period_label", flat=True)
    return tuple(reversed(newest[:MOST_PERIODS]))
