"""A resolution belongs to the figures it was made on: the row reopens when an amount changes, and says so."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ingest.models import AuditRecord
from reconciliation.models import Amount, Reconciliation, Status
from reconciliation.triage import resolve
from tests import factories
from tests.reconciliation.sides import NOW, change, expect, external, gone, judge, odoo, row_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return factories.CustomerFactory()


class TestReopening:
    @pytest.fixture
    def resolved(self, customer, finance):
        """A row of 95.00 against 100.00 that finance explained."""
        amounts = {"odoo": odoo(customer, "95.00"), "external": external(customer)}
        judge(customer.service)
        row = row_of(customer)
        resolve(reconciliation_ids=[row.pk], actor=finance, reason="A credit note follows.")
        return amounts

    LATER = NOW + timedelta(days=1)

    @pytest.mark.parametrize(
        ("side", "amount", "because"),
        [
            ("odoo", "96.00", "Odoo 95.00 → 96.00"),
            ("external", "99.00", "external 100.00 → 99.00"),
        ],
    )
    def test_a_resolved_row_reopens_when_an_amount_changes(self, customer, resolved, side, amount, because):
        change(resolved[side], amount)
        assert judge(customer.service, self.LATER) == (1, 1)
        row = row_of(customer)
        assert (row.status, row.reopened_at, row.reopened_because) == ("delta", self.LATER, because)
        assert row.reason == "A credit note follows."
        record = AuditRecord.objects.first()
        assert (record.action, record.actor, record.reason) == ("reconciliation.reopen", None, because)
        assert record.before == {"status": "resolved", "reason": "A credit note follows."}
        assert record.after == {"status": "delta"}
        assert record.object_id == str(row.public_id)

    def test_it_reopens_as_a_match_when_the_delta_is_gone(self, customer, resolved):
        change(resolved["odoo"], "100.00")
        assert judge(customer.service, self.LATER) == (1, 1)
        assert (row_of(customer).status, row_of(customer).reopened_at) == ("match", self.LATER)

    def test_it_reopens_when_a_side_goes_missing(self, customer, resolved):
        gone(resolved["external"])
        judge(customer.service, self.LATER)
        row = row_of(customer)
        assert row.reopened_because == "external 100.00 → nothing; compared → missing_external"
        assert row.status == Status.DELTA

    def test_both_changes_are_told_in_one_sentence(self, customer, resolved):
        change(resolved["odoo"], "1.00")
        change(resolved["external"], "2.00")
        judge(customer.service, self.LATER)
        assert row_of(customer).reopened_because == "Odoo 95.00 → 1.00; external 100.00 → 2.00"

    @pytest.mark.parametrize("what", ["expected", "tolerance", "tax"])
    def test_it_stays_resolved_when_neither_sides_amount_changes(self, customer, resolved, what):
        if what == "expected":
            expect(customer, "77.00")
        elif what == "tolerance":
            factories.ToleranceFactory(service=customer.service, absolute=Decimal("0.50"))
        else:
            Amount.objects.filter(pk=resolved["odoo"].pk).update(tax=Decimal(5), total=Decimal(100))
        records = AuditRecord.objects.count()
        assert judge(customer.service, self.LATER) == (1, 0)
        row = row_of(customer)
        assert (row.status, row.reopened_at, row.reopened_because) == ("resolved", None, "")
        assert row.version == 3
        assert AuditRecord.objects.count() == records

    def test_a_row_that_nobody_resolved_does_not_reopen(self, customer):
        amount = odoo(customer, "95.00")
        judge(customer.service)
        change(amount, "96.00")
        assert judge(customer.service) == (1, 0)
        assert row_of(customer).reopened_because == ""

    def test_the_same_statement_reopens_many_rows_and_records_each(self, customer, finance):
        amounts = [odoo(factories.CustomerFactory(service=customer.service), "95.00") for _ in range(3)]
        judge(customer.service)
        ids = list(Reconciliation.objects.values_list("pk", flat=True))
        resolve(reconciliation_ids=ids, actor=finance, reason="Known.")
        for amount in amounts:
            change(amount, "1.00")
        assert judge(customer.service, self.LATER) == (3, 3)
        assert AuditRecord.objects.filter(action="reconciliation.reopen").count() == 3


def test_a_resolution_falls_with_the_tax_that_it_was_made_on(customer, finance):
    """The totals are compared; the tax inside of one moved."""
    odoo(customer, "150.00", "19.50")
    amount = external(customer, "100.00", "13.00", "113.00")
    judge(customer.service)
    row = row_of(customer)
    resolve(reconciliation_ids=[row.pk], actor=finance, reason="Agreed.")
    Amount.objects.filter(pk=amount.pk).update(untaxed=Decimal("108.00"), tax=Decimal("5.00"))
    judge(customer.service)
    row = row_of(customer)
    assert (row.status, row.external_amount) == (Status.DELTA, 113)
    assert row.reopened_because == "external tax 13.00 → 5.00"


def test_a_resolution_stays_while_nothing_moves(customer, finance):
    odoo(customer, "150.00", "19.50")
    external(customer, "100.00", "13.00", "113.00")
    judge(customer.service)
    row = row_of(customer)
    resolve(reconciliation_ids=[row.pk], actor=finance, reason="Agreed.")
    judge(customer.service)
    assert row_of(customer).status == Status.RESOLVED
