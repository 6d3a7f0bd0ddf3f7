"""Triage: who may explain a delta, on which figures, and what is on the record for it."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction

from ingest.errors import DomainError
from ingest.models import AuditRecord
from ingest.services import lock_service
from reconciliation.documents import digest_of
from reconciliation.models import Reconciliation
from reconciliation.triage import assign, reopen, resolve
from tests import factories
from tests.reconciliation.sides import change, external, judge, odoo

pytestmark = pytest.mark.django_db

OTHERS = ("manager", "operator", "auditor", "outsider")


@pytest.fixture
def row():
    return factories.ReconciliationFactory(odoo_untaxed=95)


@pytest.fixture
def resolved(row, finance):
    resolve(reconciliation_ids=[row.pk], actor=finance, reason="A credit note follows.")
    row.refresh_from_db()
    return row


def refused_with(code, call, **arguments):
    before = list(Reconciliation.objects.order_by("pk").values())
    records = AuditRecord.objects.count()
    with pytest.raises(DomainError) as refused:
        call(**arguments)
    assert refused.value.code == code
    assert list(Reconciliation.objects.order_by("pk").values()) == before
    assert AuditRecord.objects.count() == records


class TestResolving:
    def test_a_delta_is_resolved_with_its_reason_and_the_figures_on_the_record(self, row, finance):
        assert resolve(reconciliation_ids=[row.pk], actor=finance, reason="  A credit note follows. ") == 1
        row.refresh_from_db()
        assert (row.status, row.reason, row.resolved_by) == ("resolved", "A credit note follows.", finance)
        assert row.resolved_at is not None
        assert row.version == 2
        record = AuditRecord.objects.get()
        figures = {
            "odoo_amount": "95",
            "external_amount": "100.00",
            "delta": "-5.00",
            "currency": "CAD",
            "outcome": "compared",
        }
        assert (record.action, record.actor, record.service) == (
            "reconciliation.resolve",
            finance,
            row.service,
        )
        assert (record.before, record.reason) == ({"status": "delta"}, "A credit note follows.")
        assert record.after == {"status": "resolved", **figures}
        assert record.evidence_digest == digest_of(figures)

    @pytest.mark.parametrize(
        "outcome", ["missing_odoo", "missing_external", "stale", "unlinked", "other_currency"]
    )
    def test_what_could_not_be_compared_is_explained_the_same_way(self, finance, outcome):
        values = {
            "missing_odoo": {"odoo_untaxed": None},
            "missing_external": {"external_untaxed": None},
        }.get(outcome, {"outcome": outcome, "status": "delta"})
        row = factories.ReconciliationFactory(**values)
        assert resolve(reconciliation_ids=[row.pk], actor=finance, reason="Known.") == 1

    @pytest.mark.parametrize("reason", ["", "   ", "\n"])
    def test_without_a_reason_it_is_refused(self, row, finance, reason):
        refused_with("reason_required", resolve, reconciliation_ids=[row.pk], actor=finance, reason=reason)

    def test_many_rows_are_resolved_with_one_reason_and_a_record_each(self, finance):
        rows = [factories.ReconciliationFactory(odoo_untaxed=95) for _ in range(3)]
        assert resolve(reconciliation_ids=[row.pk for row in rows], actor=finance, reason="Rounding.") == 3
        assert set(Reconciliation.objects.values_list("status", "reason")) == {("resolved", "Rounding.")}
        assert AuditRecord.objects.count() == 3

    @pytest.mark.parametrize("values", [{}, {"odoo_untaxed": 95, "status": "resolved"}])
    def test_one_row_that_is_no_open_delta_refuses_all(self, row, finance, values):
        if values:
            values = {**values, "reason": "x", "resolved_by": finance, "resolved_at": factories.SEEN_AT}
        other = factories.ReconciliationFactory(**values)
        refused_with(
            "not_open", resolve, reconciliation_ids=[row.pk, other.pk], actor=finance, reason="Known."
        )

    def test_a_row_that_is_not_there_refuses_all(self, row, finance):
        refused_with(
            "not_found", resolve, reconciliation_ids=[row.pk, 999_999], actor=finance, reason="Known."
        )

    def test_the_same_row_twice_is_one_decision(self, row, finance):
        assert resolve(reconciliation_ids=[row.pk, row.pk], actor=finance, reason="Known.") == 1

    def test_figures_that_changed_since_the_person_looked_refuse(self, finance):
        customer = factories.CustomerFactory()
        amount = odoo(customer, "95.00")
        external(customer)
        judge(customer.service)
        seen = {row.pk: row.version for row in Reconciliation.objects.all()}
        change(amount, "1.00")
        judge(customer.service)
        refused_with(
            "stale", resolve, reconciliation_ids=list(seen), actor=finance, reason="Known.", versions=seen
        )

    def test_a_version_that_was_not_given_counts_as_not_seen(self, row, finance):
        refused_with(
            "stale", resolve, reconciliation_ids=[row.pk], actor=finance, reason="Known.", versions={}
        )

    def test_the_version_that_was_seen_is_accepted(self, row, finance):
        versions = {row.pk: row.version}
        assert resolve(reconciliation_ids=[row.pk], actor=finance, reason="Known.", versions=versions) == 1

    @pytest.mark.parametrize("person", OTHERS, indirect=True)
    def test_nobody_but_finance_resolves(self, row, person):
        refused_with("permission_denied", resolve, reconciliation_ids=[row.pk], actor=person, reason="Known.")


class TestReopening:
    def test_a_resolved_row_is_opened_again_with_a_reason(self, resolved, finance):
        reopen(reconciliation_id=resolved.pk, actor=finance, reason="The credit note was voided.")
        resolved.refresh_from_db()
        assert (resolved.status, resolved.version) == ("delta", 3)
        assert resolved.reopened_because == "finance: The credit note was voided."
        assert resolved.reopened_at is not None
        record = AuditRecord.objects.first()
        assert (record.action, record.before) == ("reconciliation.reopen", {"status": "resolved"})
        assert record.reason == "The credit note was voided."

    def test_it_can_be_resolved_again(self, resolved, finance):
        reopen(reconciliation_id=resolved.pk, actor=finance, reason="Again.")
        assert resolve(reconciliation_ids=[resolved.pk], actor=finance, reason="Now.") == 1

    def test_only_a_resolved_row_is_opened(self, row, finance):
        refused_with("not_resolved", reopen, reconciliation_id=row.pk, actor=finance, reason="Why not.")

    def test_without_a_reason_it_is_refused(self, resolved, finance):
        refused_with("reason_required", reopen, reconciliation_id=resolved.pk, actor=finance, reason=" ")

    def test_a_stale_version_is_refused(self, resolved, finance):
        refused_with("stale", reopen, reconciliation_id=resolved.pk, actor=finance, reason="x", version=1)

    @pytest.mark.parametrize("person", OTHERS, indirect=True)
    def test_nobody_but_finance_reopens(self, resolved, person):
        refused_with("permission_denied", reopen, reconciliation_id=resolved.pk, actor=person, reason="x")


class TestAssigning:
    def test_rows_are_given_to_somebody_and_to_nobody(self, row, finance, finance_manager):
        assert assign(reconciliation_ids=[row.pk], actor=finance, owner=finance_manager) == 1
        row.refresh_from_db()
        assert (row.owner, row.version, row.status) == (finance_manager, 2, "delta")
        record = AuditRecord.objects.first()
        assert (record.action, record.actor) == ("reconciliation.assign", finance)
        assert (record.before, record.after) == ({"owner": None}, {"owner": "finance_manager"})
        assert assign(reconciliation_ids=[row.pk], actor=finance, owner=None) == 1
        assert AuditRecord.objects.first().before == {"owner": "finance_manager"}

    def test_giving_a_row_to_its_owner_changes_nothing(self, row, finance):
        assign(reconciliation_ids=[row.pk], actor=finance, owner=finance)
        assert assign(reconciliation_ids=[row.pk], actor=finance, owner=finance) == 0
        assert AuditRecord.objects.count() == 1

    @pytest.mark.parametrize("person", OTHERS, indirect=True)
    def test_nobody_but_finance_gives_or_takes(self, row, finance, person):
        for actor, owner in ((person, finance), (finance, person)):
            refused_with("permission_denied", assign, reconciliation_ids=[row.pk], actor=actor, owner=owner)


@pytest.mark.django_db(transaction=True)
def test_a_resolution_waits_for_its_turn_on_the_service(finance):
    """A judgement writes the same rows in an order of its own: without turns they would lock each other out."""
    row = factories.ReconciliationFactory(odoo_untaxed=95)
    has_begun, may_end, outcome = Event(), Event(), []

    def judge_slowly():
        with transaction.atomic():
            lock_service(row.service_id)
            has_begun.set()
            may_end.wait(5)
        connection.close()

    def resolve_meanwhile():
        outcome.append(resolve(reconciliation_ids=[row.pk], actor=finance, reason="Known."))
        connection.close()

    judging, resolving = Thread(target=judge_slowly), Thread(target=resolve_meanwhile)
    judging.start()
    assert has_begun.wait(5)
    resolving.start()
    resolving.join(0.3)
    assert resolving.is_alive()
    may_end.set()
    judging.join(5)
    resolving.join(5)
    assert outcome == [1]
