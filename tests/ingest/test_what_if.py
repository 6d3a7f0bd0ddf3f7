"""What if a closed period had had another price: both prices' fees side by side, and nothing stored."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.catalogue import InvalidChargeError
from ingest.errors import DomainError
from ingest.metering.periods import PeriodLabelError
from ingest.models import ChargeModel, ChargeVersion, Fee, FeeKind, Usage
from ingest.what_if import compare_price
from tests import factories
from tests.ingest.selling import NOW, add_charge, bill, make_subscription, post
from tests.repricing import reprice_plan

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL


def use(subscription, value, code="api", **properties):
    return post(
        subscription,
        datetime(2026, 9, 3, tzinfo=UTC),
        code=code,
        properties={"value": value, **properties},
    )


def make(units="10", **price):
    subscription = make_subscription()
    add_charge(subscription, price="1", **price)
    use(subscription, units)
    bill(subscription.service)
    return subscription


def another(charge, model=ChargeModel.STANDARD, **values):
    """A price that is not stored."""
    return ChargeVersion(charge=charge, **{"model": model, "properties": {"amount": "3"}, **values})


def ask(subscription, version=None, code="api", label=LABEL, now=NOW, **values):
    charge = subscription.plan.charges.get(metric__code=code)
    version = version or another(charge)
    return compare_price(charge=charge, version=version, period_label=label, now=now, **values)


def told(found):
    return [(fee.kind, fee.bucket, fee.amount, fee.other_amount, fee.difference) for fee in found.fees]


def test_each_fee_stands_beside_what_it_would_be_and_the_sums_are_shown():
    found = ask(make())
    assert told(found) == [(FeeKind.USAGE, "", 10, 30, 20)]
    assert (found.amount, found.other_amount, found.difference, found.currency) == (10, 30, 20, "CAD")


def test_nothing_is_stored():
    subscription = make()
    before = list(Fee.objects.values()), list(Usage.objects.values()), ChargeVersion.objects.count()
    ask(subscription)
    after = list(Fee.objects.values()), list(Usage.objects.values()), ChargeVersion.objects.count()
    assert after == before


def test_other_groups_and_minimums_stand_where_only_one_price_has_them():
    subscription = make()
    use(subscription, "5", team="a")
    charge = subscription.plan.charges.get()
    grouped = another(
        charge, properties={"amount": "1", "pricing_group_keys": ["team"]}, min_amount=Decimal(20)
    )
    assert sorted(told(ask(subscription, grouped)), key=str) == sorted(
        [
            (FeeKind.USAGE, "", 15, None, -15),
            (FeeKind.USAGE, "team a", None, 5, 5),
            (FeeKind.USAGE, "team –", None, 10, 10),
            (FeeKind.TRUE_UP, "", None, 5, 5),
        ],
        key=str,
    )


def test_what_the_price_does_not_decide_is_left_out_and_the_commitment_is_not():
    subscription = make()
    add_charge(subscription, "storage", price="1")
    use(subscription, "7", code="storage")
    reprice_plan(subscription.plan, amount=0, minimum_commitment=Decimal(40))
    found = ask(subscription)
    assert sorted(told(found)) == [(FeeKind.COMMITMENT, "", 23, 3, -20), (FeeKind.USAGE, "", 10, 30, 20)]
    assert found.difference == 0


def test_a_version_that_there_is_may_be_asked_too():
    subscription = make()
    charge = subscription.plan.charges.get()
    assert ask(subscription, charge.versions.get()).difference == 0


def test_one_customer_may_be_chosen():
    subscription = make()
    other = factories.SubscriptionFactory(
        customer=factories.CustomerFactory(service=subscription.service), plan=subscription.plan
    )
    use(other, "4")
    assert ask(subscription).amount == 14
    assert told(ask(subscription, customer_id=other.customer.external_id))[0][2:4] == (4, 12)


def test_another_plan_of_the_same_customer_is_left_out():
    subscription = make()
    other = make_subscription(service=subscription.service, customer=subscription.customer, amount="50")
    reprice_plan(other.plan, amount=50, minimum_commitment=Decimal(400))
    assert told(ask(subscription)) == [(FeeKind.USAGE, "", 10, 30, 20)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"now": datetime(2026, 10, 1, 12, tzinfo=UTC)}, "not_closed"),
        ({"label": "2025-09"}, "nothing_to_rate"),
        ({"label": "2026-Q3"}, "nothing_to_rate"),
        ({"customer_id": "nobody"}, "nothing_to_rate"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(asked, code):
    subscription = make()
    with pytest.raises(DomainError) as refused:
        ask(subscription, **asked)
    assert refused.value.code == code


def test_a_text_that_is_no_label_is_refused():
    subscription = make()
    with pytest.raises(PeriodLabelError):
        ask(subscription, label="soon")


def test_a_price_that_the_charge_cannot_have_is_refused():
    subscription = make()
    with pytest.raises(InvalidChargeError, match="amount"):
        ask(subscription, another(subscription.plan.charges.get(), properties={"amount": "cheap"}))


def test_more_customers_than_a_page_can_wait_for_are_asked_for_one_by_one(monkeypatch):
    subscription = make()
    factories.SubscriptionFactory(
        customer=factories.CustomerFactory(service=subscription.service), plan=subscription.plan
    )
    monkeypatch.setattr("ingest.what_if.MOST_CUSTOMERS", 1)
    with pytest.raises(DomainError) as refused:
        ask(subscription)
    assert refused.value.code == "too_many"
    assert ask(subscription, customer_id=subscription.customer.external_id).amount == 10
