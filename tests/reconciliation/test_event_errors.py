"""Once an hour services are told of events with something wrong, each hour once (Lago: events.errors)."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ingest.models import ChargeModel
from reconciliation import event_errors
from reconciliation.event_errors import announce_event_errors
from reconciliation.models import Delivery, EventReport
from reconciliation.tasks import announce_event_errors as announce_task
from tests import factories
from tests.ingest.selling import add_charge, make_subscription, post

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 10, 13, 5, tzinfo=UTC)
AT = datetime(2026, 9, 10, 12, 30, tzinfo=UTC)
KEYS = ["invalid_code", "missing_aggregation_property", "missing_group_key", "invalid_filter_values"]


@pytest.fixture
def subscription():
    """One that sells a sum by cloud and team, of a service that listens."""
    subscription = make_subscription(external_id="ours")
    charge = add_charge(
        subscription,
        model=ChargeModel.STANDARD,
        properties={"amount": "1", "pricing_group_keys": ["team"]},
        filters=[{"values": {"cloud": ["aws"]}, "properties": {"amount": "2"}}],
    )
    charge.metric.filters = {"cloud": ["aws", "gcp"]}
    charge.metric.save()
    factories.WebhookEndpointFactory(service=subscription.service)
    return subscription


def told():
    """What each message lists, without what is empty."""
    bodies = [json.loads(body) for body in Delivery.objects.order_by("pk").values_list("body", flat=True)]
    assert all(body["webhook_type"] == "events.errors" for body in bodies)
    assert all(list(body["events_errors"]) == KEYS for body in bodies)
    return [{name: ids for name, ids in body["events_errors"].items() if ids} for body in bodies]


def send(subscription, name, at=AT, **values):
    properties = {"value": "1", "cloud": "aws", "team": "a"} | values.pop("properties", {})
    return post(subscription, at, transaction_id=name, properties=properties, **values)


def test_each_event_is_named_where_it_belongs_and_what_counts_is_not(subscription):
    send(subscription, "good")
    send(subscription, "code", code="unheard")
    send(subscription, "missing", properties={"value": None})
    send(subscription, "text", properties={"value": "many"})
    send(subscription, "group", properties={"team": None})
    send(subscription, "value", properties={"cloud": "mars"})
    assert announce_event_errors(now=NOW) == 1
    assert told() == [
        {
            "invalid_code": ["code"],
            "missing_aggregation_property": ["missing", "text"],
            "missing_group_key": ["group"],
            "invalid_filter_values": ["value"],
        }
    ]


def test_only_what_was_received_in_the_hour_is_told_and_only_once(subscription):
    hour = AT.replace(minute=0)
    send(subscription, "before", hour - timedelta(microseconds=1), code="x")
    send(subscription, "first", hour, code="x")
    send(subscription, "after", hour + timedelta(hours=1), code="x")
    announce_event_errors(now=NOW)
    announce_event_errors(now=NOW)
    assert told() == [{"invalid_code": ["first"]}]
    announce_event_errors(now=NOW + timedelta(hours=1))
    assert told()[1:] == [{"invalid_code": ["after"]}]


def test_hours_whose_wake_up_was_lost_are_made_up_for_but_not_for_ever(subscription):
    EventReport.objects.create(service=subscription.service, reported_until=NOW - timedelta(days=30))
    send(subscription, "old", NOW - timedelta(days=2), code="x")
    send(subscription, "missed", NOW - timedelta(hours=5), code="x")
    announce_event_errors(now=NOW)
    assert told() == [{"invalid_code": ["missed"]}]


def test_where_nothing_is_wrong_nothing_is_sent(subscription):
    send(subscription, "good")
    assert announce_event_errors(now=NOW) == 0
    assert told() == []


def test_a_long_list_is_told_in_parts(subscription, monkeypatch):
    monkeypatch.setattr(event_errors, "MOST_IDS", 2)
    for number in range(3):
        send(subscription, f"t-{number}", code="x")
    send(subscription, "text", properties={"value": "many"})
    assert announce_event_errors(now=NOW) == 2
    assert told() == [
        {"invalid_code": ["t-0", "t-1"], "missing_aggregation_property": ["text"]},
        {"invalid_code": ["t-2"]},
    ]


def test_a_service_is_told_of_its_own_events_alone_and_only_if_it_listens(subscription):
    other = factories.WebhookEndpointFactory(is_active=False)
    factories.UsageEventFactory(service=other.service, transaction_id="theirs", code="x", timestamp=AT)
    send(subscription, "ours", code="x")
    assert announce_event_errors(now=NOW) == 1
    assert told() == [{"invalid_code": ["ours"]}]


def test_the_task_is_scheduled_every_hour(subscription, settings):
    entry = settings.CELERY_BEAT_SCHEDULE["announce-event-errors"]
    assert (entry["task"], entry["schedule"].minute, len(entry["schedule"].hour)) == (
        announce_task.name,
        {5},
        24,
    )
    announce_task()
    assert EventReport.objects.get().service == subscription.service
