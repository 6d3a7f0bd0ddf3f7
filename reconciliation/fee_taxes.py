"""The tax on single fees: by the rates that their bill was reconciled with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ingest.metering.arithmetic import ZERO, exact_sum
from ingest.models import Fee
from ingest.rating.taxes import TaxRate, tax_of
from reconciliation.models import Reconciliation

# A bill: the customer, the currency and both ends of the period.
_Key = tuple[int, str, datetime, datetime]


@dataclass(frozen=True, slots=True)
class FeeTax:
    """One tax on a fee; `exact` is unrounded, in the fee's currency."""

    name: str
    rate: TaxRate
    exact: Decimal


@dataclass(frozen=True, slots=True)
class BilledFee:
    """A fee, the bill that it is part of if it was reconciled, and its taxes."""

    fee: Fee
    bill: Reconciliation | None
    taxes: Sequence[FeeTax] = ()

    @property
    def exact_tax(self) -> Decimal:
        """All taxes together, unrounded."""
        return exact_sum(tax.exact for tax in self.taxes) if self.taxes else ZERO


def add_bills(fees: Sequence[Fee]) -> list[BilledFee]:
    """The fees with their bills and taxes, in one query; they need subscription, plan and charge."""
    rows = Reconciliation.objects.filter(
        customer__in={fee.subscription.customer_id for fee in fees},
        period_start__in={fee.period_start for fee in fees},
    )
    bills = {(row.customer_id, row.currency, row.period_start, row.period_end): row for row in rows}
    return [_bill(fee, bills) for fee in fees]


def _bill(fee: Fee, bills: Mapping[_Key, Reconciliation]) -> BilledFee:
    key = (fee.subscription.customer_id, fee.currency, fee.period_start, fee.period_end)
    bill = bills.get(key)
    return BilledFee(fee, bill, tuple(_taxes_of(fee, bill.expected_taxes)) if bill else ())


def _taxes_of(fee: Fee, shares: Iterable[Mapping[str, object]]) -> Iterable[FeeTax]:
    product_id = fee.charge.odoo_product_id if fee.charge else fee.subscription.plan.odoo_product_id
    for share in shares:
        products = share["products"]
        if isinstance(products, list) and product_id in products:
            rate = _rate_of(share)
            yield FeeTax(str(share["name"]), rate, tax_of(fee.billed_amount, rate))


def taxes_of_bill(bill: Reconciliation) -> list[FeeTax]:
    """Each tax of a bill on all that it is on."""
    return [
        FeeTax(str(share["name"]), _rate_of(share), Decimal(str(share["amount"])))
        for share in bill.expected_taxes
    ]


def _rate_of(share: Mapping[str, object]) -> TaxRate:
    return TaxRate(str(share["tax_id"]), Decimal(str(share["percent"])))
