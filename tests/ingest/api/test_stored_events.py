"""Events are read back one by one and as a list, each told whose it is (Lago: events)."""

import pytest

from ingest import stored_events
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

NOON = 1710504000  # 2024-03-15T12:00:00Z


@pytest.fixture
def subscription(service):
    """A subscription that ran at noon."""
    return factories.SubscriptionFactory(customer__service=service, external_id="sub-1")


@pytest.fixture
def listed(call):
    """The transaction ids that a list has."""

    def listed(query=""):
        return [event["transaction_id"] for event in call("GET", f"events{query}").json()["events"]]

    return listed


def test_an_event_is_read_back_as_it_was_answered(call, post_event):
    posted = post_event(timestamp=NOON + 0.5, properties={"a": 1.50, "b": [None]}).json()["event"]
    assert call("GET", "events/t-1").json()["event"] == {**posted, "verdict": "unmatched_code"}


def test_it_is_told_whose_it_is(call, post_event, subscription):
    post_event(timestamp=int(subscription.started_at.timestamp()))
    post_event("before", timestamp=int(subscription.started_at.timestamp()) - 1)
    event = call("GET", "events/t-1").json()["event"]
    assert event["lago_subscription_id"] == str(subscription.public_id)
    assert event["lago_customer_id"] == str(subscription.customer.public_id)
    assert call("GET", "events/before").json()["event"]["lago_subscription_id"] is None


def test_an_id_may_hold_anything_and_one_that_nobody_sent_is_not_found(call, post_event):
    post_event("a/b c.1")
    assert call("GET", "events/a%2Fb%20c.1").status_code == 200
    missing = call("GET", "events/t-2")
    assert (missing.status_code, missing.json()["code"]) == (404, "event_not_found")


def test_the_list_is_newest_first_and_knows_its_place(call, post_event, listed):
    for number, second in enumerate((0, 2, 2, 1)):
        post_event(f"t-{number}", timestamp=NOON + second)
    assert listed() == ["t-1", "t-2", "t-3", "t-0"]
    assert listed("?page=2&per_page=3") == ["t-0"]
    assert call("GET", "events?per_page=3").json()["meta"]["total_count"] == 4


def test_the_list_is_narrowed_down(post_event, listed):
    post_event("other", code="other", timestamp=NOON)
    post_event("sub-2", external_subscription_id="sub-2", timestamp=NOON + 60)
    post_event("t-1", timestamp=NOON + 120)
    assert listed("?code=other") == ["other"]
    assert listed("?external_subscription_id=sub-2") == ["sub-2"]
    assert listed("?timestamp_from=2024-03-15T12:01:00Z&timestamp_to=2024-03-15T12:01:00%2B00:00") == [
        "sub-2"
    ]
    assert listed("?timestamp_from=2024-03-16") == []
    assert listed("?code=other&external_subscription_id=sub-2") == []


def test_what_came_before_the_subscription_can_be_left_out(post_event, subscription, listed):
    start = int(subscription.started_at.timestamp())
    post_event("before", timestamp=start - 1)
    post_event("since", timestamp=start)
    assert listed("?external_subscription_id=sub-1&timestamp_from_started_at=true") == ["since"]
    assert listed("?external_subscription_id=sub-1&timestamp_from_started_at=false") == ["since", "before"]


@pytest.mark.parametrize("text", ["yesterday", "1710504000", "0001-01-01T00:00:00+14:00", "2024-13-01"])
def test_a_bound_that_is_no_date_is_refused(call, text):
    assert refused(call("GET", f"events?timestamp_to={text}")) == {"timestamp_to": ["invalid_date"]}


def test_a_long_list_says_about_how_long_it_is(call, post_event, monkeypatch):
    monkeypatch.setattr(stored_events, "COUNTED_EXACTLY", 2)
    for number in range(5):
        post_event(f"t-{number}", timestamp=NOON)
    assert call("GET", "events").json()["meta"]["total_count"] >= 3


def test_another_services_events_do_not_exist(call, listed):
    factories.UsageEventFactory(transaction_id="theirs")
    assert call("GET", "events/theirs").status_code == 404
    assert listed() == []


def test_events_of_one_id_under_two_subscriptions_give_the_last_one(call, post_event):
    post_event("same")
    last = post_event("same", external_subscription_id="sub-2").json()["event"]
    assert call("GET", "events/same").json()["event"] == {**last, "verdict": "unmatched_code"}
