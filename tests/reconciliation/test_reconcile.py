"""Judging a period in one statement: sides, currencies, outcomes, and only what changed is written."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.errors import DomainError
from ingest.metering.periods import PeriodLabelError
from ingest.models import Fee, Phase
from reconciliation.models import Amount, Basis, Outcome, Push, Reconciliation, Side
from tests import factories
from tests.reconciliation.sides import (
    LABEL,
    NOW,
    change,
    expect,
    external,
    gone,
    judge,
    odoo,
    push_all,
    row_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return factories.CustomerFactory()


class TestSides:
    def test_both_sides_make_a_delta_on_the_untaxed_basis(self, customer):
        odoo(customer, "95.00", "12.35")
        external(customer, "100.70")
        assert judge(customer.service) == (1, 0)
        row = row_of(customer)
        assert (row.basis, row.delta, row.outcome, row.status) == (
            "untaxed",
            Decimal("-5.70"),
            "compared",
            "delta",
        )
        assert (row.odoo_untaxed, row.odoo_tax, row.odoo_total) == (95, Decimal("12.35"), Decimal("107.35"))
        assert (row.period_label, row.reconciled_at, row.version) == (LABEL, NOW, 1)

    def test_tax_that_only_odoo_states_is_no_part_of_an_untaxed_delta(self, customer):
        odoo(customer, "100.00", "13.00")
        external(customer, "100.00")
        judge(customer.service)
        assert (row_of(customer).delta, row_of(customer).status) == (0, "match")

    @pytest.mark.parametrize("stated", [("100.00", "13.00", None), (None, None, "113.00")])
    def test_totals_are_compared_when_the_service_states_one(self, customer, stated):
        odoo(customer, "100.00", "13.01")
        external(customer, *stated)
        judge(customer.service)
        row = row_of(customer)
        assert (row.basis, row.odoo_amount, row.external_amount) == ("total", Decimal("113.01"), 113)
        assert (row.delta, row.status) == (Decimal("0.01"), "match")

    @pytest.mark.parametrize(
        ("present", "outcome"), [(odoo, Outcome.MISSING_EXTERNAL), (external, Outcome.MISSING_ODOO)]
    )
    @pytest.mark.parametrize("amount", ["100.00", "0.00"])
    def test_a_missing_side_is_never_zero(self, customer, present, outcome, amount):
        present(customer, amount)
        judge(customer.service)
        row = row_of(customer)
        assert (row.outcome, row.delta, row.status) == (outcome, None, "delta")
        assert {row.odoo_amount, row.external_amount} == {None, Decimal(amount)}

    def test_zero_against_zero_is_a_match(self, customer):
        odoo(customer, "0.00")
        external(customer, "0.00")
        judge(customer.service)
        assert (row_of(customer).status, row_of(customer).delta) == ("match", 0)

    def test_what_we_expect_alone_is_a_row_without_sides(self, customer):
        expect(customer, "60.03")
        judge(customer.service)
        row = row_of(customer)
        assert (row.expected_untaxed, row.outcome) == (Decimal("60.03"), "missing_odoo")

    def test_two_documents_for_one_customer_sum(self, customer):
        odoo(customer, "150.00")
        external(customer, "100.00")
        external(customer, "60.00")
        external(customer, "-10.00")
        judge(customer.service)
        row = row_of(customer)
        assert (row.external_untaxed, row.delta, row.status) == (150, 0, "match")

    def test_the_expected_amounts_of_all_subscriptions_sum(self, customer):
        expect(customer, "60.00")
        subscription = factories.SubscriptionFactory(customer=customer)
        factories.FeeFactory(subscription=subscription, amount=Decimal("40.00"))
        judge(customer.service)
        assert row_of(customer).expected_untaxed == 100

    @pytest.mark.parametrize("side", [Side.ODOO, Side.EXTERNAL])
    def test_what_one_document_leaves_unsaid_its_side_does_not_know(self, customer, side):
        odoo(customer, "113.00")
        external(customer, "100.00", "13.00")
        factories.AmountFactory(customer=customer, side=side, untaxed=None, total=Decimal("50.00"))
        judge(customer.service)
        row = row_of(customer)
        figures = {name: getattr(row, f"{side}_{name}") for name in ("untaxed", "tax", "total")}
        assert figures == {"untaxed": None, "tax": None, "total": Decimal("163.00")}
        assert row.basis == Basis.TOTAL

    def test_sides_that_state_different_things_cannot_be_compared(self, customer):
        odoo(customer)
        external(customer, "100.00")
        external(customer, None, None, "50.00")
        judge(customer.service)
        assert (row_of(customer).outcome, row_of(customer).external_amount) == ("missing_external", None)

    def test_a_document_that_is_not_current_does_not_count(self, customer):
        odoo(customer, "90.00")
        external(customer, "100.00")
        gone(external(customer, "100.00"))
        judge(customer.service)
        assert row_of(customer).external_amount == 100


class TestCurrencies:
    def test_currencies_are_rows_of_their_own_and_never_mix(self, customer):
        for currency, amount in (("CAD", "100.00"), ("USD", "72.00")):
            odoo(customer, amount, currency=currency)
            external(customer, amount, currency=currency)
        assert judge(customer.service) == (2, 0)
        assert (row_of(customer).external_amount, row_of(customer, "USD").external_amount) == (100, 72)
        assert {row.status for row in Reconciliation.objects.all()} == {"match"}

    def test_one_side_in_another_currency_says_so_on_both_rows(self, customer):
        odoo(customer, "72.00", currency="USD")
        external(customer, "100.00")
        judge(customer.service)
        assert [row.outcome for row in Reconciliation.objects.all()] == ["other_currency"] * 2
        assert {row.delta for row in Reconciliation.objects.all()} == {None}

    def test_a_bill_that_is_whole_in_its_currency_is_compared_whatever_else_there_is(self, customer):
        odoo(customer)
        external(customer)
        external(customer, "72.00", currency="USD")
        judge(customer.service)
        assert (row_of(customer).outcome, row_of(customer, "USD").outcome) == ("compared", "missing_odoo")

    def test_a_corrected_currency_leaves_no_trace_on_the_right_row(self, customer):
        odoo(customer)
        wrong = external(customer, currency="USD")
        judge(customer.service)
        gone(wrong)
        external(customer)
        judge(customer.service)
        assert (row_of(customer).status, row_of(customer, "USD").outcome) == ("match", "missing_odoo")

    def test_another_customer_in_another_currency_is_no_reason(self, customer):
        odoo(customer)
        external(factories.CustomerFactory(service=customer.service), currency="USD")
        judge(customer.service)
        assert row_of(customer).outcome == "missing_external"


class TestOutcomes:
    def test_an_unlinked_customer_is_unlinked_whatever_the_sides_say(self, customer):
        customer.odoo_partner_id = None
        customer.save()
        odoo(customer)
        external(customer)
        judge(customer.service)
        row = row_of(customer)
        assert (row.outcome, row.delta, row.status) == ("unlinked", 0, "delta")

    def stale(self, customer):
        fee = expect(customer)
        push_all(customer.service)
        odoo(customer)
        external(customer)
        judge(customer.service)
        assert row_of(customer).outcome == "compared"
        return fee

    def test_a_fee_that_changed_after_its_push_makes_the_row_stale_until_it_is_pushed(self, customer):
        fee = self.stale(customer)
        Fee.objects.filter(pk=fee.pk).update(amount=Decimal("101.00"), rated_at=NOW)
        judge(customer.service)
        assert (row_of(customer).outcome, row_of(customer).status) == ("stale", "delta")
        push_all(customer.service)
        judge(customer.service)
        assert row_of(customer).outcome == "compared"

    def test_reading_odoo_again_does_not_make_it_fresh(self, customer):
        fee = self.stale(customer)
        Fee.objects.filter(pk=fee.pk).update(amount=Decimal("101.00"), rated_at=NOW)
        Amount.objects.update(fetched_at=NOW + timedelta(days=3))
        judge(customer.service)
        assert row_of(customer).outcome == "stale"

    def test_a_fee_that_was_rated_again_to_the_same_amount_is_not_stale(self, customer):
        fee = self.stale(customer)
        Fee.objects.filter(pk=fee.pk).update(quantity=7, rated_at=NOW + timedelta(days=9))
        assert judge(customer.service) == (0, 0)

    @pytest.mark.parametrize("amount", ["0", "40.00"])
    def test_a_fee_that_went_or_came_makes_it_stale_too(self, customer, amount):
        fee = self.stale(customer)
        if amount == "0":
            Fee.objects.filter(pk=fee.pk).update(amount=0, exact_amount=0, quantity=0, events_count=0)
        else:
            expect(customer, amount)
        judge(customer.service)
        assert row_of(customer).outcome == "stale"

    def test_a_share_of_a_plan_counts_as_pushed_by_its_quantity(self, customer):
        days = [{"base_amount": "99", "billed_days": 10, "period_days": 30}]
        fee = expect(customer, "33.00", kind="plan", charge=None, details=days)
        push_all(customer.service)
        odoo(customer)
        external(customer)
        judge(customer.service)
        assert row_of(customer).outcome == "compared"
        Fee.objects.filter(pk=fee.pk).update(details=[{**days[0], "billed_days": 20}])
        judge(customer.service)
        assert row_of(customer).outcome == "stale"

    def test_only_the_newest_settled_push_tells_what_odoo_holds(self, customer):
        fee = self.stale(customer)
        Fee.objects.filter(pk=fee.pk).update(amount=Decimal("101.00"))
        (newer,) = push_all(customer.service)
        Push.objects.filter(pk=newer.pk).update(status="failed")
        judge(customer.service)
        assert row_of(customer).outcome == "stale"


class TestWhatIsWritten:
    def test_judging_again_writes_nothing(self, customer):
        odoo(customer, "95.00")
        external(customer)
        expect(customer)
        judge(customer.service)
        before = list(Reconciliation.objects.values())
        assert judge(customer.service, NOW + timedelta(days=1)) == (0, 0)
        assert list(Reconciliation.objects.values()) == before

    def test_only_the_changed_row_is_written_and_its_version_rises(self, customer):
        other = factories.CustomerFactory(service=customer.service)
        amounts = [external(each) for each in (customer, other)]
        judge(customer.service)
        change(amounts[0], "90.00")
        later = NOW + timedelta(hours=1)
        assert judge(customer.service, later) == (1, 0)
        assert (row_of(customer).version, row_of(customer).reconciled_at) == (2, later)
        assert (row_of(other).version, row_of(other).reconciled_at) == (1, NOW)

    def test_a_row_whose_documents_are_gone_says_so_instead_of_keeping_old_figures(self, customer):
        amounts = [odoo(customer), external(customer)]
        judge(customer.service)
        for amount in amounts:
            gone(amount)
        assert judge(customer.service) == (1, 0)
        row = row_of(customer)
        assert (row.outcome, row.delta, row.odoo_amount, row.external_amount) == ("missing_odoo", *[None] * 3)
        assert judge(customer.service) == (0, 0)

    def test_an_open_period_is_not_judged(self, customer):
        odoo(customer)
        closing = factories.PERIOD_END + timedelta(hours=24)
        assert judge(customer.service, closing - timedelta.resolution) == (0, 0)
        assert not Reconciliation.objects.exists()
        assert judge(customer.service, closing) == (1, 0)

    def test_the_services_grace_closes_its_periods(self, customer):
        customer.service.grace_hours = 72
        customer.service.save()
        odoo(customer)
        assert judge(customer.service, factories.PERIOD_END + timedelta(hours=71)) == (0, 0)
        assert judge(customer.service, factories.PERIOD_END + timedelta(hours=72)) == (1, 0)

    def test_periods_of_one_label_in_two_time_zones_are_judged_together(self, customer):
        far = factories.CustomerFactory(service=customer.service)
        shift = timedelta(hours=-14)
        shifted = {
            "period_start": factories.PERIOD_START + shift,
            "period_end": factories.PERIOD_END + shift,
        }
        external(customer)
        external(far, **shifted)
        assert judge(customer.service) == (2, 0)

    def test_another_label_and_another_service_are_left_alone(self, customer):
        external(factories.CustomerFactory())
        external(
            customer,
            period_label="2026-08",
            period_start=datetime(2026, 8, 1, tzinfo=UTC),
            period_end=factories.PERIOD_START,
        )
        assert judge(customer.service) == (0, 0)

    def test_a_service_in_shadow_is_refused(self):
        customer = factories.CustomerFactory(service__phase=Phase.SHADOW)
        odoo(customer)
        with pytest.raises(DomainError) as refused:
            judge(customer.service)
        assert refused.value.code == "not_judged"
        assert not Reconciliation.objects.exists()

    def test_a_text_that_is_no_label_is_refused(self, customer):
        with pytest.raises(PeriodLabelError):
            judge(customer.service, label="2026-13")

    def test_the_number_of_statements_does_not_grow_with_the_customers(self, customer):
        def count_statements(customers):
            for _ in range(customers):
                more = factories.CustomerFactory(service=customer.service)
                odoo(more, "95.00")
                external(more)
                expect(more)
            with CaptureQueriesContext(connection) as queries:
                assert judge(customer.service) == (customers, 0)
            return len(queries)

        assert count_statements(2) == count_statements(30)


class TestPeriodsThatOdooBills:
    def bill_by_odoo(self, fee):
        factories.BillerTermFactory(subscription=fee.subscription, starts_at=factories.PERIOD_START)

    def test_they_are_expected_of_nobody_else(self, customer):
        self.bill_by_odoo(expect(customer))
        assert judge(customer.service) == (0, 0)

    def test_what_the_service_bills_all_the_same_shows(self, customer):
        self.bill_by_odoo(expect(customer))
        external(customer)
        judge(customer.service)
        row = row_of(customer)
        assert (row.outcome, row.external_amount, row.expected_untaxed) == ("missing_odoo", 100, 100)
