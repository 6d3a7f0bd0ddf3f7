"""What the late usage policy makes of the figures: each bill holds its part, in the draft, in Odoo and in judging."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ingest.models import Fee, FeeKind
from reconciliation.comparison.causes import CauseCode
from reconciliation.held_fees import IS_NOTHING, NOTHING
from reconciliation.lines import read_lines
from reconciliation.models import Outcome, Status
from reconciliation.quotations import read_drafts
from tests import factories
from tests.reconciliation.sides import expect, external, judge, odoo, push_all, row_of

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL


def make_customer():
    return factories.CustomerFactory(odoo_partner_id=7)


def defer(customer, amount="100.00", late="20.00", deferred="20.00", **values):
    """A fee of the period with a late part that its own bill does not have."""
    return expect(
        customer,
        amount,
        late_amount=Decimal(late),
        deferred_amount=Decimal(deferred),
        late_events_count=1,
        **values,
    )


def carry(fee, amount):
    """What of an earlier period's fee was carried into the period."""
    Fee.objects.filter(pk=fee.pk).update(
        period_label="2026-08", period_start=datetime(2026, 8, 1, tzinfo=UTC), period_end=fee.period_start
    )
    return factories.FeeFactory(
        kind=FeeKind.LATE,
        of_fee=Fee.objects.get(pk=fee.pk),
        subscription=fee.subscription,
        charge=fee.charge,
        bucket=fee.public_id.hex,
        amount=Decimal(amount),
        exact_amount=Decimal(amount),
        late_amount=Decimal(amount),
        quantity=Decimal(0),
        events_count=1,
        late_events_count=1,
    )


def compare(customer, ours, theirs):
    """Pushes, states both sides and judges; the row."""
    push_all(customer.service)
    odoo(customer, ours)
    external(customer, theirs)
    judge(customer.service)
    return row_of(customer)


class TestDrafts:
    def read(self, customer):
        factories.OdooPricelistFactory()
        drafts, refusals = read_drafts(service=customer.service, period_label=LABEL)
        assert refusals == []
        return [line for _, draft in drafts for line in draft.usage_lines]

    def test_its_own_period_has_what_was_on_time(self):
        customer = make_customer()
        defer(customer)
        (line,) = self.read(customer)
        assert line.amount == 80

    @pytest.mark.parametrize("amount", ["20.00", "-3.50"])
    def test_the_open_period_has_a_line_that_names_where_it_comes_from(self, amount):
        customer = make_customer()
        fee = carry(defer(customer), amount)
        line = next(line for line in self.read(customer) if line.key == fee.public_id.hex)
        assert line.amount == Decimal(amount)
        assert line.name == f"{fee.charge.metric.name} 2026-09, late usage of 2026-08"

    def test_usage_that_was_all_late_makes_no_line_in_its_own_period(self):
        customer = make_customer()
        defer(customer, "20.00", events_count=1)
        assert self.read(customer) == []


class TestJudging:
    def test_the_expected_amount_is_what_the_policy_bills(self):
        customer = make_customer()
        defer(customer)
        row = compare(customer, "80.00", "80.00")
        assert (row.expected_untaxed, row.outcome, row.status) == (80, Outcome.COMPARED, Status.MATCH)

    def test_a_line_in_odoo_that_holds_the_late_part_too_is_stale(self):
        customer = make_customer()
        fee = defer(customer, deferred="0")
        push_all(customer.service)
        Fee.objects.filter(pk=fee.pk).update(deferred_amount=20)
        odoo(customer, "100.00")
        external(customer, "80.00")
        judge(customer.service)
        assert row_of(customer).outcome == Outcome.STALE

    def test_a_service_that_billed_the_late_part_with_its_period_is_told_apart_by_it(self):
        customer = make_customer()
        fee = defer(customer)
        row = compare(customer, "80.00", "100.00")
        state_lines(row, fee, "80.00", "100.00")
        (cause,) = read_lines(row).causes
        assert (cause.code, cause.amount) == (CauseCode.LATE_USAGE, -20)

    def test_one_that_never_billed_it_is_told_apart_in_the_period_that_has_it(self):
        customer = make_customer()
        fee = carry(defer(customer), "20.00")
        row = compare(customer, "20.00", "0")
        state_lines(row, fee, "20.00", "0")
        (cause,) = read_lines(row).causes
        assert (cause.code, cause.amount) == (CauseCode.LATE_USAGE, 20)

    def test_a_period_whose_usage_was_all_late_makes_no_row(self):
        customer = make_customer()
        defer(customer, "20.00", events_count=1)
        judge(customer.service)
        assert not customer.reconciliations.exists()


def state_lines(row, fee, ours, theirs):
    """Each side's amount has one line, with the fee's code."""
    for side, untaxed in (("odoo", ours), ("external", theirs)):
        amount = row.customer.amounts.get(side=side, is_current=True)
        factories.AmountLineFactory(amount=amount, code=fee.charge.metric.code, untaxed=Decimal(untaxed))


@pytest.mark.parametrize("amount", ["0", "20"])
@pytest.mark.parametrize("deferred", ["0", "20", "-20"])
@pytest.mark.parametrize("quantity", ["0", "5"])
@pytest.mark.parametrize(("events", "late"), [(0, 0), (1, 0), (1, 1)])
def test_nothing_means_the_same_to_statements_and_to_queries(amount, deferred, quantity, events, late):
    factories.FeeFactory(
        amount=Decimal(amount),
        deferred_amount=Decimal(deferred),
        quantity=Decimal(quantity),
        events_count=events,
        late_events_count=late,
    )
    by_statement = Fee.objects.extra(where=[IS_NOTHING.replace("fee.", "ingest_fee.")])
    assert by_statement.count() == Fee.objects.filter(NOTHING).count()


class TestInOdoo:
    @pytest.mark.parametrize("late", ["2.50", "-2.50"])
    def test_the_quotation_holds_what_was_carried_beside_the_periods_own(self, world, late):
        customer = world.make_customer()
        world.rate(customer, api="30.86")
        (fee,) = Fee.objects.all()
        origin = factories.FeeFactory(subscription=fee.subscription, charge=world.charges["sto"])
        carry(origin, late)
        assert world.push_now() == {"done": 1}
        assert world.held(world.latest(customer)) == {"api": "30.86", "sto": late}
