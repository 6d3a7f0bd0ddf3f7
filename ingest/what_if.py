"""What would a closed period have cost with another price? Fee by fee beside what it costs, and kept nowhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ingest.buckets import describe_parts
from ingest.catalogue import refuse_invalid_terms
from ingest.errors import DomainError
from ingest.fees import RatedFee, rate_what_if
from ingest.metering.arithmetic import ZERO, exact_difference, exact_sum
from ingest.models import Charge, ChargeVersion, FeeKind, Subscription
from ingest.rating.charge_rules import ChargeTerms
from ingest.windows import windows_of

# A page waits for its answer: more customers than these are asked for one by one.
MOST_CUSTOMERS = 500


@dataclass(frozen=True, slots=True)
class ComparedFee:
    """One fee as it is priced and as it would be; None where a price has no such fee."""

    subscription: Subscription
    kind: FeeKind
    bucket: str
    quantity: Decimal
    amount: Decimal | None
    other_amount: Decimal | None

    @property
    def difference(self) -> Decimal:
        """The other amount less the amount."""
        return exact_difference(self.other_amount or ZERO, self.amount or ZERO)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """All fees that the price decides, in one currency; their sums are the totals."""

    currency: str
    fees: Sequence[ComparedFee]

    @property
    def amount(self) -> Decimal:
        """What they come to."""
        return exact_sum(fee.amount or ZERO for fee in self.fees)

    @property
    def other_amount(self) -> Decimal:
        """What they would come to."""
        return exact_sum(fee.other_amount or ZERO for fee in self.fees)

    @property
    def difference(self) -> Decimal:
        """The sum of the differences."""
        return exact_difference(self.other_amount, self.amount)


def compare_price(
    *, charge: Charge, version: ChargeVersion, period_label: str, now: datetime, customer_id: str = ""
) -> WhatIf:
    """A closed period of a charge's plan under another version of its price, stored or not, beside its own.

    Both are metered and rated from the same events by the functions that bill; nothing is stored. `customer_id` is
    a customer's external id, empty for all. Refuses a price that the charge cannot have (`invalid_properties`), a
    period that no subscription of the plan ran in (`nothing_to_rate`) or that is open (`not_closed`), and more
    customers than a page can wait for (`too_many`). Raises PeriodLabelError.
    """
    refuse_invalid_terms(charge, _terms_of(version))
    subscriptions = _find_subscriptions(charge, period_label, now, customer_id)
    customers = {subscription.customer_id for subscription in subscriptions.values()}
    ours, theirs = (
        _by_key(
            fee
            for fee in rate_what_if(
                service=charge.service, period_label=period_label, instead=instead, customers=customers
            )
            if fee.subscription_id in subscriptions and _depends_on(fee, charge)
        )
        for instead in ({}, {charge.pk: version})
    )
    keys = sorted(ours.keys() | theirs.keys(), key=lambda key: (str(subscriptions[key[0]]), *key))
    fees = [_compare(subscriptions[key[0]], ours.get(key), theirs.get(key)) for key in keys]
    return WhatIf(charge.plan.currency, fees)


def _terms_of(version: ChargeVersion) -> ChargeTerms:
    return ChargeTerms(
        model=version.model,
        properties=version.properties,
        filters=version.filters,
        is_prorated=version.is_prorated,
        is_pay_in_advance=version.is_pay_in_advance,
        min_amount=version.min_amount,
    )


def _find_subscriptions(
    charge: Charge, period_label: str, now: datetime, customer_id: str
) -> dict[int, Subscription]:
    rows = charge.plan.subscriptions.all()
    if customer_id:
        rows = rows.filter(customer__external_id=customer_id)
    customers = list(rows.values_list("customer", flat=True).distinct()[: MOST_CUSTOMERS + 1])
    if len(customers) > MOST_CUSTOMERS:
        message = f"More than {MOST_CUSTOMERS} customers have this plan: ask for one of them."
        raise DomainError("too_many", message)
    windows = [
        window
        for window in windows_of(service=charge.service, period_label=period_label, customers=customers)
        if window.plan_id == charge.plan_id
    ]
    if not windows:
        raise DomainError("nothing_to_rate", f"No subscription of this plan ran in {period_label}.")
    grace = timedelta(hours=charge.service.grace_hours)
    if any(window.period.end + grace > now for window in windows):
        raise DomainError("not_closed", f"{period_label} is not closed yet: its usage may still grow.")
    return Subscription.objects.in_bulk([key for window in windows for key in window.subscriptions])


def _depends_on(fee: RatedFee, charge: Charge) -> bool:
    """Whether the price decides it: the charge's own fees, and what the plan's commitment adds to all of them."""
    return fee.charge_id == charge.pk or fee.kind == FeeKind.COMMITMENT


_Key = tuple[int, str, str]


def _by_key(fees: Iterable[RatedFee]) -> Mapping[_Key, RatedFee]:
    return {
        (fee.subscription_id, str(fee.kind), describe_parts(fee.filter_values, fee.grouped_by)): fee
        for fee in fees
    }


def _compare(subscription: Subscription, ours: RatedFee | None, theirs: RatedFee | None) -> ComparedFee:
    fee = ours or theirs
    assert fee is not None  # one of both had the key
    return ComparedFee(
        subscription=subscription,
        kind=fee.kind,
        bucket=describe_parts(fee.filter_values, fee.grouped_by),
        quantity=fee.quantity,
        amount=ours.amount if ours else None,
        other_amount=theirs.amount if theirs else None,
    )
