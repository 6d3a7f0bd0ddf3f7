"""Fees and bills over the API: what we expect, with its tax, and what Odoo made of it (Lago: fees, invoices)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from lago_python_client.models.fee import FeeResponse
from lago_python_client.models.invoice import InvoiceResponse

from ingest.fees import rate_period
from ingest.models import ChargeModel, Fee, FeeKind
from ingest.usage import meter_period
from reconciliation.models import Amount, Reconciliation
from reconciliation.reconcile import reconcile_period
from tests import factories
from tests.reconciliation.test_expected_taxes import AB, Mirror

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 5, tzinfo=UTC)
TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "2"},
]


@pytest.fixture
def customer(service, settings):
    """A customer in Alberta."""
    settings.ODOO_COMPANY_ID = 1
    return Mirror().customer(AB, service=service)


@pytest.fixture
def subscription(customer):
    plan = factories.PlanFactory(service=customer.service, amount=Decimal("30"), code="basic")
    return factories.SubscriptionFactory(customer=customer, plan=plan, external_id="sub-1")


@pytest.fixture
def rated(subscription):
    """September, rated and reconciled: 16 calls by graduated tiers, and the plan."""
    metric = factories.MetricFactory(service=subscription.service, code="api", name="Calls")
    factories.ChargeFactory(
        plan=subscription.plan,
        metric=metric,
        model=ChargeModel.GRADUATED,
        properties={"graduated_ranges": TIERS},
    )
    factories.UsageEventFactory(
        service=subscription.service,
        external_subscription_id="sub-1",
        code="api",
        transaction_id="call-1",
        properties={"value": "16"},
        quantity=Decimal(16),
    )
    for step in (meter_period, rate_period, reconcile_period):
        step(service=subscription.service, period_label="2026-09", now=NOW)
    return subscription


@pytest.mark.usefixtures("rated")
class TestFees:
    def test_a_fee_is_told_exactly_with_its_tax_and_its_tiers(self, call):
        fees = {fee["item"]["type"]: fee for fee in call("GET", "fees").json()["fees"]}
        fee = fees["charge"]
        assert (fee["amount_cents"], fee["taxes_amount_cents"], fee["total_amount_cents"]) == (1500, 75, 1575)
        assert (fee["precise_amount"], fee["units"], fee["events_count"]) == ("15.0", "16.0", 1)
        assert fee["applied_taxes"][0]["tax_rate"] == 5.0
        assert [tier["units"] for tier in fee["amount_details"]["graduated_ranges"]] == ["10", "6"]
        assert (fee["from_date"], fee["to_date"]) == ("2026-09-01T00:00:00Z", "2026-09-30T23:59:59Z")
        assert fees["subscription"]["item"]["code"] == "basic"
        for each in fees.values():
            FeeResponse.parse_obj(each)

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("fee_type=charge", 1),
            ("fee_type=subscription", 1),
            ("fee_type=credit", 0),
            ("billable_metric_code=api", 1),
            ("external_subscription_id=sub-1", 2),
            ("external_subscription_id=other", 0),
            ("currency=USD", 0),
            ("payment_status=succeeded", 0),
            ("event_transaction_id=call-1", 1),
            ("event_transaction_id=other", 0),
            ("created_at_from=2000-01-01", 2),
            ("created_at_to=2000-01-01", 0),
        ],
    )
    def test_the_list_is_narrowed_down(self, call, query, count):
        assert len(call("GET", f"fees?{query}").json()["fees"]) == count

    def test_one_is_found_by_its_id_and_by_no_other(self, call):
        fee = Fee.objects.get(kind=FeeKind.PLAN)
        assert call("GET", f"fees/{fee.public_id}").json()["fee"]["amount_cents"] == 3000
        for other in ("x", "00000000-0000-4000-8000-000000000000", factories.FeeFactory().public_id):
            missing = call("GET", f"fees/{other}")
            assert (missing.status_code, missing.json()["code"]) == (404, "fee_not_found")

    def test_late_usage_is_on_the_bill_that_has_it(self, call, subscription):
        put_off = Fee.objects.get(kind=FeeKind.USAGE)
        Fee.objects.filter(pk=put_off.pk).update(deferred_amount=Decimal("4"))
        factories.FeeFactory(
            subscription=subscription,
            charge=put_off.charge,
            kind=FeeKind.LATE,
            of_fee=put_off,
            period_start=put_off.period_end,
            period_end=datetime(2026, 11, 1, tzinfo=UTC),
            period_label="2026-10",
            amount=Decimal("4"),
            exact_amount=Decimal("4"),
        )
        fees = call("GET", "fees?fee_type=charge").json()["fees"]
        assert [(fee["amount_cents"], fee["precise_amount"]) for fee in fees] == [
            (1100, "11.0"),
            (400, "4.0"),
        ]
        assert fees[0]["taxes_amount_cents"] == 55
        assert {fee["item"]["type"] for fee in fees} == {"charge"}
        for fee in fees:
            FeeResponse.parse_obj(fee)

    def test_a_fee_is_not_changed_here(self, call):
        fee = Fee.objects.get(kind=FeeKind.PLAN)
        for method in ("PUT", "DELETE"):
            assert call(method, f"fees/{fee.public_id}").status_code == 405


@pytest.mark.usefixtures("rated")
class TestInvoices:
    def test_what_we_expect_is_a_draft_with_its_fees_and_taxes(self, call):
        (listed,) = call("GET", "invoices").json()["invoices"]
        assert (listed["source"], listed["status"], listed["issuing_date"]) == (
            "expected",
            "draft",
            "2026-10-01",
        )
        assert (listed["fees_amount_cents"], listed["taxes_amount_cents"], listed["total_amount_cents"]) == (
            4500,
            225,
            4725,
        )
        whole = call("GET", f"invoices/{listed['lago_id']}").json()["invoice"]
        assert sorted(fee["amount_cents"] for fee in whole["fees"]) == [1500, 3000]
        assert [(tax["tax_rate"], tax["amount_cents"]) for tax in whole["applied_taxes"]] == [(5.0, 225)]
        assert {fee["lago_invoice_id"] for fee in whole["fees"]} == {listed["lago_id"]}
        InvoiceResponse.parse_obj(listed)
        InvoiceResponse.parse_obj(whole)

    def test_it_says_whose_it_is_and_which_subscriptions_it_is_for(self, call, customer, subscription):
        # One that bills by the year has no bill of a month; one that ended before the month has none either.
        yearly = factories.PlanFactory(service=customer.service, interval="yearly", code="yearly")
        factories.SubscriptionFactory(customer=customer, plan=yearly, external_id="sub-2")
        (listed,) = call("GET", f"customers/{customer.external_id}/invoices").json()["invoices"]
        whole = call("GET", f"invoices/{listed['lago_id']}").json()["invoice"]
        assert whole["customer"] == call("GET", f"customers/{customer.external_id}").json()["customer"]
        assert [each["external_id"] for each in whole["subscriptions"]] == ["sub-1"]
        assert whole["billing_periods"] == [
            {
                "lago_subscription_id": str(subscription.public_id),
                "external_subscription_id": "sub-1",
                "lago_plan_id": str(subscription.plan.public_id),
                "subscription_from_datetime": "2026-09-01T00:00:00Z",
                "subscription_to_datetime": "2026-09-30T23:59:59Z",
                "charges_from_datetime": "2026-09-01T00:00:00Z",
                "charges_to_datetime": "2026-09-30T23:59:59Z",
                "invoicing_reason": "subscription_periodic",
            }
        ]
        assert call("GET", "customers/none/invoices").json()["code"] == "customer_not_found"

    def test_odoos_own_is_beside_it(self, call, customer):
        row = Reconciliation.objects.get()
        document = factories.SourceDocumentFactory(service=customer.service, content={"name": "S00042"})
        amount = factories.AmountFactory(
            document=document,
            service=customer.service,
            customer=customer,
            side="odoo",
            period_start=row.period_start,
            period_end=row.period_end,
            untaxed=Decimal("45.00"),
            tax=Decimal("2.25"),
            total=Decimal("47.25"),
            state="draft",
        )
        found = call("GET", "invoices").json()
        assert {each["source"] for each in found["invoices"]} == {"expected", "odoo"}
        assert found["meta"]["total_count"] == 2
        whole = call("GET", f"invoices/{amount.public_id}").json()["invoice"]
        assert (whole["number"], whole["total_amount_cents"], whole["status"]) == ("S00042", 4725, "draft")
        InvoiceResponse.parse_obj(whole)
        Amount.objects.update(state="posted")
        assert len(call("GET", "invoices?status=finalized").json()["invoices"]) == 1
        assert len(call("GET", "invoices?statuses[]=finalized&statuses[]=draft").json()["invoices"]) == 2
        assert len(call("GET", "invoices?per_page=1&page=2").json()["invoices"]) == 1

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("external_customer_id=other", 0),
            ("currency=CAD", 1),
            ("currency=USD", 0),
            ("invoice_type=subscription", 1),
            ("invoice_type=one_off", 0),
            ("payment_status=succeeded", 0),
            ("issuing_date_from=2026-10-01&issuing_date_to=2026-10-01", 1),
            ("issuing_date_from=2026-10-02", 0),
            ("issuing_date_to=2026-09-30", 0),
            ("issuing_date_from=0001-01-01&issuing_date_to=9999-12-31", 1),
            ("amount_from=4725&amount_to=4725", 1),
            ("amount_from=4726", 0),
        ],
    )
    def test_the_list_is_narrowed_down(self, call, query, count):
        assert len(call("GET", f"invoices?{query}").json()["invoices"]) == count

    @pytest.mark.parametrize("query", ["issuing_date_from=soon", "amount_to=1e400", "amount_from=x"])
    def test_what_cannot_be_asked_for_is_refused(self, call, query):
        assert call("GET", f"invoices?{query}").status_code == 422

    def test_another_services_bill_does_not_exist(self, call):
        theirs = factories.ReconciliationFactory(expected_untaxed=Decimal(1))
        for other in ("x", theirs.public_id):
            missing = call("GET", f"invoices/{other}")
            assert (missing.status_code, missing.json()["code"]) == (404, "invoice_not_found")
        assert len(call("GET", "invoices").json()["invoices"]) == 1
