"""Moving many pushes at once: in as many statements as one, and each only by the worker that holds it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reconciliation import push
from reconciliation.models import Amount, Push, PushStatus, SourceDocument
from reconciliation.push_moves import Move, move_all


@pytest.fixture
def claimed(world):
    """Three pushes that this worker holds."""
    for each in world.make_customers(3):
        world.rate(each, api="30.00")
    world.plan_pushes()
    return push.claim_due(service=world.service, now=timezone.now())


def count_statements(world, customers):
    for each in world.make_customers(customers):
        world.rate(each, api="30.00")
    world.plan_pushes()
    with CaptureQueriesContext(connection) as captured:
        assert world.send() == {"done": customers}
    return len(captured)


def test_thirty_pushes_are_claimed_settled_and_kept_in_as_many_statements_as_three(world):
    few = count_statements(world, 3)
    assert count_statements(world, 30) == few
    assert SourceDocument.objects.count() == Amount.objects.filter(is_current=True).count() == 33


def test_each_attempt_has_a_next_time_of_its_own(claimed):
    assert len({row.next_attempt_at for row in claimed}) == 3
    assert {row.attempts for row in claimed} == {1}
    stored = Push.objects.in_bulk()
    assert all(stored[row.pk].next_attempt_at == row.next_attempt_at for row in claimed)


def test_of_a_batch_only_what_this_worker_still_holds_is_moved(claimed):
    mine, settled, renewed = claimed
    Push.objects.filter(pk=settled.pk).update(status=PushStatus.UNKNOWN)
    Push.objects.filter(pk=renewed.pk).update(leased_until=renewed.leased_until + timedelta(hours=1))

    moved = move_all(Move(row, PushStatus.FAILED, "refused", "No.") for row in claimed)

    assert moved == [mine]
    assert [row.status for row in claimed] == ["failed", "unknown", "sending"], "as they are stored"
    assert list(Push.objects.order_by("pk").values_list("status", "error_code")) == [
        ("failed", "refused"), ("unknown", ""), ("sending", ""),
    ]  # fmt: skip


def test_what_would_wait_while_a_newer_version_stands_for_it_is_superseded(world, claimed):
    old, other = claimed[0], claimed[1]
    world.rate(old.customer, api="31.00")
    world.plan_pushes()

    moved = move_all([Move(old, PushStatus.PENDING, "reset", "Again."), Move(other, PushStatus.PENDING)])

    assert moved == [old, other]
    assert [row.status for row in moved] == ["superseded", "pending"]
    assert world.statuses(old.customer) == ["superseded", "pending"]
    assert (old.settled_at is None, other.settled_at) == (False, None)


@pytest.mark.django_db
def test_moving_nothing_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert move_all([]) == []
