"""What became of an event can be read, one by one and counted by sender; a duplicate counts though not stored."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ingest import keys
from ingest.models import Resend, UsageEvent
from ingest.resends import count_resends, read_resends
from tests import factories
from tests.ingest.api.conftest import make_event
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription(service):
    """A subscription whose plan sells the metric `api`."""
    subscription = factories.SubscriptionFactory(customer__service=service, external_id="sub-1")
    metric = factories.MetricFactory(service=service, code="api")
    factories.ChargeFactory(plan=subscription.plan, metric=metric)
    return subscription


@pytest.fixture
def counted(call):
    """The counts that are not zero, and the whole answer."""

    def counted(query=""):
        answer = call("GET", f"events/verdicts{query}").json()["verdicts"]
        return {name: count for name, count in answer["counts"].items() if count}, answer

    return counted


def test_an_event_that_is_read_back_has_a_verdict_and_one_that_is_posted_none(call, post_event, subscription):
    assert "verdict" not in post_event(properties={"value": "1"}).json()["event"]
    post_event("x", properties={"value": "x"})
    assert call("GET", "events/t-1").json()["event"]["verdict"] == "counted"
    assert [(each["transaction_id"], each["verdict"]) for each in call("GET", "events").json()["events"]] == [
        ("x", "not_numeric"),
        ("t-1", "counted"),
    ]


def test_events_are_counted_by_verdict_code_subscription_and_sender(
    counted, post_batch, post_event, subscription
):
    good = {"properties": {"value": "1"}}
    post_batch(
        make_event("1", **good), make_event("2", **good), make_event("3", code="unheard"), make_event("4")
    )
    post_event("1", **good)
    post_batch(make_event("5", **good), make_event("2", **good), make_event("2", **good))
    counts, answer = counted()
    assert counts == {"counted": 2, "unmatched_code": 1, "missing_property": 1, "duplicate": 3}
    assert answer["groups"][0] == {
        "verdict": "counted",
        "code": "api",
        "external_subscription_id": "sub-1",
        "count": 2,
    }
    prefix = subscription.service.api_keys.get().prefix
    assert answer["senders"] == [{"key": prefix, "counts": counts}]
    assert answer["possible_duplicates"] == 1
    assert counted("?code=unheard")[0] == {"unmatched_code": 1}
    assert counted("?external_subscription_id=sub-2")[0] == {}


def test_an_event_says_which_key_it_was_sent_with(post_event, service):
    post_event()
    assert UsageEvent.objects.get().key == service.api_keys.get()


def test_only_what_was_received_within_the_bounds_is_counted(counted, subscription):
    at = datetime(2026, 9, 10, tzinfo=UTC)
    factories.UsageEventFactory(service=subscription.service, code="api", timestamp=at)
    assert counted("?from=2026-09-10&to=2026-09-11")[0] == {"counted": 1}
    assert counted("?from=2026-09-09&to=2026-09-10")[0] == {}
    assert counted()[0] == {}


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("from=2026-09-10&to=2026-09-10", {"from": ["value_is_out_of_range"]}),
        ("from=2026-09-10&to=2026-09-18", {"from": ["value_is_out_of_range"]}),
        ("from=yesterday", {"from": ["invalid_date"]}),
        ("to=0001-01-01", {"to": ["invalid_date"]}),
    ],
)
def test_bounds_that_are_none_are_refused(call, query, details):
    assert refused(call("GET", f"events/verdicts?{query}")) == details


def test_another_services_events_and_resends_are_not_counted(counted, subscription):
    key = factories.ApiKeyFactory()
    event = factories.UsageEventFactory(service=key.service, timestamp=timezone.now(), key=key)
    factories.UsageEventFactory(
        service=key.service, timestamp=event.timestamp, properties=event.properties, key=key
    )
    Resend.objects.create(key=key, day=timezone.now().date(), refused=7)
    counts, answer = counted()
    assert (counts, answer["groups"], answer["senders"], answer["possible_duplicates"]) == ({}, [], [], 0)


def test_identical_events_that_are_accepted_are_counted_apart_from_refused_ones(
    post_event, post_batch, service, monkeypatch
):
    service.is_resend_accepted = True
    service.save()
    monkeypatch.setattr(keys, "_trusted", {})
    post_event()
    post_event()
    post_event(code="other")
    post_batch(make_event("t-1"), make_event("new"))
    row = Resend.objects.get()
    assert (row.key, row.refused, row.identical) == (service.api_keys.get(), 1, 2)
    now = timezone.now()
    assert read_resends(service_id=service.pk, start=now, end=now + timedelta(days=1)) == {row.key_id: 3}


def test_what_is_refused_for_another_reason_is_no_duplicate(post_event, post_batch):
    post_event(timestamp="noon")
    post_batch({}, make_event("t", properties={"a": "\0"}))
    assert not Resend.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_only_the_count_of_what_is_refused_does_not_wait_for_the_disk(service):
    key = factories.ApiKeyFactory(service=service)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        count_resends(key_id=key.pk, at=timezone.now(), refused=1, identical=0)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
    assert Resend.objects.get().refused == 1
