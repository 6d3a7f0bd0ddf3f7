"""Rating on rows: fees are exact, rounded once, written only when they change, and become zero, never deleted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import DomainError
from ingest.fees import fees_of_period, rate_period
from ingest.metering.periods import PeriodLabelError
from ingest.models import Charge, ChargeModel, Fee, FeeKind, Usage
from ingest.rating.money import round_to_currency
from tests import factories
from tests.ingest.selling import NOW, add_charge, bill, make_subscription, post
from tests.repricing import reprice, reprice_plan

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL
TIERS = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 100, "per_unit_amount": "0.10", "flat_amount": "2"},
        {"from_value": 101, "to_value": 1000, "per_unit_amount": "0.045", "flat_amount": "0"},
        {"from_value": 1001, "to_value": None, "per_unit_amount": "0.0071", "flat_amount": "0.005"},
    ]
}


def at(day, hour=0):
    return datetime(2026, 9, day, hour, tzinfo=UTC)


def rate(subscription, label=LABEL, now=NOW, **values):
    return rate_period(service=subscription.service, period_label=label, now=now, **values)


def use(subscription, quantity, code="api", label=LABEL, **values):
    """Usage as metering would leave it."""
    charge = subscription.plan.charges.get(metric__code=code)
    return factories.UsageFactory(
        subscription=subscription,
        charge=charge,
        quantity=Decimal(quantity),
        events_count=1,
        period_label=label,
        **values,
    )


def amounts(subscription, label=LABEL):
    fees = Fee.objects.filter(subscription=subscription, period_label=label)
    return {
        fee.charge.metric.code if fee.charge else "plan": fee.amount
        for fee in fees.select_related("charge__metric")
    }


class TestPlanFees:
    def test_a_full_period_costs_the_whole_base_amount(self):
        subscription = make_subscription(amount="99.00")
        assert rate(subscription) == 1
        fee = Fee.objects.get()
        assert (fee.kind, fee.charge, fee.amount, fee.exact_amount) == ("plan", None, 99, 99)
        assert (fee.quantity, fee.events_count, fee.currency) == (1, 0, "CAD")
        assert fee.details == [{"base_amount": "99.00", "billed_days": 30, "period_days": 30}]

    @pytest.mark.parametrize(
        ("started_at", "terminated_at", "days", "amount"),
        [
            (at(16), None, 15, "49.50"),
            (at(16, 18), None, 15, "49.50"),
            (datetime(2026, 1, 1, tzinfo=UTC), at(8), 7, "23.10"),
            (datetime(2026, 1, 1, tzinfo=UTC), at(8, 1), 8, "26.40"),
            (at(30, 23), None, 1, "3.30"),
        ],
    )
    def test_a_partial_period_costs_its_share_by_whole_days(self, started_at, terminated_at, days, amount):
        subscription = make_subscription(amount="99.00", started_at=started_at, terminated_at=terminated_at)
        rate(subscription)
        fee = Fee.objects.get()
        assert (fee.details[0]["billed_days"], fee.amount) == (days, Decimal(amount))

    def test_days_are_those_of_the_customers_calendar(self):
        service = factories.ServiceFactory(timezone="America/Toronto")
        rate(make_subscription(service=service, amount="99.00", started_at=at(16, 3)))
        assert Fee.objects.get().details[0]["billed_days"] == 16

    def test_a_plan_without_a_base_amount_has_no_plan_fee(self):
        assert rate(make_subscription(amount="0")) == 0
        assert not Fee.objects.exists()

    @pytest.mark.parametrize(
        ("interval", "label", "days"),
        [
            ("weekly", "2026-W37", 7),
            ("quarterly", "2026-Q3", 92),
            ("semiannual", "2026-H2", 184),
            ("yearly", "2026", 365),
        ],
    )
    def test_every_interval_is_rated_under_its_own_label(self, interval, label, days):
        rate(make_subscription(amount="10", interval=interval), label)
        assert Fee.objects.get(period_label=label).details[0]["period_days"] == days


class TestUsageFees:
    def test_usage_costs_its_quantity_at_the_charges_price(self):
        subscription = make_subscription()
        add_charge(subscription, price="0.05")
        use(subscription, "1200.5")
        rate(subscription)
        fee = Fee.objects.get()
        assert (fee.exact_amount, fee.amount) == (Decimal("60.025"), Decimal("60.03"))
        assert (fee.quantity, fee.events_count) == (Decimal("1200.5"), 1)
        assert fee.details == [{"model": "standard", "properties": {"amount": "0.05"}}]

    def test_without_usage_there_is_no_fee_unless_the_first_tier_has_a_flat_amount(self):
        subscription = make_subscription()
        add_charge(subscription)
        add_charge(subscription, "storage", model=ChargeModel.GRADUATED, properties=TIERS)
        rate(subscription)
        assert amounts(subscription) == {"storage": 2}

    def test_usage_below_zero_costs_nothing_and_is_kept(self):
        subscription = make_subscription()
        add_charge(subscription)
        use(subscription, "-3")
        rate(subscription)
        fee = Fee.objects.get()
        assert (fee.quantity, fee.exact_amount, fee.amount) == (-3, 0, 0)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(quantity=st.decimals(0, 10**12, places=6, allow_nan=False))
    def test_the_tiers_sum_to_the_whole_and_it_is_rounded_once(self, db, quantity):
        Fee.objects.all().delete()
        Usage.objects.all().delete()
        subscription = make_subscription()
        add_charge(subscription, model=ChargeModel.GRADUATED, properties=TIERS)
        use(subscription, f"{quantity:f}")
        rate(subscription)
        fee = Fee.objects.get()
        tiers = fee.details[1:]
        assert sum(Decimal(tier["total_with_flat_amount"]) for tier in tiers) == fee.exact_amount
        assert sum(Decimal(tier["units"]) for tier in tiers) == quantity == fee.quantity
        assert fee.amount == round_to_currency(fee.exact_amount, "CAD")

    @pytest.mark.parametrize(
        ("currency", "amount"), [("CAD", "0.13"), ("JPY", "0"), ("KWD", "0.125"), ("CLF", "0.1250")]
    )
    def test_the_currency_says_how_many_digits_are_billed(self, currency, amount):
        subscription = make_subscription(currency=currency)
        add_charge(subscription, price="0.125")
        use(subscription, "1")
        rate(subscription)
        fee = Fee.objects.get()
        assert (fee.exact_amount, str(fee.amount), fee.currency) == (Decimal("0.125"), amount, currency)

    def test_extreme_decimals_survive_digit_for_digit(self):
        subscription = make_subscription()
        add_charge(subscription, price="0." + "0" * 59 + "1")
        use(subscription, "7" * 300)
        rate(subscription)
        fee = Fee.objects.get()
        assert f"{fee.exact_amount:f}" == "7" * 240 + "." + "7" * 60
        assert f"{fee.amount:f}" == "7" * 240 + ".78"

    def test_a_charge_that_cannot_be_priced_with_is_named_and_nothing_is_rated(self):
        subscription = make_subscription(amount="99")
        charge = add_charge(subscription, properties={"amount": "cheap"})
        with pytest.raises(DomainError) as refused:
            rate(subscription)
        assert refused.value.code == "invalid_properties"
        assert str(charge) in refused.value.message
        assert not Fee.objects.exists()


class TestWhatIsWritten:
    def make(self):
        subscription = make_subscription(amount="99")
        add_charge(subscription)
        use(subscription, "1200.5")
        assert rate(subscription) == 2
        return subscription

    def test_rating_again_writes_no_row(self):
        subscription = self.make()
        before = list(Fee.objects.order_by("pk").values())
        assert rate(subscription, now=NOW + timedelta(days=1)) == 0
        assert list(Fee.objects.order_by("pk").values()) == before

    def test_a_changed_price_changes_the_periods_that_end_after_it_and_no_other(self):
        subscription = make_subscription()
        add_charge(subscription, price="0.05")
        august = {"period_start": datetime(2026, 8, 1, tzinfo=UTC), "period_end": factories.PERIOD_START}
        use(subscription, "10", label="2026-08", **august)
        use(subscription, "10")
        rate(subscription, "2026-08")
        rate(subscription)
        reprice(Charge.objects.get(), properties={"amount": "0.07"}, effective_from=at(20))
        assert (rate(subscription, "2026-08"), rate(subscription)) == (0, 1)
        assert amounts(subscription, "2026-08") == {"api": Decimal("0.50")}
        assert amounts(subscription) == {"api": Decimal("0.70")}
        assert Fee.objects.get(period_label="2026-08").details[0]["properties"] == {"amount": "0.05"}

    def test_a_fee_keeps_its_public_id_when_it_changes(self):
        subscription = self.make()
        before = set(Fee.objects.values_list("public_id", flat=True))
        Usage.objects.update(quantity=7)
        assert rate(subscription) == 1
        assert set(Fee.objects.values_list("public_id", flat=True)) == before

    def assert_zero(self, subscription, count):
        assert rate(subscription, now=NOW + timedelta(hours=1)) == count
        rows = Fee.objects.filter(rated_at=NOW + timedelta(hours=1))
        assert set(rows.values_list("amount", "exact_amount", "quantity", "events_count")) == {(0, 0, 0, 0)}
        assert [fee.details for fee in rows] == [[]] * count
        assert rate(subscription, now=NOW + timedelta(hours=2)) == 0
        assert Fee.objects.count() == 2

    def test_a_fee_that_is_rated_no_longer_becomes_zero(self):
        subscription = self.make()
        Usage.objects.update(quantity=0, events_count=0)
        self.assert_zero(subscription, 1)

    def test_the_plan_fee_becomes_zero_when_the_plan_has_no_base_amount_any_more(self):
        subscription = self.make()
        reprice_plan(subscription.plan, amount=0)
        self.assert_zero(subscription, 1)

    @pytest.mark.parametrize("end", [datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)])
    def test_all_fees_become_zero_when_the_subscription_turns_out_to_have_ended_before(self, end):
        subscription = self.make()
        subscription.terminated_at = end
        subscription.save()
        self.assert_zero(subscription, 2)

    def test_a_moved_time_zone_moves_the_fees_and_bills_nothing_twice(self):
        subscription = make_subscription(amount="99")
        rate(subscription)
        subscription.service.timezone = "America/Toronto"
        subscription.service.save()
        assert rate(subscription) == 2
        assert sorted(Fee.objects.values_list("period_start", "amount")) == [
            (factories.PERIOD_START, 0),
            (factories.PERIOD_START + timedelta(hours=4), 99),
        ]

    def test_only_the_chosen_customers_are_rated_and_zeroed(self):
        subscription = self.make()
        Usage.objects.update(quantity=0, events_count=0)
        other = factories.CustomerFactory(service=subscription.service)
        assert rate(subscription, customers=[other.pk]) == 0
        assert rate(subscription, customers=[subscription.customer_id]) == 1

    def test_another_services_fees_stay(self):
        subscription = self.make()
        Usage.objects.update(quantity=0, events_count=0)
        assert rate(make_subscription()) == 0
        assert amounts(subscription) == {"plan": 99, "api": Decimal("60.03")}

    def test_a_text_that_is_no_label_is_refused(self):
        with pytest.raises(PeriodLabelError):
            rate(make_subscription(), "soon")

    def test_the_number_of_statements_does_not_grow_with_the_customers(self):
        subscription = self.make()
        with CaptureQueriesContext(connection) as few:
            bill(subscription.service)
        for _ in range(20):
            more = factories.SubscriptionFactory(
                customer=factories.CustomerFactory(service=subscription.service), plan=subscription.plan
            )
            post(more, at(3), "2")
        with CaptureQueriesContext(connection) as many:
            assert bill(subscription.service) == (20, 40)
        assert len(many) == len(few)


def test_events_become_a_fee_to_the_cent():
    subscription = make_subscription(amount="99")
    add_charge(subscription, price="0.015")
    for value in ("0.1", "0.2", "99.7"):
        post(subscription, at(3), value)
    assert bill(subscription.service) == (1, 2)
    assert amounts(subscription) == {"plan": 99, "api": Decimal("1.50")}
    assert bill(subscription.service) == (0, 0)


def test_the_fees_of_a_period_are_those_of_one_service_and_label():
    fee = factories.FeeFactory()
    factories.FeeFactory()
    factories.FeeFactory(
        subscription=fee.subscription, charge=None, kind=FeeKind.PLAN, period_label="2026-08"
    )
    service = fee.subscription.service
    assert list(fees_of_period(service=service, period_label=LABEL)) == [fee]
