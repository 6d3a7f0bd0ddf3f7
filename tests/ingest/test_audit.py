"""The one writer of audit records: who, what, from what to what, and why."""

import pytest
from django.db import transaction

from ingest import audit
from ingest.models import AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_record_says_who_did_what_to_what_from_what_to_what_and_why(finance):
    row = factories.ReconciliationFactory()
    entry = audit.record(
        actor=finance,
        action="reconciliation.resolve",
        target=row,
        service=row.service,
        before={"status": "delta"},
        after={"status": "resolved", "delta": "-5.70"},
        reason="A credit note follows.",
        evidence_digest="d" * 64,
    )
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_label) == (finance, "Finance")
    assert (entry.object_type, entry.object_id) == ("reconciliation.reconciliation", str(row.public_id))
    assert (entry.object_label, entry.service) == (str(row), row.service)
    assert (entry.before, entry.after) == ({"status": "delta"}, {"status": "resolved", "delta": "-5.70"})
    assert (entry.reason, entry.evidence_digest) == ("A credit note follows.", "d" * 64)


@pytest.mark.parametrize(
    ("rule", "label"), [("effective date reached", "effective date reached"), ("", "console")]
)
def test_what_no_person_decided_names_its_rule(rule, label):
    service = factories.ServiceFactory()
    entry = audit.record(actor=None, action="service.go_live", target=service, rule=rule)
    assert (entry.actor, entry.actor_label, entry.before, entry.after) == (None, label, {}, {})


def test_a_person_goes_by_name_whatever_rule_there_is(manager):
    entry = audit.record(actor=manager, action="x", target=factories.ServiceFactory(), rule="schedule")
    assert entry.actor_label == "Manager"


def test_names_that_are_too_long_are_cut_and_the_decision_stands():
    person = factories.UserFactory(first_name="A" * 150, last_name="B" * 150)
    target = factories.CustomerFactory(name="C" * 255)
    subscription = factories.SubscriptionFactory(customer=target, external_id="S" * 255)
    assert audit.record(actor=person, action="x", target=subscription).actor_label == "A" * 150
    row = factories.ReconciliationFactory(customer=target)
    assert len(audit.record(actor=person, action="x", target=row).object_label) == 255


def test_many_decisions_are_recorded_in_one_statement(django_assert_num_queries, manager):
    decisions = [
        audit.Decision(actor=manager, action="x", target=service, service=service, reason="all at once")
        for service in factories.ServiceFactory.create_batch(3)
    ]
    with django_assert_num_queries(1):
        assert audit.record_all(decisions) == 3
    assert {entry.reason for entry in AuditRecord.objects.all()} == {"all at once"}
    assert AuditRecord.objects.first().created_at is not None


def test_a_decision_that_fails_leaves_no_record():
    @transaction.atomic
    def decide_badly():
        audit.record(actor=None, action="x", target=factories.ServiceFactory())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide_badly()
    assert not AuditRecord.objects.exists()
