"""Linking customers to partners: suggestions from the mirror, files, and what is wrong with links that there are."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import AuditRecord, Customer
from reconciliation import linking
from reconciliation.mirror_findings import FindingKind, read_findings
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    service = factories.ServiceFactory(code="nexacloud", name="NexaCloud")
    return factories.CustomerFactory(
        service=service,
        external_id="c-1",
        name="Acme",
        email="a@acme.example",
        stripe_customer_id="cus_1",
        odoo_partner_id=None,
    )


def partner(odoo_id, **values):
    return factories.OdooPartnerFactory(odoo_id=odoo_id, **values)


class TestSuggestions:
    def scores(self, customer):
        return [(match.partner.odoo_id, match.score) for match in linking.suggest([customer])[customer.pk]]

    def test_the_likeliest_come_first_and_the_unlikely_not_at_all(self, customer):
        partner(1, name="Acme")
        partner(2, name="Other", ref="c-1")
        partner(3, name="Nobody", email="x@y.example")
        partner(4, name="Acme", email="A@Acme.example")
        assert self.scores(customer) == [(2, 70), (4, 60), (1, 25)]

    def test_who_has_the_same_stripe_customer_at_another_service_is_the_same(self, customer):
        partner(5, name="Unlike")
        factories.CustomerFactory(stripe_customer_id="cus_1", odoo_partner_id=5)
        assert self.scores(customer) == [(5, 70)]

    def test_a_tax_id_that_the_service_posted_counts(self, customer):
        customer.profile = {"tax_identification_number": "CA123"}
        partner(6, name="Unlike", vat="CA123")
        assert self.scores(customer) == [(6, 50)]

    def test_what_is_gone_in_odoo_is_not_suggested(self, customer):
        partner(7, ref="c-1", gone_at=timezone.now())
        assert self.scores(customer) == []

    def test_many_customers_take_as_many_queries_as_one(self, customer, django_assert_num_queries):
        rows = [customer, *factories.CustomerFactory.create_batch(20, service=customer.service)]
        for number, row in enumerate(rows, start=10):
            partner(number, name=row.name, ref=row.external_id)
        with django_assert_num_queries(2):
            linking.suggest(rows)


class TestFiles:
    def table(self, *rows):
        return "\n".join(["service,external_customer_id,partner_id", *rows])

    def test_each_row_says_what_it_would_do_or_why_not(self, customer):
        partner(1, name="Acme Inc")
        partner(2, is_active=False)
        partner(3, gone_at=timezone.now())
        others = [
            factories.CustomerFactory(service=customer.service, external_id=f"c-{n}").external_id
            for n in range(2, 7)
        ]
        text = self.table(
            "nexacloud,c-1,1",
            "nexacloud,nobody,1",
            "nexamaps,c-1,1",
            f"nexacloud,{others[0]},2",
            f"nexacloud,{others[1]},3",
            f"nexacloud,{others[2]},99",
            f"nexacloud,{others[3]},seven",
            "nexacloud,c-1,1",
        )
        rows = linking.preview_links(text)
        assert [(row.row, row.is_change) for row in rows if not row.refusal] == [(2, True)]
        refusals = {row.row: row.refusal for row in rows if row.refusal}
        for number, words in {
            3: "no customer “nobody”",
            4: "“nexamaps” has no customer",
            5: "archived",
            6: "merged",
            7: "not in the mirror",
            8: "no id of a partner",
            9: "as in row 2",
        }.items():
            assert words in refusals.pop(number)
        assert refusals == {}
        assert Customer.objects.get(pk=customer.pk).odoo_partner_id is None

    def test_applying_links_the_good_rows_audited_and_tells_of_the_others(self, customer, finance):
        partner(1)
        text = self.table("nexacloud,c-1,1", "nexacloud,nobody,1")
        changed, refused = linking.apply_links(text=text, actor=finance)
        assert (changed, [row.row for row in refused]) == (1, [3])
        assert Customer.objects.get(pk=customer.pk).odoo_partner_id == 1
        record = AuditRecord.objects.get(action="customer.link")
        assert (record.actor, record.after) == (finance, {"odoo_partner_id": 1})
        assert linking.apply_links(text=text, actor=finance)[0] == 0
        assert AuditRecord.objects.filter(action="customer.link").count() == 1

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("a,b\n1,2", "wrong_columns"),
            ("", "wrong_columns"),
            ("service,external_customer_id,partner_id", "no_rows"),
        ],
    )
    def test_what_is_no_such_table_is_refused(self, db, text, code):
        with pytest.raises(DomainError) as caught:
            linking.preview_links(text)
        assert caught.value.code == code

    def test_who_may_not_change_customers_links_none(self, customer, auditor):
        partner(1)
        with pytest.raises(DomainError) as caught:
            linking.apply_links(text=self.table("nexacloud,c-1,1"), actor=auditor)
        assert caught.value.code == "permission_denied"
        assert Customer.objects.get(pk=customer.pk).odoo_partner_id is None


class TestFindings:
    def messages(self, kind):
        return [finding.message for finding in read_findings() if finding.kind == kind]

    @pytest.mark.parametrize(
        ("values", "words"),
        [({"is_active": False}, "is archived in Odoo"), ({"gone_at": timezone.now()}, "deleted or merged")],
    )
    def test_a_linked_partner_that_is_archived_or_gone_is_one(self, customer, values, words):
        row = partner(1, name="Acme")
        Customer.objects.update(odoo_partner_id=1)
        assert self.messages(FindingKind.PARTNER) == []
        type(row).objects.update(**values)
        (message,) = self.messages(FindingKind.PARTNER)
        assert words in message

    def test_a_partner_that_odoo_never_had_is_one_once_the_mirror_is_complete(self, customer):
        Customer.objects.update(odoo_partner_id=99)
        assert self.messages(FindingKind.PARTNER) == []
        factories.MirrorCursorFactory(kind="partners")
        assert self.messages(FindingKind.PARTNER) == ["Odoo has no partner 99: link another one."]

    @pytest.fixture
    def ordered(self, customer):
        """A subscription at 99.00 CAD a month, and its order in Odoo that says the same."""
        Customer.objects.update(odoo_partner_id=1)
        partner(1)
        plan = factories.PlanFactory(
            service=customer.service, name="Pro", amount=Decimal("99.00"), odoo_product_id=5
        )
        subscription = factories.SubscriptionFactory(customer=customer, plan=plan, odoo_order_id=7)
        factories.OdooPlanFactory(odoo_id=3)
        order = factories.OdooOrderFactory(
            odoo_id=7, name="S7", state="sale", partner_id=1, plan_id=3, start_date=date(2026, 9, 1)
        )
        line = factories.OdooOrderLineFactory(order_id=7, product_id=5, price_unit=Decimal("99.0"))
        return {"subscription": subscription, "order": order, "line": line}

    def test_the_same_price_currency_and_interval_are_none(self, ordered):
        assert read_findings() == []

    @pytest.mark.parametrize(
        ("what", "values", "message"),
        [
            (
                "line",
                {"price_unit": Decimal(89)},
                "Odoo bills 89 CAD each period on S7, the plan “Pro” costs 99.",
            ),
            ("order", {"currency": "USD"}, "Its order S7 is in USD, the plan “Pro” in CAD."),
            (
                "line",
                {"product_id": 6},
                "Its order S7 has no line of product 5, which the plan “Pro” bills as.",
            ),
        ],
    )
    def test_a_recurring_price_that_differs_from_the_plans_is_one(self, ordered, what, values, message):
        row = ordered[what]
        type(row).objects.filter(pk=row.pk).update(**values)
        assert self.messages(FindingKind.PRICE) == [message]

    def test_another_interval_is_one(self, ordered):
        ordered["order"].plan_id = factories.OdooPlanFactory(every=1, unit="year").odoo_id
        ordered["order"].save()
        assert self.messages(FindingKind.PRICE) == [
            "Odoo bills every 1 year on S7, the plan “Pro” is monthly."
        ]

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"state": "cancel"}, "is cancelled in Odoo"),
            ({"gone_at": timezone.now()}, "no longer a subscription"),
            ({"partner_id": 2}, "is of partner 2"),
        ],
    )
    def test_an_order_that_is_cancelled_gone_or_anothers_is_one(self, ordered, values, words):
        type(ordered["order"]).objects.update(**values)
        (message,) = self.messages(FindingKind.ORDER)
        assert words in message
