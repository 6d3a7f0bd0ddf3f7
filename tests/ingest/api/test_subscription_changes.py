"""Subscriptions over the API: read, changed and ended, each by its own service (Lago: subscriptions)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.models import AuditRecord, Subscription
from tests import factories
from tests.ingest.api.refusals import refused
from tests.ingest.api.subscribing import gone, shown

pytestmark = pytest.mark.django_db


class TestChanging:
    @pytest.fixture
    def change(self, call):
        def change(status="active", **fields):
            return call("PUT", f"subscriptions/s?status={status}", {"subscription": fields})

        return change

    def test_what_is_given_changes(self, subscribe, change):
        shown(subscribe(name="Main", purchase_order_number="PO-1"))
        found = shown(change(name="Other", ending_at="2027-01-01", on_termination_invoice="skip"))
        assert (found["name"], found["ending_at"]) == ("Other", "2027-01-01T00:00:00Z")
        assert (found["on_termination_invoice"], found["purchase_order_number"]) == ("skip", "PO-1")
        assert Subscription.objects.get().terminated_at == datetime(2027, 1, 1, tzinfo=UTC)
        found = shown(change(ending_at="", name=None))
        assert (found["ending_at"], found["name"]) == (None, "Other")
        assert Subscription.objects.get().terminated_at is None

    def test_the_start_of_one_that_has_begun_stays(self, subscribe, change):
        before = shown(subscribe())
        assert shown(change(subscription_at="2026-12-01")) == before

    def test_the_start_of_one_that_is_pending_moves(self, subscribe, change):
        shown(subscribe(subscription_at="2026-12-01", ending_at="2027-03-01"))
        found = shown(change("pending", subscription_at="2026-11-15"))
        assert found["subscription_at"] == "2026-11-15T00:00:00Z"
        assert refused(change("pending", subscription_at="2027-03-01")) == {"ending_at": ["invalid_date"]}
        found = shown(change("pending", subscription_at="2026-10-10"))
        assert (found["status"], found["started_at"]) == ("active", "2026-10-10T00:00:00.000Z")

    @pytest.mark.parametrize("ending_at", ["2026-10-20T12:00:00Z", "2026-10-01", "x"])
    def test_an_end_must_be_ahead(self, subscribe, change, ending_at):
        shown(subscribe())
        assert refused(change(ending_at=ending_at)) == {"ending_at": ["invalid_date"]}

    def test_an_end_before_the_downgrade_cancels_it(self, subscribe, change, call):
        shown(subscribe("pro"))
        shown(subscribe("basic"))
        found = shown(change(ending_at="2026-10-25"))
        assert (found["next_plan_code"], found["ending_at"]) == (None, "2026-10-25T00:00:00Z")
        assert Subscription.objects.get(canceled_at=None).terminated_at == datetime(2026, 10, 25, tzinfo=UTC)

    def test_an_end_after_the_downgrade_is_the_chains(self, subscribe, change, call):
        shown(subscribe("pro"))
        shown(subscribe("basic"))
        shown(change(ending_at="2026-12-25"))
        old, new = Subscription.objects.order_by("started_at")
        assert old.terminated_at == new.started_at
        assert new.terminated_at == old.ending_at == datetime(2026, 12, 25, tzinfo=UTC)

    def test_what_is_over_does_not_change(self, subscribe, change, call, clock):
        shown(subscribe())
        clock.shift(1)
        call("DELETE", "subscriptions/s")
        assert gone(change(name="Late"))
        assert gone(change("terminated", name="Late"))


class TestEnding:
    def test_it_ends_now(self, subscribe, call, clock):
        shown(subscribe())
        clock.shift(timedelta(days=2))
        ended = shown(call("DELETE", "subscriptions/s?on_termination_invoice=skip"))
        assert (ended["status"], ended["terminated_at"]) == ("terminated", "2026-10-22T12:00:00Z")
        assert ended["on_termination_invoice"] == "skip"
        assert gone(call("DELETE", "subscriptions/s"))
        assert AuditRecord.objects.filter(action="subscription.terminate").count() == 1

    def test_what_was_to_follow_is_canceled(self, subscribe, call):
        shown(subscribe("pro"))
        shown(subscribe("basic"))
        shown(call("DELETE", "subscriptions/s"))
        assert gone(call("GET", "subscriptions/s?status=pending"))
        assert shown(call("GET", "subscriptions/s?status=canceled"))["plan_code"] == "basic"

    def test_one_that_is_pending_is_canceled(self, subscribe, call):
        shown(subscribe(subscription_at="2026-12-01"))
        assert gone(call("DELETE", "subscriptions/s"))
        assert shown(call("DELETE", "subscriptions/s?status=pending"))["status"] == "canceled"
        assert shown(subscribe())["status"] == "active", "its id is free"

    def test_a_word_that_says_nothing_is_refused(self, subscribe, call):
        shown(subscribe())
        answer = call("DELETE", "subscriptions/s?on_termination_credit_note=maybe")
        assert refused(answer) == {"on_termination_credit_note": ["value_is_invalid"]}
        assert Subscription.objects.get().terminated_at is None


class TestLists:
    @pytest.fixture(autouse=True)
    def subscriptions(self, subscribe, call, clock):
        shown(subscribe("pro", "a"))
        clock.shift(timedelta(seconds=1))
        shown(subscribe("basic", "b", "bolt", billing_entity_code="eu"))
        shown(subscribe("basic", "c", subscription_at="2027-01-01"))
        shown(subscribe("basic", "d", "bolt"))
        shown(subscribe("year", "e", "bolt", subscription_at="2027-01-01"))
        clock.shift(1)
        call("DELETE", "subscriptions/d")
        call("DELETE", "subscriptions/e?status=pending")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", "ab"),
            ("status[]=pending", "c"),
            ("status[]=terminated", "d"),
            ("status[]=canceled", "e"),
            ("status[]=pending&status[]=active&status[]=canceled&status[]=terminated", "abcde"),
            ("status=pending", "c"),
            ("status[]=unheard", ""),
            ("external_customer_id=bolt", "b"),
            ("plan_code=pro", "a"),
            ("external_id=b", "b"),
            ("currency=CAD", "ab"),
            ("currency=EUR", ""),
            ("billing_entity_codes[]=eu", "b"),
            ("overridden=true", ""),
            ("overridden=false", "ab"),
        ],
    )
    def test_a_list_is_of_the_active_ones_unless_told(self, call, query, found):
        answer = call("GET", f"subscriptions?{query}").json()
        assert sorted(row["external_id"] for row in answer["subscriptions"]) == list(found)
        assert answer["meta"]["total_count"] == len(found)

    def test_a_list_has_pages_the_newest_first(self, call):
        answer = call("GET", "subscriptions?page=2&per_page=1").json()
        assert [row["external_id"] for row in answer["subscriptions"]] == ["a"]

    def test_the_number_of_queries_does_not_grow(self, subscribe, call, clock, monkeypatch):
        # However fast this runs, each call looks its key up.
        monkeypatch.setattr("ingest.keys.TRUST_SECONDS", 0)
        monkeypatch.setattr("ingest.keys._trusted", {})

        def count():
            with CaptureQueriesContext(connection) as queries:
                call("GET", "subscriptions")
            return len(queries)

        before = count()
        for number in range(5):
            shown(subscribe("basic", f"more-{number}", f"customer-{number}"))
            clock.shift(1)
            shown(subscribe("pro", f"more-{number}", f"customer-{number}"))
            shown(subscribe("basic", f"more-{number}", f"customer-{number}"))
        assert count() == before


def test_another_services_subscription_does_not_exist(call, subscribe):
    theirs = factories.SubscriptionFactory(external_id="s", customer__external_id="acme")
    before = Subscription.objects.filter(pk=theirs.pk).values().get()
    assert gone(call("GET", "subscriptions/s"))
    assert gone(call("DELETE", "subscriptions/s"))
    assert gone(call("PUT", "subscriptions/s", {"subscription": {"name": "Mine"}}))
    assert call("GET", "subscriptions").json()["subscriptions"] == []
    assert shown(subscribe())["lago_id"] != str(theirs.public_id)
    assert Subscription.objects.filter(pk=theirs.pk).values().get() == before


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_there_is_no_other_way(call, method):
    answer = call(method, "subscriptions/s", {"subscription": {}})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
