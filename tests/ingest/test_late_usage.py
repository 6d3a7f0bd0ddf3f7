"""The late usage policy on rows: every amount is in one bill, whatever arrives, is rated or is decided when."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.computed import explain_fee
from ingest.configuration import configure
from ingest.fee_events import events_of, fees_of
from ingest.models import (
    Biller,
    ChargeModel,
    Fee,
    FeeKind,
    LateOutcome,
    LateSettlement,
    LateUsagePolicy,
    Service,
    Subscription,
    UsageEvent,
)
from tests import factories
from tests.ingest.selling import add_charge, bill, make_subscription, post
from tests.repricing import reprice

pytestmark = pytest.mark.django_db

SINCE_JANUARY = datetime(2026, 1, 5, tzinfo=UTC)
JULY, AUGUST, SEPTEMBER, OCTOBER = "2026-07", "2026-08", "2026-09", "2026-10"


def at(month, day=5, hour=0):
    return datetime(2026, month, day, hour, tzinfo=UTC)


def make(policy=LateUsagePolicy.NEXT_PERIOD, *, known_since=SINCE_JANUARY, **values):
    """A subscription with a sum at 0.5 a unit, known here since January, of a service with that policy."""
    service = values.pop("service", None) or factories.ServiceFactory(late_usage_policy=policy)
    subscription = make_subscription(service=service, **values)
    Subscription.objects.update(created_at=known_since)
    add_charge(subscription, price="0.5")
    return subscription


def use(subscription, month, value, received):
    return post(subscription, at(month), value, received_at=received)


def rate(subscription, label, now):
    return bill(subscription.service, label, now)[1]


def set_policy(subscription, policy):
    Service.objects.filter(pk=subscription.service_id).update(late_usage_policy=policy)


def billed(label, kind=None):
    """What a period's bill holds, in all or by one kind of fee."""
    fees = Fee.objects.filter(period_label=label)
    fees = fees.filter(kind=kind) if kind else fees
    return fees.aggregate(sum=Sum("billed_amount"))["sum"] or Decimal(0)


def settled():
    """The ledger: the period that was open, what was decided, and the amount."""
    return list(
        LateSettlement.objects.order_by("period_start").values_list("period_label", "outcome", "amount")
    )


def bill_july(subscription, late="4"):
    """July is billed with 10 units; then `late` ones more arrive in August, and July is rated again."""
    use(subscription, 7, "10", at(7))
    rate(subscription, JULY, at(8, 3))
    use(subscription, 7, late, at(8, 10))
    rate(subscription, JULY, at(8, 20))


class TestNextPeriod:
    def test_what_was_late_is_a_fee_of_the_open_period_that_names_its_own(self):
        bill_july(make())
        july, late = Fee.objects.order_by("period_start")
        assert (july.amount, july.late_amount, july.deferred_amount, july.billed_amount) == (7, 2, 2, 5)
        assert (late.kind, late.period_label, late.amount, late.of_fee) == (FeeKind.LATE, AUGUST, 2, july)
        assert (late.charge, late.charge_version) == (july.charge, july.charge_version)
        assert (late.billed_amount, late.events_count, late.late_amount) == (2, 1, 2)
        assert settled() == [(AUGUST, LateOutcome.CARRIED, 2)]

    def test_the_open_periods_own_rating_leaves_it_alone(self):
        subscription = make()
        bill_july(subscription)
        use(subscription, 8, "6", at(8))
        rate(subscription, AUGUST, at(9, 3))
        assert (billed(AUGUST, FeeKind.USAGE), billed(AUGUST, FeeKind.LATE)) == (3, 2)

    def test_rating_again_changes_nothing_in_this_period_and_after_it(self):
        subscription = make()
        bill_july(subscription)
        before = list(Fee.objects.order_by("pk").values()), list(LateSettlement.objects.values())
        for now in (at(8, 21), at(9, 20), at(11)):
            assert rate(subscription, JULY, now) == 0
        assert (list(Fee.objects.order_by("pk").values()), list(LateSettlement.objects.values())) == before

    def test_more_late_usage_adds_to_it_while_its_period_is_open(self):
        subscription = make()
        bill_july(subscription)
        use(subscription, 7, "6", at(8, 22))
        rate(subscription, JULY, at(9, 1))
        assert (billed(JULY), billed(AUGUST)) == (5, 5)
        assert settled() == [(AUGUST, LateOutcome.CARRIED, 5)]

    def test_later_still_only_the_difference_is_billed_with_the_next_one(self):
        subscription = make()
        bill_july(subscription)
        use(subscription, 7, "6", at(9, 10))
        rate(subscription, JULY, at(9, 20))
        assert (billed(JULY), billed(AUGUST), billed(SEPTEMBER)) == (5, 2, 3)
        facts = dict(explain_fee(Fee.objects.get(period_label=SEPTEMBER)).facts)
        assert facts == {"late_usage_of": JULY, "late_amount": "5.00", "settled_before": "2.00"}
        use(subscription, 7, "-20", at(10, 10))
        rate(subscription, JULY, at(10, 20))
        assert (billed(JULY), billed(AUGUST), billed(SEPTEMBER), billed(OCTOBER)) == (5, 2, 3, -10)

    def test_a_correction_lowers_the_next_bill(self):
        bill_july(make(), late="-4")
        assert (billed(JULY), billed(AUGUST)) == (5, -2)

    def test_what_a_minimum_gives_back_is_carried_beside_the_usage(self):
        subscription = make()
        reprice(subscription.plan.charges.get(), properties={"amount": "0.5"}, min_amount=Decimal(20))
        bill_july(subscription, late="100")
        assert (billed(JULY, FeeKind.USAGE), billed(JULY, FeeKind.TRUE_UP), billed(JULY)) == (5, 15, 20)
        assert sorted(Fee.objects.filter(kind=FeeKind.LATE).values_list("amount", flat=True)) == [-15, 50]

    def test_so_is_what_a_plans_commitment_gives_back(self):
        subscription = make()
        version = subscription.plan.versions.get()
        factories.PlanVersionFactory(
            plan=subscription.plan, number=version.number + 1, minimum_commitment=Decimal(20), amount=0
        )
        bill_july(subscription, late="10")
        assert (billed(JULY), billed(AUGUST)) == (20, 0)
        assert Fee.objects.get(kind=FeeKind.LATE, charge=None).amount == -5

    def test_usage_that_was_all_late_leaves_nothing_in_its_own_bill(self):
        subscription = make()
        use(subscription, 7, "4", at(8, 10))
        rate(subscription, JULY, at(8, 20))
        assert (billed(JULY), billed(AUGUST)) == (0, 2)

    def test_each_period_that_was_late_has_a_fee_of_its_own(self):
        subscription = make()
        use(subscription, 7, "4", at(8, 10))
        rate(subscription, JULY, at(9, 20))
        use(subscription, 8, "8", at(9, 10))
        rate(subscription, AUGUST, at(9, 20))
        late = Fee.objects.filter(kind=FeeKind.LATE, period_label=SEPTEMBER).order_by("amount")
        assert [(fee.amount, fee.of_fee.period_label) for fee in late] == [(2, JULY), (4, AUGUST)]

    def test_a_fee_that_is_rated_no_longer_takes_back_what_it_carried(self):
        subscription = make()
        bill_july(subscription)
        Subscription.objects.update(started_at=at(8, 1))
        rate(subscription, JULY, at(9, 20))
        assert (billed(JULY), billed(AUGUST), billed(SEPTEMBER)) == (0, 2, -2)

    @pytest.mark.parametrize("end", [at(8, 1), at(7, 20)])
    def test_without_a_later_period_its_own_is_corrected(self, end):
        subscription = make(terminated_at=end)
        bill_july(subscription)
        assert (billed(JULY), settled()) == (7, [(AUGUST, LateOutcome.OWN, 2)])

    def test_nothing_is_carried_from_one_biller_to_another(self):
        subscription = make()
        factories.BillerTermFactory(subscription=subscription, biller=Biller.ODOO, starts_at=at(8, 1))
        bill_july(subscription)
        assert (billed(JULY), settled()) == (7, [(AUGUST, LateOutcome.OWN, 2)])

    def test_between_two_periods_of_odoo_it_is(self):
        subscription = make()
        factories.BillerTermFactory(subscription=subscription, biller=Biller.ODOO, starts_at=at(7, 1))
        bill_july(subscription)
        assert (billed(JULY), billed(AUGUST)) == (5, 2)

    def test_a_period_that_closed_before_it_was_known_here_stays_whole(self):
        bill_july(make(known_since=at(8, 3)))
        assert (billed(JULY), settled()) == (7, [])

    def test_only_the_chosen_customers_usage_is_settled(self):
        subscription = make()
        use(subscription, 7, "10", at(7))
        use(subscription, 7, "4", at(8, 10))
        bill(subscription.service, JULY, at(8, 20))
        Fee.objects.update(deferred_amount=0)
        other = factories.CustomerFactory(service=subscription.service)
        assert bill(subscription.service, JULY, at(8, 20), customers=[other.pk]) == (0, 0)
        assert bill(subscription.service, JULY, at(8, 20), customers=[subscription.customer_id]) == (0, 1)


class TestCredit:
    def test_a_correction_is_credited_on_its_own_period(self):
        bill_july(make(LateUsagePolicy.CREDIT), late="-4")
        assert (billed(JULY), billed(AUGUST)) == (3, 0)
        assert settled() == [(AUGUST, LateOutcome.OWN, -2)]

    def test_what_is_to_be_paid_is_billed_with_the_next_period(self):
        bill_july(make(LateUsagePolicy.CREDIT))
        assert (billed(JULY), billed(AUGUST)) == (5, 2)

    def test_in_one_open_period_both_are_one(self):
        subscription = make(LateUsagePolicy.CREDIT)
        bill_july(subscription)
        use(subscription, 7, "-8", at(8, 22))
        rate(subscription, JULY, at(8, 25))
        assert (billed(JULY), billed(AUGUST)) == (3, 0)
        assert Fee.objects.get(kind=FeeKind.LATE).events_count == 0

    def test_no_more_is_credited_than_the_period_billed(self):
        subscription = make(LateUsagePolicy.CREDIT)
        bill_july(subscription)
        use(subscription, 7, "-14", at(9, 10))
        rate(subscription, JULY, at(9, 20))
        assert (billed(JULY), billed(AUGUST), billed(SEPTEMBER)) == (5, 2, -7)


class TestReport:
    def test_nothing_is_billed_and_the_figure_shows(self):
        bill_july(make(LateUsagePolicy.REPORT))
        fee = Fee.objects.get()
        assert (fee.amount, fee.late_amount, fee.billed_amount) == (7, 2, 5)
        assert settled() == [(AUGUST, LateOutcome.REPORTED, 2)]

    def test_nor_where_no_later_period_could_have_it(self):
        bill_july(make(LateUsagePolicy.REPORT, terminated_at=at(8, 1)))
        assert billed(JULY) == 5


class TestAnotherPolicy:
    def test_what_closed_periods_carried_stays(self):
        subscription = make()
        bill_july(subscription)
        set_policy(subscription, LateUsagePolicy.REPORT)
        use(subscription, 7, "6", at(9, 10))
        rate(subscription, JULY, at(9, 20))
        assert (billed(JULY), billed(AUGUST), billed(SEPTEMBER)) == (5, 2, 0)
        set_policy(subscription, LateUsagePolicy.NEXT_PERIOD)
        rate(subscription, JULY, at(10, 20))
        assert [billed(label) for label in (JULY, AUGUST, SEPTEMBER, OCTOBER)] == [5, 2, 0, 0]
        assert [(label, amount) for label, _, amount in settled()] == [(AUGUST, 2), (SEPTEMBER, 3)]

    def test_it_acts_on_the_period_that_is_open(self):
        subscription = make()
        bill_july(subscription)
        set_policy(subscription, LateUsagePolicy.REPORT)
        assert rate(subscription, JULY, at(8, 25)) == 1
        assert (billed(JULY), billed(AUGUST)) == (5, 0)

    def test_it_is_audited_like_any_setting(self, operator):
        service = make().service
        assert configure(service=service, values={"late_usage_policy": "credit"}, actor=operator)


class TestEvents:
    def test_a_carried_fee_and_its_events_name_each_other(self):
        subscription = make()
        bill_july(subscription)
        first = UsageEvent.objects.latest("pk")
        second = use(subscription, 7, "6", at(9, 10))
        rate(subscription, JULY, at(9, 20))
        august, september = Fee.objects.filter(kind=FeeKind.LATE).order_by("period_start")
        july = Fee.objects.get(kind=FeeKind.USAGE)
        assert (list(events_of(august)), list(events_of(september))) == ([first], [second])
        assert (fees_of(first), fees_of(second)) == ([august, july], [september, july])

    def test_an_event_that_was_on_time_is_not_of_the_carried_fee(self):
        subscription = make()
        bill_july(subscription)
        assert [fee.kind for fee in fees_of(UsageEvent.objects.earliest("pk"))] == [FeeKind.USAGE]


STEPS = [at(7, 15) + timedelta(days=13) * step for step in range(10)]
MONTHS = {JULY: 7, AUGUST: 8, SEPTEMBER: 9, OCTOBER: 10}
TIERS = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "0.333", "flat_amount": "1"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.1", "flat_amount": "0"},
    ]
}
# What happens at each step: events for a month with a value, a policy, and the periods rated, in that order.
STORY = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from([*MONTHS]), st.integers(-9, 20)), max_size=2),
        st.sampled_from([None, *LateUsagePolicy]),
        st.lists(st.sampled_from([*MONTHS]), max_size=4),
    ),
    min_size=len(STEPS),
    max_size=len(STEPS),
)
GRACE = timedelta(days=1)


def tell(story, *, policies):
    """Plays a story; after each step every closed bill that was seen closed before is as it was."""
    Fee.objects.all().delete()
    subscription = make()
    charge = subscription.plan.charges.get()
    reprice(charge, model=ChargeModel.GRADUATED, properties=TIERS, min_amount=Decimal(3))
    closed: dict[str, Decimal] = {}
    for now, (events, policy, labels) in zip(STEPS, story, strict=True):
        for label, value in events:
            if at(MONTHS[label]) <= now:
                use(subscription, MONTHS[label], str(value), now)
        if policy in policies:
            set_policy(subscription, policy)
        for label in labels:
            rate(subscription, label, now)
        for label, month in MONTHS.items():
            if label in labels and at(month + 1, 1) + GRACE <= now:
                closed.setdefault(label, billed(label))
        yield subscription, closed
    for label in reversed(MONTHS):
        rate(subscription, label, STEPS[-1])
    yield subscription, closed


def assert_each_amount_is_in_one_place(subscription):
    fees = Fee.objects.filter(subscription=subscription).exclude(kind=FeeKind.LATE)
    for fee in fees.prefetch_related("late_fees", "late_settlements"):
        carried = sum(late.amount for late in fee.late_fees.all())
        rows = fee.late_settlements.all()
        reported = sum(row.amount for row in rows if row.outcome == LateOutcome.REPORTED)
        assert fee.billed_amount + carried + reported == fee.amount
        assert carried == sum(row.amount for row in rows if row.outcome == LateOutcome.CARRIED)


EXAMPLES = {
    "max_examples": 12,  # a story is some twenty periods metered and rated
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


def clear():
    LateSettlement.objects.all().delete()
    Fee.objects.filter(kind=FeeKind.LATE).delete()


@settings(**EXAMPLES)
@given(story=STORY)
def test_all_bills_together_are_all_that_was_rated_and_no_closed_one_moves(db, story):
    clear()
    for subscription, closed in tell(story, policies=()):
        assert_each_amount_is_in_one_place(subscription)
        assert closed == {label: billed(label) for label in closed}
    rated = Fee.objects.exclude(kind=FeeKind.LATE).aggregate(sum=Sum("amount"))["sum"] or 0
    assert (Fee.objects.aggregate(sum=Sum("billed_amount"))["sum"] or 0) == rated


@settings(**EXAMPLES)
@given(story=STORY)
def test_whatever_the_policies_nothing_is_billed_twice_or_lost(db, story):
    clear()
    for subscription, _ in tell(story, policies=[*LateUsagePolicy]):
        assert_each_amount_is_in_one_place(subscription)
    before = list(Fee.objects.order_by("pk").values())
    assert [rate(subscription, label, STEPS[-1]) for label in MONTHS] == [0] * len(MONTHS)
    assert list(Fee.objects.order_by("pk").values()) == before
