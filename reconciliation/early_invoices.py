"""What Odoo invoiced although the service still bills it: the customer would pay twice, and it is an alarm.

Only posted invoices count: a draft bills nobody, and a credit note takes back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, cast
from zoneinfo import ZoneInfo

from ingest.billers import BillerBook
from ingest.models import Biller, Charge, Customer, Fee, Phase, Plan, Service, Subscription
from reconciliation import alarms
from reconciliation.connectors.odoo.external_ids import find_fee_key
from reconciliation.models import (
    Alarm,
    AlarmKind,
    OdooConnection,
    OdooInvoice,
    OdooInvoiceLine,
    OdooOrderLine,
)
from reconciliation.odoo import read_billers, services_of

KIND = AlarmKind.BILLED_BY_ODOO_TOO


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of a posted invoice, with all that can tell whose it is."""

    invoice_id: int
    invoice: str
    billed_on: date
    partner_id: int
    product_id: int | None
    order_ids: tuple[int, ...] = ()
    external_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What in Odoo belongs to one service, and who bills each of its subscriptions when."""

    service: Service
    orders: Mapping[int, int]
    own_products: frozenset[int]
    shared_products: frozenset[int]
    partners: Mapping[int, list[int]]
    fee_billers: Mapping[str, str]
    book: BillerBook
    zone: ZoneInfo = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone", ZoneInfo(self.service.timezone))

    def is_early(self, line: BilledLine) -> bool:
        """Whether the line is the service's and Odoo does not bill that yet; lines of no service are not early."""
        by_fee = [self.fee_billers[key] for key in _fee_keys(line.external_ids) if key in self.fee_billers]
        if by_fee:
            return Biller.ODOO not in by_fee
        by_order = [self.orders[each] for each in line.order_ids if each in self.orders]
        if by_order:
            return not self._bills_any(by_order, line.billed_on)
        customers = self.partners.get(line.partner_id)
        if line.product_id in self.own_products or (line.product_id in self.shared_products and customers):
            if customers:
                return not self._bills_any(customers, line.billed_on)
            return self.service.phase != Phase.LIVE
        return False

    def _bills_any(self, subscriptions: Iterable[int], billed_on: date) -> bool:
        """Whether Odoo bills one of them by the end of that day, where the service is."""
        last = datetime.combine(billed_on, time.max, self.zone)
        return any(
            self.book.find(subscription_id=each, period_start=last) == Biller.ODOO for each in subscriptions
        )


def watch_all(*, connection: OdooConnection | None) -> int:
    """`watch` for every service of a connection, or of the environment's; returns how many invoices there are."""
    return sum(watch(service=service) for service in services_of(connection))


def watch(*, service: Service) -> int:
    """Raises an alarm for each posted invoice that bills the service too early, and clears those that are gone.

    Returns how many there are. What the mirror holds is judged: call it after that was brought up to date.
    """
    lines = list(_read_lines())
    claims = _read_claims(service, lines)
    found = {_refer(service, line): line for line in lines if claims.is_early(line)}
    for reference, line in found.items():
        alarms.raise_alarm(kind=KIND, service=service, reference=reference, message=_describe(service, line))
    prefix = _prefix(service)
    for alarm in Alarm.objects.filter(kind=KIND, reference__startswith=prefix, cleared_at=None):
        if alarm.reference not in found:
            alarms.clear_alarm(kind=KIND, reference=alarm.reference)
    return len(found)


def _read_lines() -> Iterator[BilledLine]:
    """The lines of the posted invoices that the mirror holds, each with its order lines' orders and names."""
    posted = OdooInvoice.objects.filter(
        state="posted", move_type="out_invoice", invoice_date__isnull=False, gone_at=None
    ).defer("raw")
    invoices = {invoice.odoo_id: invoice for invoice in posted}
    rows = OdooInvoiceLine.objects.filter(move_id__in=invoices, display_type="product", gone_at=None)
    lines = list(rows.values_list("move_id", "product_id", "sale_line_ids", "external_id"))
    ordered = _read_ordered({each for _, _, ids, _ in lines for each in ids})
    for move_id, product_id, sale_line_ids, external_id in lines:
        invoice, sold = invoices[move_id], [ordered[each] for each in sale_line_ids if each in ordered]
        yield BilledLine(
            invoice_id=move_id,
            invoice=invoice.name,
            billed_on=cast(date, invoice.invoice_date),
            partner_id=invoice.partner_id,
            product_id=product_id,
            order_ids=tuple(order_id for order_id, _ in sold),
            external_ids=tuple(filter(None, (external_id, *(name for _, name in sold)))),
        )


def _read_ordered(ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """The order and the external id of each order line."""
    rows = OdooOrderLine.objects.filter(odoo_id__in=ids)
    return {row[0]: (row[1], row[2]) for row in rows.values_list("odoo_id", "order_id", "external_id")}


def _read_claims(service: Service, lines: Iterable[BilledLine]) -> Claims:
    subscriptions = Subscription.objects.filter(customer__service=service)
    linked = subscriptions.filter(odoo_order_id__isnull=False)
    partners: dict[int, list[int]] = {}
    of_partners = subscriptions.filter(customer__odoo_partner_id__isnull=False)
    for subscription_id, partner_id in of_partners.values_list("pk", "customer__odoo_partner_id"):
        partners.setdefault(partner_id or 0, []).append(subscription_id)
    own, others = _products(service=service), _products(exclude=service)
    return Claims(
        service=service,
        orders={order_id or 0: pk for pk, order_id in linked.values_list("pk", "odoo_order_id")},
        own_products=frozenset(own - others),
        shared_products=frozenset(own & others),
        partners=partners,
        fee_billers=_read_fee_billers(service, lines),
        book=BillerBook(subscriptions.values_list("pk", flat=True)),
    )


def _read_fee_billers(service: Service, lines: Iterable[BilledLine]) -> Mapping[str, str]:
    keys = {key for line in lines for key in _fee_keys(line.external_ids)}
    billers = read_billers(keys) if keys else {}
    fees = Fee.objects.filter(public_id__in=billers, subscription__customer__service=service)
    return {key.hex: billers[key.hex] for key in fees.values_list("public_id", flat=True)}


def _products(*, service: Service | None = None, exclude: Service | None = None) -> set[int]:
    """The products of Odoo's that the plans and charges of one service bill as, or of all others."""
    found: set[int] = set()
    for model in (Plan, Charge):
        rows: Any = model._default_manager.exclude(odoo_product_id=None)
        rows = rows.filter(service=service) if service else rows.exclude(service=exclude)
        found |= set(rows.values_list("odoo_product_id", flat=True))
    return found


def _fee_keys(external_ids: Iterable[str]) -> Iterator[str]:
    return filter(None, map(find_fee_key, external_ids))


def _describe(service: Service, line: BilledLine) -> str:
    customer = Customer.objects.filter(service=service, odoo_partner_id=line.partner_id).first()
    whom = f" {customer}" if customer else ""
    return (
        f"{line.invoice} of {line.billed_on} in Odoo bills{whom} what {service} still bills itself."
        " Credit it in Odoo, and find out what posted it."
    )


def _refer(service: Service, line: BilledLine) -> str:
    return f"{_prefix(service)}{line.invoice_id}"


def _prefix(service: Service) -> str:
    return f"{service.code}/invoice/"
