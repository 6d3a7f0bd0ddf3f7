"""The tax on what we expect, kept on the row: by the mirror, per customer, currency and period."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.rating.taxes import Taxable, compute_taxes
from reconciliation.comparison.taxation import NotComparable, Place, find_rates
from reconciliation.lines import read_lines
from reconciliation.models import OdooPartner, OdooTax
from reconciliation.tax_history import TaxCharts
from tests import factories
from tests.reconciliation.sides import external, judge, odoo, row_of

pytestmark = pytest.mark.django_db

CANADA, FRANCE = 38, 75
ON, NS, NB, AB, QC = range(1, 6)


class Mirror:
    """Odoo's taxes as mirrored: products carry 13 % HST, and each province's position replaces it."""

    def __init__(self):
        self.hst = factories.OdooTaxFactory(odoo_id=13)
        tax = self.tax
        charged = {
            ON: [13],
            NS: [tax(14, "14% HST", "14.0")],
            NB: [tax(15, "15% HST", "15.0")],
            AB: [tax(5, "5% GST", "5.0")],
            QC: [5, tax(9975, "9.975% QST", "9.975")],
        }
        for state, tax_ids in charged.items():
            factories.OdooFiscalPositionFactory(country_id=CANADA, state_ids=[state], tax_ids=tax_ids)
        factories.OdooFiscalPositionFactory(name="International", country_id=None, sequence=1)
        for product_id in (11, 12):
            factories.OdooProductFactory(odoo_id=product_id, tax_ids=[13])

    def tax(self, number, name, percent):
        values = {"name": name, "percent": Decimal(percent), "original_ids": [13]}
        return factories.OdooTaxFactory(odoo_id=number, **values).odoo_id

    def customer(self, state=ON, country=CANADA, service=None, **values):
        customer = factories.CustomerFactory(**({"service": service} if service else {}))
        usual = {"company_id": 1, "country_id": country, "state_id": state}
        factories.OdooPartnerFactory(odoo_id=customer.odoo_partner_id, **(usual | values))
        return customer


@pytest.fixture
def mirror(db, settings):
    settings.ODOO_COMPANY_ID = 1
    return Mirror()


def fee(customer, amount, product_id=12, **values):
    subscription = customer.subscriptions.first() or factories.SubscriptionFactory(customer=customer)
    charge = factories.ChargeFactory(plan=subscription.plan, odoo_product_id=product_id)
    amount = Decimal(amount)
    return factories.FeeFactory(
        subscription=subscription, charge=charge, amount=amount, exact_amount=amount, **values
    )


def expected(customer, currency="CAD"):
    row = row_of(customer, currency)
    return tuple(
        None if figure is None else str(figure)
        for figure in (row.expected_untaxed, row.expected_tax, row.expected_total)
    )


class TestWhatARowExpects:
    @pytest.mark.parametrize(
        ("state", "tax", "total"),
        [(ON, "13.00", "113.00"), (NS, "14.00", "114.00"), (NB, "15.00", "115.00"), (AB, "5.00", "105.00")],
    )
    def test_the_province_decides(self, mirror, state, tax, total):
        customer = mirror.customer(state)
        fee(customer, "60.00")
        fee(customer, "40.00")
        judge(customer.service)
        assert expected(customer) == ("100.00", tax, total)

    def test_quebec_has_two_taxes_on_one_base(self, mirror):
        customer = mirror.customer(QC)
        for _ in range(3):
            fee(customer, "10.10")
        judge(customer.service)
        assert expected(customer) == ("30.30", "4.54", "34.84")
        assert row_of(customer).expected_taxes == [
            {
                "tax_id": 5,
                "name": "5% GST",
                "percent": "5",
                "products": [12],
                "base": "30.30",
                "amount": "1.52",
            },
            {
                "tax_id": 9975,
                "name": "9.975% QST",
                "percent": "9.975",
                "products": [12],
                "base": "30.30",
                "amount": "3.02",
            },
        ]

    def test_abroad_is_zero_and_says_no_reason(self, mirror):
        customer = mirror.customer(None, FRANCE)
        fee(customer, "99.00")
        judge(customer.service)
        assert expected(customer) == ("99.00", "0", "99.00")
        assert (row_of(customer).expected_taxes, row_of(customer).untaxed_because) == ([], "")

    def test_a_plans_fee_is_taxed_as_its_own_product(self, mirror):
        factories.OdooProductFactory(odoo_id=77, tax_ids=[])
        customer = mirror.customer()
        plan = factories.PlanFactory(service=customer.service, odoo_product_id=77)
        factories.SubscriptionFactory(customer=customer, plan=plan)
        fee(customer, "10.00", kind="usage")
        subscription = customer.subscriptions.get()
        factories.FeeFactory(subscription=subscription, kind="plan", charge=None, amount=Decimal(50))
        judge(customer.service)
        assert expected(customer) == ("60.00", "1.30", "61.30")

    def test_each_currency_has_its_own(self, mirror):
        customer = mirror.customer()
        fee(customer, "100.00")
        fee(customer, "10.00", currency="USD")
        judge(customer.service)
        assert (expected(customer)[1], expected(customer, "USD")[1]) == ("13.00", "1.30")

    def test_a_rate_that_changes_in_odoo_changes_the_row_and_nothing_else(self, mirror):
        customer = mirror.customer(NS)
        fee(customer, "100.00")
        odoo(customer, "100.00", "14.00")
        external(customer, "100.00", "14.00")
        judge(customer.service)
        before = row_of(customer)
        OdooTax.objects.filter(odoo_id=14).update(percent=15)
        assert judge(customer.service) == (1, 0)
        after = row_of(customer)
        assert str(after.expected_total) == "115.00"
        assert (after.delta, after.status, after.outcome) == (before.delta, before.status, before.outcome)
        assert judge(customer.service) == (0, 0)

    def test_a_bill_that_we_expect_nothing_of_has_no_tax(self, mirror):
        customer = mirror.customer()
        external(customer, "5.00")
        judge(customer.service)
        assert expected(customer) == (None, None, None)


class TestWhatIsNotComparable:
    def reason(self, customer, product_id=12):
        fee(customer, "100.00", product_id)
        judge(customer.service)
        assert expected(customer) == ("100.00", None, None)
        return row_of(customer).untaxed_because

    def test_a_partner_without_a_province_or_country(self, mirror):
        assert self.reason(mirror.customer(None)) == "The partner has no province in Odoo."
        assert self.reason(mirror.customer(None, None)) == "The partner has no country in Odoo."

    def test_a_customer_without_a_partner(self, mirror):
        customer = factories.CustomerFactory(odoo_partner_id=None)
        assert self.reason(customer) == "The customer is not linked to a partner in Odoo."

    def test_a_partner_that_was_mirrored_before_taxes_were_or_for_another_company(self, mirror):
        for company in (None, 2):
            assert "not for this company" in self.reason(mirror.customer(company_id=company))
        assert "not in the mirror" in self.reason(factories.CustomerFactory())

    def test_a_product_that_is_missing_or_was_mirrored_before_taxes_were(self, mirror):
        factories.OdooProductFactory(odoo_id=88)
        assert self.reason(mirror.customer(), None) == "A fee has no product in Odoo."
        assert self.reason(mirror.customer(), 88).startswith("Product 88 is not in the mirror")
        assert self.reason(mirror.customer(), 99).startswith("Product 99 is not in the mirror")

    def test_a_partner_with_a_delivery_address_of_its_own(self, mirror):
        customer = mirror.customer()
        factories.OdooPartnerFactory(parent_id=customer.odoo_partner_id, address_type="delivery")
        assert "delivery address" in self.reason(customer)

    def test_one_fee_that_cannot_be_taxed_leaves_the_bill_without_tax(self, mirror):
        customer = mirror.customer()
        fee(customer, "50.00")
        fee(customer, "50.00", None)
        judge(customer.service)
        assert expected(customer) == ("100.00", None, None)
        assert row_of(customer).expected_taxes == []

    def test_a_fee_of_zero_needs_no_tax(self, mirror):
        customer = mirror.customer()
        fee(customer, "100.00")
        fee(customer, "0.00", None)
        judge(customer.service)
        assert expected(customer) == ("100.00", "13.00", "113.00")


class TestLines:
    def test_totals_are_expected_at_our_own_rates_whatever_odoo_taxed(self, mirror):
        customer = mirror.customer(QC)
        charged = fee(customer, "100.00", late_amount=Decimal("10.00"))
        code = charged.charge.metric.code
        ours = odoo(customer, "100.00", "13.00")
        factories.AmountLineFactory(
            amount=ours, code=code, untaxed=Decimal(100), tax=Decimal(13), total=Decimal(113)
        )
        theirs = external(customer, None, None, "114.98")
        factories.AmountLineFactory(amount=theirs, code=code, untaxed=None, total=Decimal("114.98"))
        judge(customer.service)
        (pair,) = read_lines(row_of(customer)).pairs
        # 5.00 and 9.975, each rounded on its line as Odoo rounds a line
        assert (str(pair.expected.amount), str(pair.expected.late)) == ("114.98", "11.50")

    def test_without_rates_they_are_expected_as_odoo_taxed_them(self, mirror):
        customer = mirror.customer(None)
        charged = fee(customer, "100.00")
        ours = odoo(customer, "100.00", "13.00")
        factories.AmountLineFactory(
            amount=ours, code=charged.charge.metric.code, tax=Decimal(13), total=Decimal(113)
        )
        external(customer, None, None, "113.00")
        judge(customer.service)
        (pair,) = (pair for pair in read_lines(row_of(customer)).pairs if pair.expected)
        assert str(pair.expected.amount) == "113.00"


class TestManyCustomers:
    def count_queries(self, service):
        with CaptureQueriesContext(
            connection,
        ) as context:
            judge(service)
        return len(context)

    def test_they_take_as_many_queries_as_one(self, mirror):
        one, many = factories.ServiceFactory(), factories.ServiceFactory()
        fee(mirror.customer(service=one), "1.00")
        for state in (ON, NS, NB, AB, QC, None) * 3:
            fee(mirror.customer(state, service=many), "1.00")
        assert self.count_queries(one) == self.count_queries(many)

    STATES = st.sampled_from([ON, NS, NB, AB, QC, None])
    FEES = st.lists(
        st.tuples(st.decimals(0, 500, places=2), st.sampled_from([11, 12, 21])), min_size=1, max_size=6
    )

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(state=STATES, amounts=FEES)
    def test_the_statement_agrees_with_the_pure_room(self, mirror, state, amounts):
        with transaction.atomic():
            factories.OdooProductFactory(odoo_id=21, tax_ids=[])
            customer = mirror.customer(state)
            for amount, product_id in amounts:
                fee(customer, amount, product_id)
            judge(customer.service)
            self.compare(customer, amounts)
            transaction.set_rollback(True)

    def compare(self, customer, amounts):
        partner = OdooPartner.objects.get(odoo_id=customer.odoo_partner_id)
        place = Place(country_id=partner.country_id, state_id=partner.state_id)
        own = {11: [13], 12: [13], 21: []}
        rated = [
            (amount, find_rates(tax_ids=own[product], place=place, chart=TaxCharts(1).at(None)))
            for amount, product in amounts
            if amount
        ]
        obstacle = next((rates for _, rates in rated if isinstance(rates, NotComparable)), None)
        row = row_of(customer)
        assert row.untaxed_because == (obstacle.reason if obstacle else "")
        if obstacle:
            assert row.expected_tax is None
            return
        taxes = compute_taxes(
            (Taxable(amount, [rate.tax_rate for rate in rates]) for amount, rates in rated), "CAD"
        )
        assert row.expected_tax == taxes.total
        assert {str(tax["tax_id"]): Decimal(tax["amount"]) for tax in row.expected_taxes} == {
            rate.code: tax for rate, tax in taxes.by_rate.items()
        }
