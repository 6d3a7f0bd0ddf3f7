"""Subscribing at the same time, on real sessions: one outcome, whoever comes first, and never a fault."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from ingest.customers import delete_customer, upsert_customer
from ingest.errors import DomainError
from ingest.models import Customer, Subscription, SubscriptionStatus
from ingest.subscriptions import end_subscription, subscribe
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8
RULE = "API key bc_…"


@pytest.fixture
def service():
    service = factories.ServiceFactory()
    for code, amount in (("basic", 10), ("pro", 50), ("max", 90)):
        factories.PlanFactory(service=service, code=code, amount=amount)
    return service


def post(service, plan, customer="acme", **values):
    return lambda: subscribe(
        service_id=service.pk,
        external_customer_id=customer,
        plan_code=plan,
        external_id="s",
        values=values,
        rule=RULE,
    )


def run_at_once(*calls):
    """What each call returned, or the code it was refused with; each has a thread and a session of its own."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            connection.ensure_connection()
            barrier.wait(10)
            return call()
        except DomainError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def chain():
    """The subscriptions that run or ran, each ending where the next begins."""
    rows = list(Subscription.objects.filter(canceled_at=None).order_by("started_at"))
    for old, new in itertools.pairwise(rows):
        assert old.terminated_at == new.started_at
        assert new.previous_id == old.pk
    return [row.plan.code for row in rows]


def test_posted_at_once_there_is_one_subscription_of_one_customer(service):
    answers = run_at_once(*[post(service, "pro")] * THREADS)
    assert len({answer.pk for answer in answers}) == 1
    assert (Customer.objects.count(), Subscription.objects.count()) == (1, 1)


def test_posted_at_once_by_several_customers_one_gets_it_and_the_others_are_refused(service):
    answers = run_at_once(*[post(service, "pro", f"customer-{number}") for number in range(THREADS)])
    assert answers.count("external_id_is_taken") == THREADS - 1
    assert (Customer.objects.count(), Subscription.objects.count()) == (1, 1), "a refusal leaves nothing"


def test_upgraded_at_once_it_is_upgraded_once(service):
    post(service, "basic")()
    answers = run_at_once(*[post(service, "pro")] * THREADS)
    assert len({answer.pk for answer in answers}) == 1
    assert chain() == ["basic", "pro"]


def test_upgraded_to_two_plans_at_once_the_chain_has_no_gap(service):
    post(service, "basic")()
    run_at_once(post(service, "pro"), post(service, "max"))
    assert chain() in (["basic", "pro", "max"], ["basic", "max", "pro"])


def test_downgraded_at_once_one_waits(service):
    post(service, "max")()
    run_at_once(*[post(service, "basic")] * THREADS, *[post(service, "pro")] * THREADS)
    assert chain() in (["max", "basic"], ["max", "pro"])


def test_upgraded_and_ended_at_once_what_runs_has_a_whole_past(service):
    first = post(service, "basic")()
    run_at_once(post(service, "pro"), lambda: end_subscription(subscription=first, values={}, rule=RULE))
    now = timezone.now()
    rows = Subscription.objects.order_by("started_at")
    assert sum(row.status_at(now) == SubscriptionStatus.ACTIVE for row in rows) <= 1
    assert rows[0].terminated_at is not None


def test_ended_at_once_it_ends_once(service):
    first = post(service, "basic")()
    ends = [lambda: end_subscription(subscription=first, values={}, rule=RULE)] * THREADS
    assert run_at_once(*ends).count("unknown_subscription") == THREADS - 1


def test_a_customer_that_is_deleted_at_once_keeps_nothing_that_runs_unless_it_came_back(service):
    first = post(service, "basic")()
    run_at_once(
        lambda: delete_customer(customer=first.customer, rule=RULE), *[post(service, "pro")] * THREADS
    )
    customer = Customer.objects.get()
    running = [row for row in Subscription.objects.all() if row.status_at(timezone.now()) == "active"]
    assert len(running) == (0 if customer.deleted_at else 1)


def test_a_customer_that_is_posted_at_once_is_one(service):
    calls = [
        lambda name=str(number): upsert_customer(
            service_id=service.pk, values={"external_id": "acme", "name": name}, rule=RULE
        )
        for number in range(THREADS)
    ]
    run_at_once(*calls)
    assert Customer.objects.count() == 1


def test_a_start_that_is_far_away_waits_for_nobody(service):
    later = datetime(2100, 1, 1, tzinfo=UTC)
    run_at_once(*[post(service, plan, subscription_at=later) for plan in ("basic", "pro", "max")])
    row = Subscription.objects.get()
    assert (row.started_at, row.terminated_at) == (later, None)
    assert row.created_at > timezone.now() - timedelta(minutes=5)
