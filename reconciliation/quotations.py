"""What a period's shadow quotation should hold: fees become drafts for Odoo, or a reason why not."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q

from ingest.billers import billed_by
from ingest.buckets import describe_bucket
from ingest.fees import fees_of_period
from ingest.models import Biller, Customer, Fee, FeeKind, Service
from reconciliation.connectors.odoo.drafts import PlanLine, QuotationDraft, UsageLine
from reconciliation.held_fees import NOTHING
from reconciliation.models import OdooOrder, OdooPricelist
from reconciliation.odoo import company_of

# What a float holds of any decimal number.
FLOAT_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Bill:
    """A customer's period in one currency: what one record in Odoo is for.

    The key is the same for every version of it, so that Odoo holds one record of it.
    """

    customer: Customer
    currency: str
    period_start: datetime
    period_end: datetime
    period_label: str
    key: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a bill cannot become a quotation, in words that say what to do."""

    bill: Bill
    code: str
    message: str


def read_drafts(
    *, service: Service, period_label: str, customers: Iterable[int] | None = None
) -> tuple[list[tuple[Bill, QuotationDraft]], list[Refusal]]:
    """The drafts of all bills of a period that the service itself still bills, and what is in the way of others.

    Fees whose subscription's biller is Odoo are left out: their usage goes onto Odoo's own order.
    """
    drafts: list[tuple[Bill, QuotationDraft]] = []
    refusals: list[Refusal] = []
    pricelists = _Pricelists(service)
    for bill, fees in _group(service, period_label, customers).items():
        result = _draft(service, bill, fees, pricelists)
        if isinstance(result, Refusal):
            refusals.append(result)
        else:
            drafts.append((bill, result))
    return drafts, refusals


def _group(service: Service, period_label: str, customers: Iterable[int] | None) -> Mapping[Bill, list[Fee]]:
    fees = billed_by(
        Biller.SERVICE, fees_of_period(service=service, period_label=period_label).exclude(NOTHING)
    )
    if customers is not None:
        fees = fees.filter(subscription__customer__in=customers)
    bills: dict[Bill, list[Fee]] = defaultdict(list)
    for fee in fees.order_by("pk"):
        customer = fee.subscription.customer
        bills[_bill(customer, fee)].append(fee)
    return bills


def _bill(customer: Customer, fee: Fee) -> Bill:
    days = f"{fee.period_start:%Y%m%d}_{fee.period_end:%Y%m%d}"
    key = f"{customer.public_id.hex}_{fee.currency}_{days}"
    return Bill(customer, fee.currency, fee.period_start, fee.period_end, fee.period_label, key)


def _draft(
    service: Service, bill: Bill, fees: list[Fee], pricelists: "_Pricelists"
) -> QuotationDraft | Refusal:
    if bill.customer.odoo_partner_id is None:
        message = f"{bill.customer} is not linked to an Odoo partner: link it."
        return Refusal(bill, "unlinked", message)
    unmapped = sorted({str(fee.charge or fee.subscription.plan) for fee in fees if find_product(fee) is None})
    if unmapped:
        message = f"No Odoo product is set for {', '.join(unmapped)}: set it on the plan or the charge."
        return Refusal(bill, "no_product", message)
    imprecise = refuse_imprecise(bill, fees)
    if imprecise is not None:
        return imprecise
    pricelist_id = pricelists.find(bill.customer.odoo_partner_id, bill.currency)
    if pricelist_id is None:
        message = f"Odoo has no single pricelist in {bill.currency}: create one, or set it on the order."
        return Refusal(bill, "no_pricelist", message)
    return QuotationDraft(
        key=bill.key,
        partner_id=bill.customer.odoo_partner_id,
        company_id=company_of(service),
        pricelist_id=pricelist_id,
        reference=f"{service.name} {bill.period_label}",
        usage_lines=tuple(make_usage_line(fee) for fee in fees if fee.kind != FeeKind.PLAN),
        plan_lines=tuple(_plan_line(fee) for fee in fees if fee.kind == FeeKind.PLAN),
    )


def refuse_imprecise(bill: Bill, fees: Iterable[Fee]) -> Refusal | None:
    """Odoo's amounts are floating point numbers: one with more digits than these hold would come back as another."""
    beyond = [fee for fee in fees if len(fee.billed_amount.normalize().as_tuple().digits) > FLOAT_DIGITS]
    if not beyond:
        return None
    message = (
        f"{beyond[0].billed_amount} {bill.currency} for {beyond[0]} of {bill.customer} has more digits than Odoo can"
        " hold: check the events and the price."
    )
    return Refusal(bill, "beyond_precision", message)


def find_product(fee: Fee) -> int | None:
    """The Odoo product that a fee bills as, None while none is set."""
    return fee.charge.odoo_product_id if fee.charge else fee.subscription.plan.odoo_product_id


def make_usage_line(fee: Fee) -> UsageLine:
    """A line of usage, of a minimum or of late usage, at our own amount; its product must be set."""
    product_id = find_product(fee)
    assert product_id is not None  # _draft refused the others
    return UsageLine(
        key=fee.public_id.hex, product_id=product_id, name=_name_line(fee), amount=fee.billed_amount
    )


def _name_line(fee: Fee) -> str:
    sold = fee.charge.metric.name if fee.charge else fee.subscription.plan.name
    bucket = describe_bucket(fee)
    return _WORDS[FeeKind(fee.kind)](sold, fee) + (f" ({bucket})" if bucket else "")


_WORDS: Mapping[FeeKind, Callable[[str, Fee], str]] = {
    FeeKind.USAGE: lambda sold, fee: f"{sold} {fee.period_label}",
    FeeKind.TRUE_UP: lambda sold, fee: f"{sold}, minimum {fee.period_label}",
    FeeKind.COMMITMENT: lambda sold, fee: f"{sold}, minimum {fee.period_label}",
    FeeKind.LATE: lambda sold, fee: (
        f"{sold} {fee.period_label}, late usage of {_origin_of(fee).period_label}"
    ),
}


def _origin_of(fee: Fee) -> Fee:
    origin: Fee | None = fee.of_fee
    assert origin is not None  # a constraint refuses any other
    return origin


def _plan_line(fee: Fee) -> PlanLine:
    product_id = find_product(fee)
    assert product_id is not None  # _draft refused the others
    return PlanLine(
        key=fee.public_id.hex,
        product_id=product_id,
        name=f"{fee.subscription.plan.name} {fee.period_label}",
        quantity=_share_of_period(fee),
    )


def _share_of_period(fee: Fee) -> Decimal:
    """The part of the period that the plan fee covers; Odoo prices the plan itself and keeps two digits."""
    (days,) = fee.details
    share = Decimal(days["billed_days"]) / Decimal(days["period_days"])
    return share.quantize(Decimal("0.01"), ROUND_HALF_UP)


class _Pricelists:
    """Which pricelist a quotation names: the subscription order's own, else the company's only one."""

    def __init__(self, service: Service) -> None:
        company = company_of(service)
        self._by_currency: dict[str, list[int]] = defaultdict(list)
        rows = OdooPricelist.objects.filter(
            Q(company_id=None) | Q(company_id=company), is_active=True, gone_at=None
        )
        for odoo_id, currency in rows.values_list("odoo_id", "currency"):
            self._by_currency[currency].append(odoo_id)
        orders = OdooOrder.objects.exclude(pricelist_id=None).filter(
            odoo_id__in=service.subscriptions.exclude(odoo_order_id=None).values("odoo_order_id")
        )
        self._by_partner = {
            (partner, currency): pricelist
            for partner, currency, pricelist in orders.values_list("partner_id", "currency", "pricelist_id")
        }

    def find(self, partner_id: int, currency: str) -> int | None:
        ordered = self._by_partner.get((partner_id, currency))
        if ordered is not None:
            return ordered
        candidates = self._by_currency[currency]
        return candidates[0] if len(candidates) == 1 else None
