"""A metric's expression is evaluated when its events arrive; its result is what is stored."""

import pytest

from ingest import expressions
from ingest.models import UsageEvent
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def metric(service, monkeypatch):
    """A metric that multiplies, known at once."""
    monkeypatch.setattr(expressions, "_trusted", {})
    return factories.MetricFactory(
        service=service, code="api", expression="event.properties.calls * event.properties.weight"
    )


def test_the_result_is_stored_as_text_in_the_metrics_field(post_event):
    properties = {"calls": 3, "weight": "0.5", "value": "sent", "deep": {"n": 12.50}}
    answer = post_event(properties=properties)
    assert answer.status_code == 200
    assert answer.json()["event"]["properties"]["value"] == "1.5"
    stored = UsageEvent.objects.get()
    assert stored.properties == {**properties, "value": "1.5"}
    assert stored.quantity == 1.5


def test_an_event_that_it_cannot_be_evaluated_on_is_refused_with_a_text(post_event):
    answer = post_event(properties={"calls": 3})
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_errors"
    assert answer.json()["error_details"] == "expression_evaluation_failed: Variable: weight not found"
    assert not UsageEvent.objects.exists()


def test_in_a_batch_the_text_stands_at_its_index_and_nothing_is_stored(post_batch):
    good = {"transaction_id": "1", "code": "api", "properties": {"calls": 1, "weight": 2}}
    bad = {"transaction_id": "2", "code": "api", "properties": {"calls": "many", "weight": 2}}
    unread = {"transaction_id": "3", "code": "", "properties": {}}
    answer = post_batch(good, bad, unread)
    assert answer.status_code == 422
    assert answer.json()["error_details"] == {
        "1": "expression_evaluation_failed: 'many' is not a number",
        "2": {"code": ["value_is_mandatory"]},
    }
    assert not UsageEvent.objects.exists()
    assert post_batch(good).status_code == 200


def test_another_services_metric_of_that_code_changes_nothing(post_event, metric):
    metric.delete()
    factories.MetricFactory(code="api", expression="1 + 1")
    assert post_event(properties={"value": "7"}).json()["event"]["properties"] == {"value": "7"}


@pytest.mark.parametrize(
    ("expression", "event", "value"),
    [
        ("round(event.properties.value)", {"properties": {"value": "2.6"}}, "3.0"),
        ("event.properties.a / 4", {"properties": {"a": 1}}, "0.25"),
        ("concat(event.code, '!')", {"code": "api", "timestamp": 1711000000, "properties": None}, "api!"),
        ("1 + 1", None, "2.0"),
    ],
)
def test_an_expression_is_tried_on_an_event_and_nothing_is_stored(post, expression, event, value):
    answer = post("billable_metrics/evaluate_expression", {"expression": expression, "event": event})
    assert (answer.status_code, answer.json()) == (200, {"expression_result": {"value": value}})
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"expression": ["value_is_mandatory"]}),
        ({"expression": " "}, {"expression": ["value_is_mandatory"]}),
        ({"expression": "1 +"}, {"expression": ["invalid_expression"]}),
        ({"expression": 5}, {"expression": ["invalid_expression"]}),
        ({"expression": "event.properties.a"}, {"event": ["invalid_event"]}),
        ({"expression": "1", "event": "x"}, {"event": ["invalid_event"]}),
        ({"expression": "1", "event": {"timestamp": "noon"}}, {"event": ["invalid_event"]}),
        ({"expression": "1", "event": {"properties": [1]}}, {"event": ["invalid_event"]}),
    ],
)
def test_what_cannot_be_tried_is_refused_at_its_field(post, body, details):
    assert refused(post("billable_metrics/evaluate_expression", body)) == details
