"""From fees to drafts: one bill per customer, currency and period, or a reason why not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ingest.models import Fee
from reconciliation.quotations import read_drafts
from tests import factories
from tests.repricing import reprice_plan

pytestmark = pytest.mark.django_db

LABEL = factories.PERIOD_LABEL


@pytest.fixture
def pricelist():
    return factories.OdooPricelistFactory(odoo_id=3, currency="CAD")


def read(service, **values):
    return read_drafts(service=service, period_label=LABEL, **values)


def one_draft(service):
    ((_, draft),), refusals = read(service)
    assert refusals == []
    return draft


def refusal(fee):
    drafts, (refused,) = read(fee.subscription.service)
    assert drafts == []
    return refused


class TestDrafts:
    def test_a_usage_fee_is_a_line_at_our_amount(self, pricelist, settings):
        settings.ODOO_COMPANY_ID = 4
        fee = factories.FeeFactory()
        service, customer = fee.subscription.service, fee.subscription.customer
        draft = one_draft(service)
        assert (draft.partner_id, draft.company_id, draft.pricelist_id) == (customer.odoo_partner_id, 4, 3)
        assert draft.reference == f"{service.name} 2026-09"
        (line,) = draft.usage_lines
        assert (line.key, line.product_id, line.amount) == (fee.public_id.hex, 12, Decimal("60.03"))
        assert line.name == f"{fee.charge.metric.name} 2026-09"
        assert draft.plan_lines == ()

    @pytest.mark.parametrize(
        ("days", "quantity"), [(30, "1.00"), (15, "0.50"), (10, "0.33"), (20, "0.67"), (1, "0.03")]
    )
    def test_a_plan_fee_is_a_share_of_the_plan_that_odoo_prices(self, pricelist, days, quantity):
        details = [{"base_amount": "99", "billed_days": days, "period_days": 30}]
        fee = factories.FeeFactory(kind="plan", charge=None, details=details, quantity=1)
        (line,) = one_draft(fee.subscription.service).plan_lines
        assert (line.product_id, str(line.quantity)) == (11, quantity)
        assert not hasattr(line, "amount")

    def test_the_share_is_that_of_the_fee_whatever_the_plan_costs_by_now(self, pricelist):
        details = [{"base_amount": "99", "billed_days": 15, "period_days": 30}]
        fee = factories.FeeFactory(kind="plan", charge=None, details=details)
        reprice_plan(fee.subscription.plan, amount=0)
        (line,) = one_draft(fee.subscription.service).plan_lines
        assert line.quantity == Decimal("0.50")

    def test_all_of_a_customers_subscriptions_are_on_one_bill(self, pricelist):
        fee = factories.FeeFactory()
        other = factories.SubscriptionFactory(customer=fee.subscription.customer)
        factories.FeeFactory(subscription=other)
        assert len(one_draft(fee.subscription.service).usage_lines) == 2

    def test_customers_currencies_and_periods_have_bills_of_their_own(self, pricelist):
        factories.OdooPricelistFactory(odoo_id=4, currency="USD")
        fee = factories.FeeFactory()
        customer = fee.subscription.customer
        factories.FeeFactory(subscription__customer=customer, currency="USD")
        factories.FeeFactory(
            subscription__customer=customer, period_end=factories.PERIOD_START + timedelta(days=7)
        )
        factories.FeeFactory(subscription__customer__service=customer.service)
        drafts, _ = read(customer.service)
        assert len({bill.key for bill, _ in drafts}) == 4
        assert {draft.key for _, draft in drafts} == {bill.key for bill, _ in drafts}

    def test_a_bill_has_the_same_key_and_payload_for_ever(self, pricelist):
        fee = factories.FeeFactory()
        first, second = one_draft(fee.subscription.service), one_draft(fee.subscription.service)
        assert (first.key, first.digest()) == (second.key, second.digest())
        customer = fee.subscription.customer
        assert first.key == f"{customer.public_id.hex}_CAD_20260901_20261001"

    def test_a_fee_that_holds_nothing_is_no_line_but_free_usage_is(self, pricelist):
        fee = factories.FeeFactory(amount=0, exact_amount=0)
        service = fee.subscription.service
        assert [line.amount for line in one_draft(service).usage_lines] == [0]
        Fee.objects.update(quantity=0, events_count=0)
        assert read(service) == ([], [])

    def test_only_the_chosen_customers_are_drafted(self, pricelist):
        fee = factories.FeeFactory()
        other = factories.FeeFactory(subscription__customer__service=fee.subscription.service)
        customers = [other.subscription.customer_id]
        ((bill, _),), _ = read(fee.subscription.service, customers=customers)
        assert bill.customer == other.subscription.customer

    def test_a_service_may_name_its_own_company(self, pricelist):
        fee = factories.FeeFactory()
        fee.subscription.service.odoo_company_id = 9
        assert one_draft(fee.subscription.service).company_id == 9


class TestWhoBills:
    def test_what_odoo_bills_gets_no_draft(self, pricelist):
        fee = factories.FeeFactory()
        factories.BillerTermFactory(subscription=fee.subscription, starts_at=factories.PERIOD_START)
        assert read(fee.subscription.service) == ([], [])

    def test_what_odoo_bills_from_the_next_period_on_still_gets_one(self, pricelist):
        fee = factories.FeeFactory()
        factories.BillerTermFactory(subscription=fee.subscription, starts_at=factories.PERIOD_END)
        assert one_draft(fee.subscription.service).usage_lines

    def test_a_customer_who_is_half_switched_gets_the_half_that_the_service_bills(self, pricelist):
        fee = factories.FeeFactory()
        other = factories.FeeFactory(subscription__customer=fee.subscription.customer)
        factories.BillerTermFactory(subscription=fee.subscription, starts_at=factories.PERIOD_START)
        (line,) = one_draft(fee.subscription.service).usage_lines
        assert line.key == other.public_id.hex


class TestRefusals:
    def test_an_unlinked_customer_is_named_with_what_to_do(self, pricelist):
        fee = factories.FeeFactory(subscription__customer__odoo_partner_id=None)
        refused = refusal(fee)
        assert refused.code == "unlinked"
        assert refused.message == f"{fee.subscription.customer} is not linked to an Odoo partner: link it."

    def test_a_charge_without_a_product_is_named(self, pricelist):
        fee = factories.FeeFactory(charge__odoo_product_id=None)
        refused = refusal(fee)
        assert refused.code == "no_product"
        assert str(fee.charge) in refused.message

    def test_a_plan_without_a_product_is_named(self, pricelist):
        details = [{"billed_days": 30, "period_days": 30}]
        fee = factories.FeeFactory(kind="plan", charge=None, details=details)
        fee.subscription.plan.odoo_product_id = None
        fee.subscription.plan.save()
        assert str(fee.subscription.plan) in refusal(fee).message

    @pytest.mark.parametrize("found", [[], ["USD"], ["CAD", "CAD"]])
    def test_without_exactly_one_pricelist_in_the_currency_there_is_no_guess(self, found):
        for number, currency in enumerate(found):
            factories.OdooPricelistFactory(odoo_id=number, currency=currency)
        refused = refusal(factories.FeeFactory())
        assert refused.code == "no_pricelist"
        assert "CAD" in refused.message

    def test_a_refused_bill_keeps_no_other_from_its_draft(self, pricelist):
        fee = factories.FeeFactory()
        factories.FeeFactory(
            subscription__customer__service=fee.subscription.service,
            subscription__customer__odoo_partner_id=None,
        )
        drafts, refusals = read(fee.subscription.service)
        assert (len(drafts), len(refusals)) == (1, 1)


class TestPricelists:
    def test_the_subscription_orders_own_pricelist_comes_first(self, pricelist):
        fee = factories.FeeFactory(subscription__odoo_order_id=77)
        partner = fee.subscription.customer.odoo_partner_id
        factories.OdooPricelistFactory(odoo_id=5, currency="CAD")
        factories.OdooOrderFactory(odoo_id=77, partner_id=partner, pricelist_id=5)
        assert one_draft(fee.subscription.service).pricelist_id == 5

    def test_an_order_in_another_currency_says_nothing(self, pricelist):
        fee = factories.FeeFactory(subscription__odoo_order_id=77)
        partner = fee.subscription.customer.odoo_partner_id
        factories.OdooOrderFactory(odoo_id=77, partner_id=partner, pricelist_id=5, currency="USD")
        assert one_draft(fee.subscription.service).pricelist_id == 3

    def test_another_companys_pricelist_is_none_of_ours(self, pricelist, settings):
        settings.ODOO_COMPANY_ID = 1
        factories.OdooPricelistFactory(odoo_id=5, currency="CAD", company_id=2)
        assert one_draft(factories.FeeFactory().subscription.service).pricelist_id == 3
