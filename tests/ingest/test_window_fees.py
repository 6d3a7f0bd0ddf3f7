"""The fees of a window: filters and groups, minimums, trials, advance, late usage, versions and what-ifs."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.fees import rate_period, rate_what_if
from ingest.models import Aggregation, ChargeModel, ChargeVersion, Fee, FeeKind, Usage
from tests import factories
from tests.ingest.selling import NOW, add_charge, bill, make_subscription, post
from tests.repricing import reprice, reprice_plan

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL
CLOUDS = {"cloud": ["aws", "gcp"], "region": ["eu", "us"]}


def at(day, hour=0):
    return datetime(2026, 9, day, hour, tzinfo=UTC)


def send(subscription, day, value, code="api", **properties):
    return post(subscription, at(day), code=code, properties={"value": value, **properties})


def amounts(kind=FeeKind.USAGE):
    return sorted(Fee.objects.filter(kind=kind).exclude(amount=0).values_list("amount", flat=True))


def allow(charge):
    charge.metric.filters = CLOUDS
    charge.metric.save()


class TestFiltersAndGroups:
    def test_each_filter_has_a_fee_at_its_own_price_and_the_rest_another(self):
        subscription = make_subscription()
        charge = add_charge(
            subscription,
            price="1",
            filters=[{"values": {"cloud": ["aws"]}, "properties": {"amount": "2"}}],
        )
        allow(charge)
        for cloud in ("aws", "gcp", None):
            send(subscription, 3, "10", cloud=cloud)
        bill(subscription.service)
        assert dict(Fee.objects.values_list("filter_values__cloud__0", "amount")) == {"aws": 20, None: 20}

    def test_tiers_restart_in_every_group(self):
        subscription = make_subscription()
        ranges = [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
        ]
        properties = {"graduated_ranges": ranges, "pricing_group_keys": ["team"]}
        add_charge(subscription, model=ChargeModel.GRADUATED, properties=properties)
        for team in ("a", "a", "b", None):
            send(subscription, 3, "10", team=team)
        bill(subscription.service)
        assert dict(Fee.objects.values_list("grouped_by__team", "amount")) == {"a": 15, "b": 10, None: 10}

    def test_a_flat_amount_is_due_for_every_filter_without_usage(self):
        subscription = make_subscription()
        ranges = {
            "graduated_ranges": [
                {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}
            ]
        }
        charge = add_charge(
            subscription,
            model=ChargeModel.GRADUATED,
            properties=ranges,
            filters=[{"values": {"cloud": [name]}, "properties": ranges} for name in ("aws", "gcp")],
        )
        allow(charge)
        assert bill(subscription.service) == (0, 3)
        assert amounts() == [5, 5, 5]
        assert bill(subscription.service) == (0, 0)

    def test_a_group_that_is_gone_becomes_zero(self):
        subscription = make_subscription()
        charge = add_charge(
            subscription, price="1", properties={"amount": "1", "pricing_group_keys": ["team"]}
        )
        send(subscription, 3, "10", team="a")
        bill(subscription.service)
        reprice(charge, properties={"amount": "1"})
        assert bill(subscription.service) == (2, 2)
        assert list(Fee.objects.order_by("pk").values_list("amount", "quantity")) == [(0, 0), (10, 10)]


class TestMinimums:
    def test_a_charge_is_topped_up_to_its_minimum_once_for_all_its_groups(self):
        subscription = make_subscription()
        add_charge(
            subscription, properties={"amount": "1", "pricing_group_keys": ["team"]}, min_amount=Decimal(100)
        )
        send(subscription, 3, "30", team="a")
        send(subscription, 3, "20.5", team="b")
        bill(subscription.service)
        assert amounts(FeeKind.TRUE_UP) == [Decimal("49.50")]
        assert bill(subscription.service) == (0, 0)

    def test_a_minimum_goes_by_the_days_of_the_subscription(self):
        subscription = make_subscription(started_at=at(16))
        add_charge(subscription, price="1", min_amount=Decimal(100))
        send(subscription, 20, "10")
        bill(subscription.service)
        assert amounts(FeeKind.TRUE_UP) == [40]

    def test_a_plans_commitment_counts_the_base_amount_and_the_minimums_too(self):
        subscription = make_subscription(amount="20")
        reprice_plan(subscription.plan, amount=20, minimum_commitment=150)
        add_charge(subscription, price="1", min_amount=Decimal(50))
        send(subscription, 3, "10")
        bill(subscription.service)
        assert amounts(FeeKind.COMMITMENT) == [80]
        assert sum(Fee.objects.values_list("amount", flat=True)) == 150

    def test_a_trial_takes_its_days_off_the_base_amount(self):
        subscription = make_subscription(amount="30", started_at=at(1))
        reprice_plan(subscription.plan, amount=30, trial_days=10)
        bill(subscription.service)
        assert amounts(FeeKind.PLAN) == [20]
        assert Fee.objects.get().details[0]["trial_days"] == 10


class TestInAdvance:
    def test_each_event_is_rounded_by_itself(self):
        subscription = make_subscription()
        add_charge(subscription, price="0.125", is_pay_in_advance=True)
        for day in (3, 4, 5):
            send(subscription, day, "1")
        bill(subscription.service)
        fee = Fee.objects.get()
        assert (fee.exact_amount, fee.amount) == (Decimal("0.375"), Decimal("0.39"))
        lines = fee.details[1:]
        assert [line["amount"] for line in lines] == ["0.13", "0.13", "0.13"]
        assert bill(subscription.service) == (0, 0)

    def test_units_below_what_was_billed_before_are_not_billed_again(self):
        subscription = make_subscription()
        add_charge(subscription, price="1", is_pay_in_advance=True)
        for day, value in ((3, "10"), (4, "-4"), (5, "3"), (6, "5")):
            send(subscription, day, value)
        bill(subscription.service)
        assert amounts() == [14]

    def test_what_recurs_is_billed_in_full_at_the_periods_start(self):
        subscription = make_subscription()
        charge = add_charge(subscription, price="2", is_pay_in_advance=True)
        charge.metric.is_recurring = True
        charge.metric.save()
        post(subscription, datetime(2026, 8, 20, tzinfo=UTC), "5")
        send(subscription, 3, "1")
        bill(subscription.service)
        assert amounts() == [12]


class TestLateUsage:
    def late(self, subscription, value):
        received = datetime(2026, 10, 5, tzinfo=UTC)
        return post(subscription, at(3), value, received_at=received)

    def test_a_fee_says_what_late_usage_makes_of_it(self):
        subscription = make_subscription()
        add_charge(subscription, price="0.5")
        send(subscription, 3, "10")
        bill(subscription.service)
        self.late(subscription, "4")
        assert bill(subscription.service) == (1, 1)
        fee = Fee.objects.get()
        assert (fee.amount, fee.late_amount, fee.events_count, fee.late_events_count) == (7, 2, 2, 1)

    def test_a_correction_that_came_late_lowers_it(self):
        subscription = make_subscription()
        add_charge(subscription, price="0.5")
        send(subscription, 3, "10")
        self.late(subscription, "-4")
        bill(subscription.service)
        assert Fee.objects.get().late_amount == -2

    def test_billed_on_arrival_it_is_what_it_adds_and_what_it_moves_into_another_tier(self):
        tiers = [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
        ]
        subscription = make_subscription()
        add_charge(
            subscription,
            model=ChargeModel.GRADUATED,
            properties={"graduated_ranges": tiers},
            is_pay_in_advance=True,
        )
        send(subscription, 4, "10")
        self.late(subscription, "10")
        bill(subscription.service)
        fee = Fee.objects.get()
        assert (fee.amount, fee.late_amount) == (15, 5)

    def test_a_level_that_recurs_is_moved_by_what_came_late_to_an_earlier_period(self):
        subscription = make_subscription()
        charge = add_charge(subscription, price="1")
        type(charge.metric).objects.update(is_recurring=True, aggregation=Aggregation.WEIGHTED_SUM)
        send(subscription, 1, "10")
        post(
            subscription,
            datetime(2026, 8, 20, tzinfo=UTC),
            "6",
            received_at=datetime(2026, 10, 5, tzinfo=UTC),
        )
        bill(subscription.service)
        fee = Fee.objects.get()
        assert (fee.amount, fee.late_amount) == (16, 6)

    def test_what_a_minimum_adds_is_less_by_it(self):
        subscription = make_subscription()
        add_charge(subscription, price="1", min_amount=Decimal(12))
        send(subscription, 3, "5")
        self.late(subscription, "4")
        bill(subscription.service)
        fee = Fee.objects.get(kind=FeeKind.TRUE_UP)
        assert (fee.amount, fee.late_amount) == (3, -4)

    def test_a_minimum_that_it_filled_up_is_kept_with_what_it_was(self):
        subscription = make_subscription()
        add_charge(subscription, price="1", min_amount=Decimal(12))
        send(subscription, 3, "5")
        self.late(subscription, "40")
        bill(subscription.service)
        fee = Fee.objects.get(kind=FeeKind.TRUE_UP)
        assert (fee.amount, fee.late_amount) == (0, -7)
        assert bill(subscription.service) == (0, 0)

    def test_a_period_with_late_usage_alone_is_late_as_a_whole(self):
        subscription = make_subscription()
        add_charge(subscription, price="0.5")
        self.late(subscription, "4")
        bill(subscription.service)
        fee = Fee.objects.get()
        assert (fee.amount, fee.late_amount) == (2, 2)


class TestVersions:
    def test_a_price_changed_today_leaves_last_years_figure(self):
        subscription = make_subscription()
        charge = add_charge(subscription, price="1")
        send(subscription, 3, "10")
        bill(subscription.service)
        before = list(Fee.objects.values())
        reprice(charge, properties={"amount": "9"}, effective_from=datetime(2026, 11, 1, tzinfo=UTC))
        assert rate_period(service=subscription.service, period_label=LABEL, now=NOW) == 0
        assert list(Fee.objects.values()) == before
        assert Fee.objects.get().charge_version.number == 1

    def test_a_what_if_is_computed_from_the_same_events_and_kept_nowhere(self):
        subscription = make_subscription()
        charge = add_charge(subscription, price="1")
        send(subscription, 3, "10", team="a")
        send(subscription, 3, "5", team="b")
        bill(subscription.service)
        other = ChargeVersion(
            charge=charge,
            model=ChargeModel.PACKAGE,
            properties={"amount": "4", "package_size": 10, "pricing_group_keys": ["team"]},
        )
        fees = rate_what_if(
            service=subscription.service,
            period_label=LABEL,
            instead={charge.pk: other},
            customers=[subscription.customer_id],
        )
        assert sorted((fee.grouped_by["team"], fee.amount) for fee in fees) == [("a", 4), ("b", 4)]
        assert list(Fee.objects.values_list("amount", flat=True)) == [15]
        assert Usage.objects.count() == 1


def test_a_dynamic_price_is_the_senders():
    subscription = make_subscription()
    add_charge(subscription, model=ChargeModel.DYNAMIC, properties={})
    for cents in (Decimal("1234.56"), Decimal("2.1")):
        post(subscription, at(3), "1", precise_total_amount_cents=cents)
    bill(subscription.service)
    assert Fee.objects.get().exact_amount == Decimal("12.3666")


@pytest.mark.parametrize("aggregation", Aggregation.values)
def test_a_plan_is_rated_whatever_its_metric_aggregates(aggregation):
    subscription = make_subscription()
    charge = add_charge(subscription, price="1")
    type(charge.metric).objects.filter(pk=charge.metric_id).update(aggregation=aggregation)
    send(subscription, 3, "7")
    bill(subscription.service)
    assert Fee.objects.get().amount > 0
