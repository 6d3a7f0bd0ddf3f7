"""What is to be written to Odoo: planned once, replaced by what is newer, emptied or withdrawn when it is gone."""

import pytest
from django.utils import timezone

from ingest.models import AuditRecord
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.models import Amount, Push
from tests import factories

LABEL = factories.PERIOD_LABEL


@pytest.fixture
def customer(world):
    """A customer with 30.86 of API calls, 4.10 of storage and a full plan fee."""
    return world.make_billed_customer()


class TestPlanning:
    def test_an_intent_is_stored_with_who_asked_and_an_audit_record(self, world, customer, finance):
        run = factories.RunFactory(service=world.service)
        plan = world.plan_pushes(actor=finance, run=run)
        assert (plan.created, plan.unchanged, plan.refusals) == (1, 0, [])
        row = Push.objects.get()
        assert (row.status, row.version, row.attempts) == ("pending", 1, 0)
        assert (row.requested_by, row.run, row.period_label) == (finance, run, LABEL)
        assert row.digest == QuotationDraft.from_payload(row.payload).digest()
        record = AuditRecord.objects.get()
        assert (record.action, record.actor, record.after) == (
            "push.request",
            finance,
            {"version": 1, "lines": 3},
        )
        assert (record.object_id, record.evidence_digest) == (str(row.public_id), row.digest)

    def test_planning_again_stores_nothing(self, world, customer):
        world.plan_pushes()
        plan = world.plan_pushes()
        assert (plan.created, plan.unchanged) == (0, 1)
        assert (Push.objects.count(), AuditRecord.objects.count()) == (1, 1)

    def test_a_dry_run_counts_and_stores_nothing(self, world, customer):
        plan = world.plan_pushes(is_dry=True)
        assert plan.created == 1
        assert not Push.objects.exists()
        assert not AuditRecord.objects.exists()

    def test_a_newer_intent_takes_the_place_of_one_that_waits(self, world, customer):
        world.plan_pushes()
        world.rate(customer, api="31.07")
        world.plan_pushes()
        assert world.statuses(customer) == ["superseded", "pending"]
        assert world.latest(customer).version == 2

    def test_only_the_chosen_customers_are_planned(self, world, customer):
        other = world.make_customer()
        world.rate(other, api="1.00")
        assert world.plan_pushes(customers=[other.pk]).created == 1
        assert Push.objects.get().customer == other

    def test_a_failed_intent_is_queued_again_when_it_is_still_meant(self, world, customer):
        world.plan_pushes()
        Push.objects.update(status="failed", attempts=12, settled_at=timezone.now())
        assert world.plan_pushes().created == 1
        row = Push.objects.get()
        assert (row.status, row.attempts, row.version, row.settled_at) == ("pending", 0, 1, None)

    def test_a_bill_that_holds_nothing_any_more_is_emptied(self, world, customer):
        world.push_now()
        assert world.held(world.latest(customer)) == {"api": "30.86", "sto": "4.10", "plan": "99.00"}
        for fee in customer.subscriptions.get().fees.all():
            type(fee).objects.filter(pk=fee.pk).update(amount=0, exact_amount=0, quantity=0, events_count=0)
        assert world.push_now() == {"done": 1}
        assert world.held(world.latest(customer)) == {}
        assert world.quotations() == (1, 0)
        assert Amount.objects.get(is_current=True).total == 0
        assert world.plan_pushes().unchanged == 1

    @pytest.mark.parametrize("status", ["pending", "failed"])
    def test_a_bill_that_odoo_never_held_is_withdrawn_when_it_holds_nothing_any_more(
        self, world, customer, status
    ):
        world.plan_pushes()
        Push.objects.update(status=status)
        factories.BillerTermFactory(
            subscription=customer.subscriptions.get(), starts_at=factories.PERIOD_START
        )
        plan = world.plan_pushes(is_dry=True)
        assert (plan.created, world.statuses(customer)) == (0, [status])
        assert world.plan_pushes().created == 0
        assert world.statuses(customer) == ["superseded"]
        assert world.send() == {}

    def test_a_refused_bill_is_not_emptied(self, world, customer):
        world.push_now()
        customer.odoo_partner_id = None
        customer.save()
        plan = world.plan_pushes()
        assert (plan.created, [refused.code for refused in plan.refusals]) == (0, ["unlinked"])

    def test_planning_takes_as_many_statements_for_many_as_for_few(
        self, world, django_assert_max_num_queries
    ):
        for each in world.make_customers(40):
            world.rate(each, api="1.00", sto="2.00")
        with django_assert_max_num_queries(16):
            assert world.plan_pushes().created == 40
