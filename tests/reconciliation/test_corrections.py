"""What finance accepts of a resolved row becomes one draft in Odoo, and only where Odoo bills the period."""

from decimal import Decimal

import pytest
from django.urls import reverse

from ingest.errors import DomainError
from ingest.models import AuditRecord, BillerTerm
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.corrections import CorrectionDraft
from reconciliation.corrections import draft_correction, suggest_amount
from reconciliation.models import OdooProduct, Push
from reconciliation.triage import assign, reopen, resolve
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import CountingTransport
from tests.reconciliation.odoo_world import lose_answer

FIELDS = ["state", "move_type", "partner_id", "currency_id", "amount_untaxed", "amount_tax", "ref"]
REASON = "Storage was counted twice."


@pytest.fixture
def row(world):
    """A resolved row of a period that Odoo bills: Odoo asks for 4.10 too much."""
    customer = world.make_customer()
    factories.BillerTermFactory(subscription=customer.subscriptions.get(), starts_at=factories.PERIOD_START)
    return factories.ReconciliationFactory(
        customer=customer,
        odoo_untaxed=Decimal("104.10"),
        status="resolved",
        reason=REASON,
        resolved_by=factories.UserFactory(),
        resolved_at=factories.SEEN_AT,
        version=3,
    )


def draft(world, row, actor, amount="-4.10", **values):
    asked = {
        "amount": Decimal(amount),
        "product_id": world.charges["sto"].odoo_product_id,
        "reason": REASON,
        **values,
    }
    return draft_correction(reconciliation_id=row.pk, actor=actor, **asked)


def documents(world):
    ids = world.office.find("account.move")
    return world.office.call("account.move", "read", ids, fields=FIELDS)


@pytest.mark.parametrize("amount", ["-4.10", "7.00"])
def test_it_becomes_a_draft_in_odoo_on_the_record(world, row, finance, amount):
    move_type = "out_refund" if amount.startswith("-") else "out_invoice"
    untaxed = abs(float(amount))
    push = draft(world, row, finance, amount)
    record = AuditRecord.objects.get(action="correction.draft")
    assert (record.actor, record.reason, record.after["amount"]) == (finance, REASON, amount)
    assert world.send() == {"done": 1}
    (document,) = documents(world)
    assert (document["state"], document["move_type"], document["amount_untaxed"]) == (
        "draft",
        move_type,
        untaxed,
    )
    assert document["partner_id"][0] == world.partner
    assert document["currency_id"][1] == "CAD"
    assert document["amount_tax"] == round(untaxed * 0.13, 2)
    push.refresh_from_db()
    assert push.odoo_id == document["id"]


def test_the_amount_that_closes_the_delta_is_suggested(row):
    assert suggest_amount(row) == Decimal("-4.10")


@pytest.mark.parametrize(
    "fault", ["drop_answer_after_commit", "bad_gateway", "reset", "serialization_failure"]
)
def test_a_fault_leaves_one_document(world, row, finance, fault):
    draft(world, row, finance)
    world.stand_in.set_fault(fault, method="account.move.load")
    world.send()
    world.drain()
    assert len(documents(world)) == 1
    assert Push.objects.get().status == "done"


def test_a_lost_answer_is_settled_by_reading_back_though_somebody_has_posted_it(world, row, finance):
    draft(world, row, finance)
    transport = CountingTransport(world.transport())
    transport.after["account.move.load"] = lose_answer
    assert world.send(connector=OdooConnector(transport, company_id=1)) == {"unknown": 1}
    world.office.call("account.move", "action_post", world.office.find("account.move"))
    world.drain()
    assert Push.objects.get().status == "done"
    assert [document["state"] for document in documents(world)] == ["posted"]


def test_one_resolution_has_one_correction(world, row, finance):
    draft(world, row, finance)
    with pytest.raises(DomainError) as refused:
        draft(world, row, finance, "-1.00")
    assert refused.value.code == "already_drafted"
    assert Push.objects.count() == 1


def test_a_resolution_that_somebody_else_owns_now_is_the_same_one(world, row, finance):
    draft(world, row, finance)
    assign(reconciliation_ids=[row.pk], actor=finance, owner=finance)
    with pytest.raises(DomainError) as refused:
        draft(world, row, finance)
    assert refused.value.code == "already_drafted"
    assert Push.objects.count() == 1


def test_what_is_resolved_again_may_be_corrected_again(world, row, finance):
    draft(world, row, finance)
    reopen(reconciliation_id=row.pk, actor=finance, reason="It was more.")
    resolve(reconciliation_ids=[row.pk], actor=finance, reason="Twice as much.")
    draft(world, row, finance)
    assert Push.objects.count() == 2


class TestRefusals:
    def assert_refused(self, world, row, actor, code, **values):
        with pytest.raises(DomainError) as refused:
            draft(world, row, actor, **values)
        assert refused.value.code == code
        assert not Push.objects.exists()
        assert not AuditRecord.objects.exists()

    @pytest.mark.parametrize("amount", ["0", "1.005", "NaN"])
    def test_an_amount_that_is_none(self, world, row, finance, amount):
        self.assert_refused(world, row, finance, "bad_amount", amount=amount)

    def test_a_row_that_is_not_resolved(self, world, row, finance):
        type(row).objects.update(status="delta")
        self.assert_refused(world, row, finance, "not_resolved")

    def test_a_period_that_the_service_bills(self, world, row, finance):
        BillerTerm.objects.all().delete()
        self.assert_refused(world, row, finance, "billed_by_service")

    def test_a_customer_without_a_partner(self, world, row, finance):
        type(row.customer).objects.update(odoo_partner_id=None)
        self.assert_refused(world, row, finance, "unlinked")

    def test_a_product_that_is_not_there(self, world, row, finance):
        self.assert_refused(world, row, finance, "no_product", product_id=4711)

    def test_no_reason(self, world, row, finance):
        self.assert_refused(world, row, finance, "reason_required", reason=" ")

    @pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
    def test_who_may_not_push(self, world, row, person):
        self.assert_refused(world, row, person, "permission_denied")


def test_the_biller_is_asked_again_before_it_is_sent_and_by_the_guard(world, row, finance):
    push = draft(world, row, finance)
    BillerTerm.objects.all().delete()
    assert world.send() == {"failed": 1}
    push.refresh_from_db()
    assert push.error_code == "billed_by_service"
    connector = world.connector
    for ask in (lambda keys: set(), None):
        with pytest.raises(ConnectorError) as refused, connector.permitting(ask):
            connector.write_corrections([CorrectionDraft.from_payload(push.payload)])
        assert refused.value.code == "refused_by_guard"
    assert documents(world) == []


class TestScreen:
    def address(self, row):
        return reverse("admin:reconciliation_reconciliation_correction", args=[row.pk])

    def page(self, client, row):
        return client.get(
            reverse("admin:reconciliation_reconciliation_change", args=[row.pk])
        ).content.decode()

    def test_finance_drafts_it_from_the_row(self, client, world, row, finance):
        client.force_login(finance)
        assert "Draft a correction" in self.page(client, row)
        assert 'value="-4.10"' in client.get(self.address(row)).content.decode()
        product = OdooProduct.objects.get(odoo_id=world.charges["sto"].odoo_product_id)
        answer = client.post(
            self.address(row), {"amount": "-4.10", "product": product.odoo_id, "reason": REASON}
        )
        assert answer.status_code == 302
        assert Push.objects.get().kind == "correction"

    @pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
    def test_nobody_else_sees_it(self, client, row, person):
        client.force_login(person)
        assert "Draft a correction" not in self.page(client, row)
        assert client.get(self.address(row)).status_code == 403
        assert client.post(self.address(row), {}).status_code == 403
