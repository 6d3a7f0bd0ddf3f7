"""Two people at the same moment: a cutover is decided once, and what follows from it is of that decision."""

from threading import Barrier, Event, Thread

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from ingest.configuration import configure
from ingest.errors import DomainError
from ingest.models import AuditRecord, BillerTerm, Phase
from reconciliation import cutover
from reconciliation.cutover import activate_due, reject, request_cutover, roll_back
from reconciliation.models import CutoverRequest, Delivery
from reconciliation.readiness import read_readiness
from tests import factories
from tests.reconciliation.ready import DECEMBER, EFFECTIVE, NOVEMBER, approve, phase_of, terms

pytestmark = pytest.mark.django_db(transaction=True)


def start(work, outcomes):
    """Does it in a thread with a connection of its own; what came of it, a code where it was refused, is kept."""

    def run():
        try:
            outcomes.append(work())
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def at_once(*works):
    """All of them let go at the same moment; returns what came of each."""
    barrier, outcomes = Barrier(len(works)), []

    def begin(work):
        barrier.wait(10)
        return work()

    threads = [start(lambda work=work: begin(work), outcomes) for work in works]
    for thread in threads:
        thread.join(60)
    return outcomes


@pytest.fixture
def subscription(ready_service):
    factories.WebhookEndpointFactory(service=ready_service)
    return ready_service.subscriptions.get()


@pytest.fixture
def held_up(monkeypatch):
    """An approval that has switched every subscription and waits to be let go before it commits."""
    has_switched, may_go = Event(), Event()
    announce = cutover._announce

    def wait(request, webhook_type):
        if webhook_type == "cutover.approved":
            has_switched.set()
            assert may_go.wait(30)
        announce(request, webhook_type)

    monkeypatch.setattr(cutover, "_announce", wait)
    return has_switched, may_go


def during_approval(held_up, approval, *works):
    """Begins the works while the approval is under way; returns its outcome and theirs."""
    has_switched, may_go = held_up
    first, others = [], []
    threads = [start(approval, first)]
    assert has_switched.wait(60)
    threads += [start(work, others) for work in works]
    for thread in threads[1:]:
        thread.join(0.5)
    assert others == [], "they wait for the decision"
    may_go.set()
    for thread in threads:
        thread.join(60)
    return first, others


def test_two_managers_approve_once(requested, subscription, manager, manager2):
    seen = read_readiness(service=requested.service, effective_date=EFFECTIVE).digest
    outcomes = at_once(
        *(
            lambda actor=actor: cutover.approve(request_id=requested.pk, actor=actor, seen=seen).status
            for actor in (manager, manager2)
        )
    )
    assert sorted(outcomes) == ["approved", "wrong_status"]
    assert terms(subscription) == [("odoo", NOVEMBER)]
    assert AuditRecord.objects.filter(action="cutover.approve").count() == 1
    assert Delivery.objects.filter(webhook_type="cutover.approved").count() == 1


def test_one_approves_and_one_rejects_and_one_of_both_it_is(requested, subscription, manager, manager2):
    seen = read_readiness(service=requested.service, effective_date=EFFECTIVE).digest
    outcomes = at_once(
        lambda: cutover.approve(request_id=requested.pk, actor=manager, seen=seen).status,
        lambda: reject(request_id=requested.pk, actor=manager2, comment="One more month.").status,
    )
    assert outcomes.count("wrong_status") == 1
    requested.refresh_from_db()
    is_approved = requested.status == "approved"
    assert requested.status in outcomes
    assert requested.decided_by == (manager if is_approved else manager2)
    assert phase_of(requested) == (Phase.APPROVED if is_approved else Phase.DUAL_RUN)
    assert terms(subscription) == ([("odoo", NOVEMBER)] if is_approved else [])


def test_a_rollback_during_an_approval_comes_after_it(requested, subscription, manager, manager2, held_up):
    first, others = during_approval(
        held_up,
        lambda: approve(request_id=requested.pk, actor=manager).status,
        lambda: roll_back(request_id=requested.pk, actor=manager2, reason="Stop.").status,
    )
    assert (first, others) == (["approved"], ["rolled_back"])
    assert (phase_of(requested), terms(subscription)) == (Phase.DUAL_RUN, [])
    told = list(Delivery.objects.order_by("pk").values_list("webhook_type", flat=True))
    assert told == ["cutover.approved", "cutover.rolled_back"]


def test_during_an_approval_nobody_rejects_or_asks_again(requested, manager, manager2, finance, held_up):
    first, others = during_approval(
        held_up,
        lambda: approve(request_id=requested.pk, actor=manager).status,
        lambda: reject(request_id=requested.pk, actor=manager2, comment="No.").status,
        lambda: (
            request_cutover(
                service=requested.service, effective_date=EFFECTIVE, comment="", actor=finance
            ).status
        ),
    )
    assert first == ["approved"]
    assert sorted(others) == ["not_in_dual_run", "wrong_status"]
    assert CutoverRequest.objects.get().status == "approved"


def test_during_an_approval_nobody_loosens_its_rules(requested, manager, operator, held_up):
    first, others = during_approval(
        held_up,
        lambda: approve(request_id=requested.pk, actor=manager).status,
        lambda: configure(service=requested.service, values={"grace_hours": 48}, actor=operator)[0],
    )
    assert (first, others) == (["approved"], ["grace_hours"])
    rules = {rule["name"]: rule["value"] for rule in CutoverRequest.objects.get().readiness["rules"]}
    assert rules["hours of grace"] == "24", "it was decided on what held then"


def test_a_sweep_and_a_rollback_at_once_leave_what_odoo_has_begun_with_odoo(
    approved, subscription, manager2, clock
):
    clock.move_to(NOVEMBER.replace(day=10))
    outcomes = at_once(
        lambda: activate_due(now=NOVEMBER.replace(day=10)),
        lambda: roll_back(request_id=approved.pk, actor=manager2, reason="Stop.").status,
    )
    assert "rolled_back" in outcomes
    assert (phase_of(approved), terms(subscription)) == (
        Phase.DUAL_RUN,
        [("odoo", NOVEMBER), ("service", DECEMBER)],
    )
    activate_due(now=DECEMBER)
    assert phase_of(approved) == Phase.DUAL_RUN


def test_who_asked_is_refused_in_every_session_of_theirs(ready_service, finance_manager):
    ask, decide = Client(), Client()
    for client in (ask, decide):
        client.force_login(finance_manager)
    address = reverse("admin:ingest_service_request_cutover", args=[ready_service.pk])
    ask.post(address, {"effective_date": EFFECTIVE.isoformat(), "comment": "Mine."})
    request = CutoverRequest.objects.get()
    seen = read_readiness(service=ready_service, effective_date=EFFECTIVE).digest
    for action in ("approve", "reject"):
        address = reverse(f"admin:reconciliation_cutoverrequest_{action}", args=[request.pk])
        decide.post(address, {"reason": "Mine.", "version": seen})
    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("requested", None)
    assert not BillerTerm.objects.exists()
