"""Which customer's period a line of Odoo bills: by our external id, else by its dates, else a person says it.

Never by the date of an invoice alone: it says when Odoo billed, not what.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from ingest.calendar import customer_timezone, grid_of
from ingest.metering.periods import Period, billing_period
from ingest.models import Charge, Customer, Fee, Plan, Service, Subscription
from reconciliation.comparison.odoo_documents import find_period
from reconciliation.models import LineState, OdooPartner, Reconciliation, Strategy, UnattributedLine


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of a document tells of what it bills.

    `fee_keys` and `row_keys` are the fees, and the reconciliations that it corrects, of which our external ids
    tell; `starts_on` is the first day of an order's next invoice.
    """

    odoo_id: int
    partner_id: int
    product_id: int | None
    order_ids: frozenset[int]
    fee_keys: frozenset[str]
    row_keys: frozenset[str] = frozenset()
    dates: tuple[date, date] | None = None
    starts_on: date | None = None
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The customer's period that a line bills, how that is known, and the fee where it is one."""

    customer: Customer
    period_start: datetime
    period_end: datetime
    period_label: str
    by: str
    fee: Fee | None = None

    @property
    def key(self) -> tuple[int, datetime, datetime]:
        """What amounts are added up by."""
        return self.customer.pk, self.period_start, self.period_end


@dataclass(frozen=True, slots=True)
class Unattributed:
    """Why a line that may be the service's is of no period that we know."""

    why: str


# Odoo bills other things too: such lines are nobody's here.
NOT_OURS = None
Verdict = Target | Unattributed | None


class AttributionBook:
    """What is known of one service, to attribute many lines without asking again."""

    def __init__(self, service: Service, strategy: Strategy) -> None:
        self._service = service
        rows = Subscription.objects.filter(service=service, canceled_at=None)
        subscriptions = list(rows.select_related("plan", "customer__service").order_by("pk"))
        self._by_order: dict[int, list[Subscription]] = defaultdict(list)
        self._by_customer: dict[int, list[Subscription]] = defaultdict(list)
        for row in subscriptions:
            self._by_customer[row.customer_id].append(row)
            if row.odoo_order_id is not None:
                self._by_order[row.odoo_order_id].append(row)
        self._by_partner: dict[int, list[Customer]] = defaultdict(list)
        for customer in Customer.objects.filter(service=service, odoo_partner_id__isnull=False):
            self._by_partner[customer.odoo_partner_id or 0].append(customer)
        self._parents = _read_parents(self._by_partner)
        self.codes = _read_codes(service)
        self._decided = {
            (row.odoo_id, row.occasion): row
            for row in UnattributedLine.objects.filter(
                service=service, strategy=strategy, state__in=[LineState.ASSIGNED, LineState.LEFT_OUT]
            ).select_related("customer")
        }
        self._fees: dict[str, Fee] = {}
        self._rows: dict[str, Reconciliation] = {}

    @property
    def partner_ids(self) -> Collection[int]:
        """The linked partners and the addresses under them."""
        return {*self._by_partner, *self._parents}

    @property
    def order_ids(self) -> Collection[int]:
        """The orders of the service's subscriptions."""
        return self._by_order.keys()

    def learn(self, lines: Iterable[Line]) -> None:
        """Reads what the external ids of these lines name, whichever service's, in at most two queries."""
        known = list(lines)
        self._learn_fees(key for line in known for key in line.fee_keys)
        keys = {key for line in known for key in line.row_keys}.difference(self._rows)
        rows = Reconciliation.objects.filter(public_id__in=keys) if keys else Reconciliation.objects.none()
        self._rows.update((row.public_id.hex, row) for row in rows.select_related("customer"))

    def _learn_fees(self, keys: Iterable[str]) -> None:
        missing = set(keys).difference(self._fees)
        fees = Fee.objects.filter(public_id__in=missing) if missing else Fee.objects.none()
        related = ("charge__metric", "subscription__plan", "subscription__customer__service")
        self._fees.update((fee.public_id.hex, fee) for fee in fees.select_related(*related))

    def attribute(self, line: Line) -> Verdict:
        """The period of a line; what a person decided comes first, our own mark second, dates third."""
        decided = self._decided.get((line.odoo_id, line.occasion))
        if decided is not None:
            return _target_of(decided)
        fees = [fee for key in sorted(line.fee_keys) if (fee := self._fees.get(key))]
        if fees:
            return self._by_fees(fees)
        rows = [row for key in sorted(line.row_keys) if (row := self._rows.get(key))]
        if rows:
            return _target_of_row(rows[0]) if rows[0].service_id == self._service.pk else NOT_OURS
        candidates = self._find_subscriptions(line)
        if candidates is NOT_OURS or isinstance(candidates, Unattributed):
            return candidates
        return _by_dates(line, candidates)

    def _by_fees(self, fees: list[Fee]) -> Verdict:
        own = [fee for fee in fees if fee.subscription.service_id == self._service.pk]
        if not own:
            return NOT_OURS
        targets = {target.key: target for target in map(_target_of_fee, own)}
        if len(targets) > 1 or len(own) < len(fees):
            return Unattributed("It bills fees of several periods at once.")
        (target,) = targets.values()
        return target

    def _find_subscriptions(self, line: Line) -> list[Subscription] | Unattributed | None:
        """The subscriptions that the line may bill: those of its order, else those of its partner."""
        ordered = [row for order_id in sorted(line.order_ids) for row in self._by_order.get(order_id, ())]
        if ordered:
            return ordered
        if line.product_id not in self.codes:
            return NOT_OURS
        partner_id = self._parents.get(line.partner_id, line.partner_id)
        customers = self._by_partner.get(line.partner_id) or self._by_partner.get(partner_id, [])
        if len(customers) != 1:
            what = "Several customers are" if customers else "No customer is"
            return Unattributed(f"{what} linked to the partner {line.partner_id}.")
        rows = self._by_customer[customers[0].pk]
        if not rows:
            return Unattributed(f"{customers[0]} has no subscription.")
        of_plan = [row for row in rows if row.plan.odoo_product_id == line.product_id]
        return of_plan or rows


def _by_dates(line: Line, rows: list[Subscription]) -> Verdict:
    """The one period of these subscriptions that the line's dates are in."""
    dates = line.dates or (line.starts_on and (line.starts_on, line.starts_on))
    if not dates:
        return Unattributed("It has neither an external id of ours nor deferred dates.")
    found = set()
    for row in rows:
        zone = customer_timezone(row.customer)
        period = _period_on(row, dates[0])
        if line.starts_on and not line.dates and period.start.astimezone(zone).date() != line.starts_on:
            continue
        held = find_period(first=dates[0], last=dates[1], periods=[period], zone=zone)
        found |= {(row.customer_id, held)} if held else set()
    if len(found) != 1:
        return Unattributed(f"{dates[0]} to {dates[1]} is not one billing period of the customer's.")
    ((customer_id, period),) = found
    customer = next(row.customer for row in rows if row.customer_id == customer_id)
    by = "deferred dates" if line.dates else "next invoice date"
    return Target(customer, period.start, period.end, period.label, by)


def _period_on(row: Subscription, day: date) -> Period:
    zone = customer_timezone(row.customer)
    return billing_period(at=datetime.combine(day, time.min, zone).astimezone(UTC), **grid_of(row))


def _target_of_fee(fee: Fee) -> Target:
    return Target(
        fee.subscription.customer, fee.period_start, fee.period_end, fee.period_label, "external id", fee
    )


def _target_of_row(row: Reconciliation) -> Target:
    return Target(row.customer, row.period_start, row.period_end, row.period_label, "external id")


def _target_of(decided: UnattributedLine) -> Verdict:
    if decided.state == LineState.LEFT_OUT or decided.customer is None:
        return NOT_OURS
    assert decided.period_start is not None and decided.period_end is not None  # noqa: PT018 - a constraint
    return Target(
        decided.customer, decided.period_start, decided.period_end, decided.period_label, "a person"
    )


def _read_parents(partners: Mapping[int, object]) -> dict[int, int]:
    """The linked partner above each address of one."""
    rows = OdooPartner.objects.filter(parent_id__in=list(partners)).exclude(odoo_id__in=list(partners))
    return {odoo_id: parent for odoo_id, parent in rows.values_list("odoo_id", "parent_id") if parent}


def _read_codes(service: Service) -> dict[int | None, tuple[str, bool]]:
    """The code that each product of the service bills, and whether that is a plan."""
    charges = Charge.objects.filter(plan__service=service, odoo_product_id__isnull=False)
    plans = Plan.objects.filter(service=service, odoo_product_id__isnull=False)
    codes: dict[int | None, tuple[str, bool]] = {
        product: (code, False) for product, code in charges.values_list("odoo_product_id", "metric__code")
    }
    codes.update({product: (code, True) for product, code in plans.values_list("odoo_product_id", "code")})
    return codes
