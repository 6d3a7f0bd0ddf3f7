"""The cutover board: each service's phase, what is still missing, and what would change hands."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from ingest.calendar import first_period_on, running_subscriptions
from ingest.models import Phase, Service
from reconciliation.comparison.readiness import Condition
from reconciliation.models import CutoverRequest, CutoverStatus
from reconciliation.readiness import read_readiness

WAY = [Phase.DUAL_RUN, Phase.APPROVED, Phase.SHADOW, Phase.LIVE]
UNDER_WAY = [CutoverStatus.REQUESTED, CutoverStatus.APPROVED, CutoverStatus.LIVE]


@dataclass(frozen=True, slots=True)
class Card:
    """One service on the board; conditions are asked only of a service in its dual run."""

    service: Service
    request: CutoverRequest | None
    conditions: tuple[Condition, ...]

    @property
    def unmet(self) -> list[Condition]:
        """What is still missing."""
        return [condition for condition in self.conditions if not condition.is_met]

    @property
    def percent(self) -> int:
        """The share of conditions that are met."""
        conditions = [condition for condition in self.conditions if not condition.is_told]
        return (len(conditions) - len(self.unmet)) * 100 // len(conditions) if conditions else 0


@dataclass(frozen=True, slots=True)
class Switch:
    """How many subscriptions first have a period that Odoo bills at that time."""

    starts_at: datetime
    subscriptions: int


def read_board() -> list[Card]:
    """A card for each service, those on the way to their cutover first."""
    requests = CutoverRequest.objects.filter(status__in=UNDER_WAY).select_related("requested_by")
    by_service = {request.service_id: request for request in requests}
    services = sorted(Service.objects.all(), key=lambda service: WAY.index(Phase(service.phase)))
    return [read_card(service, by_service.get(service.pk)) for service in services]


def read_card(service: Service, request: CutoverRequest | None) -> Card:
    """One service's card, with its conditions as they stand now."""
    if service.phase != Phase.DUAL_RUN:
        return Card(service, request, ())
    on = request.effective_date if request else None
    return Card(service, request, read_readiness(service=service, effective_date=on).conditions)


def read_switches(*, service: Service, effective_date: date) -> list[Switch]:
    """When the service's open subscriptions would switch: each at its first period start on or after the date."""
    counts: dict[datetime, int] = {}
    for subscription in running_subscriptions(service, timezone.now()).iterator():
        start = first_period_on(subscription, effective_date).start
        counts[start] = counts.get(start, 0) + 1
    return [Switch(start, counts[start]) for start in sorted(counts)]
