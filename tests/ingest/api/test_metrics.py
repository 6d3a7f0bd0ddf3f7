"""Metrics over the API: made, read, changed and deleted, each by its own service alone (Lago: billable metrics)."""

import pytest

from ingest.models import AuditRecord, Metric
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

CALLS = {
    "name": "Calls",
    "code": "calls",
    "description": "API calls",
    "aggregation_type": "sum_agg",
    "field_name": "count",
    "recurring": False,
    "rounding_function": "ceil",
    "rounding_precision": -1,
    "filters": [{"key": "region", "values": ["eu", "us"]}],
}


def make(call, **fields):
    return call("POST", "billable_metrics", {"billable_metric": CALLS | fields})


def test_a_metric_is_created_and_answered_whole(call):
    answer = make(call)
    assert answer.status_code == 200
    shown = answer.json()["billable_metric"]
    metric = Metric.objects.get()
    assert {name: shown[name] for name in CALLS} == CALLS
    assert (shown["lago_id"], shown["expression"], shown["weighted_interval"]) == (
        str(metric.public_id),
        None,
        None,
    )
    assert metric.filters == {"region": ["eu", "us"]}
    record = AuditRecord.objects.get(action="metric.create")
    assert record.actor_label.startswith("API key bc_")
    assert record.after["code"] == "calls"


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"name": "  "}, {"name": ["value_is_mandatory"]}),
        ({"code": "c" * 256}, {"code": ["value_is_too_long"]}),
        ({"code": "a\x00b"}, {"code": ["value_is_invalid"]}),
        ({"aggregation_type": "other"}, {"aggregation_type": ["value_is_invalid"]}),
        ({"field_name": None}, {"field_name": ["value_is_mandatory"]}),
        ({"rounding_function": "up"}, {"rounding_function": ["value_is_invalid"]}),
        ({"rounding_precision": 10**30}, {"rounding_precision": ["value_is_out_of_range"]}),
        ({"expression": "round("}, {"expression": ["invalid_expression"]}),
        (
            {"aggregation_type": "count_agg", "field_name": None, "recurring": True},
            {"recurring": ["not_compatible_with_aggregation_type"]},
        ),
        ({"aggregation_type": "weighted_sum_agg"}, {"weighted_interval": ["value_is_invalid"]}),
        ({"filters": [{"key": "region", "values": []}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": "region"}, {"filters": ["value_is_invalid"]}),
    ],
)
def test_what_a_metric_cannot_be_is_refused_at_its_field(call, fields, details):
    assert refused(make(call, **fields)) == details
    assert not Metric.objects.exists()


def test_custom_code_is_a_feature_that_there_is_not(call):
    answer = make(call, aggregation_type="custom_agg")
    assert (answer.status_code, answer.json()["code"]) == (403, "feature_unavailable")


def test_a_code_is_taken_once(call):
    make(call)
    assert refused(make(call)) == {"code": ["value_already_exist"]}
    assert Metric.objects.count() == 1


def test_without_its_root_key_it_is_a_bad_request(call):
    answer = call("POST", "billable_metrics", CALLS)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("billable_metric")


def test_a_list_has_pages_and_knows_its_place(call, service):
    factories.MetricFactory.create_batch(5, service=service)
    answer = call("GET", "billable_metrics?page=2&per_page=2").json()
    assert len(answer["billable_metrics"]) == 2
    assert answer["meta"] == {
        "current_page": 2,
        "next_page": 3,
        "prev_page": 1,
        "total_pages": 3,
        "total_count": 5,
    }


def test_a_list_of_nothing_is_on_no_page(call):
    assert call("GET", "billable_metrics").json() == {
        "billable_metrics": [],
        "meta": {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0},
    }


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5", "9" * 400])
def test_a_page_that_is_no_number_is_the_first(call, service, page):
    factories.MetricFactory(service=service)
    assert call("GET", f"billable_metrics?page={page}").status_code == 200


def test_a_metric_changes_by_what_is_given(call):
    make(call)
    answer = call("PUT", "billable_metrics/calls", {"billable_metric": {"name": "Requests", "code": None}})
    shown = answer.json()["billable_metric"]
    assert (shown["name"], shown["code"], shown["field_name"]) == ("Requests", "calls", "count")


def test_a_change_is_checked_with_what_is_there(call):
    make(call, aggregation_type="max_agg")
    answer = call("PUT", "billable_metrics/calls", {"billable_metric": {"recurring": True}})
    assert refused(answer) == {"recurring": ["not_compatible_with_aggregation_type"]}


def test_once_sold_it_meters_as_it_did(call, service):
    make(call)
    factories.ChargeFactory(metric=Metric.objects.get(), plan__service=service)
    change = {"aggregation_type": "max_agg", "field_name": "other", "code": "new", "name": "Requests"}
    shown = call("PUT", "billable_metrics/calls", {"billable_metric": change}).json()["billable_metric"]
    assert (shown["aggregation_type"], shown["field_name"], shown["code"], shown["name"]) == (
        "sum_agg",
        "count",
        "calls",
        "Requests",
    )


def test_a_code_cannot_be_changed_to_another_ones(call):
    make(call)
    make(call, code="other")
    assert refused(call("PUT", "billable_metrics/other", {"billable_metric": {"code": "calls"}})) == {
        "code": ["value_already_exist"]
    }


def test_deleted_it_is_gone_and_its_code_free(call):
    make(call)
    assert call("DELETE", "billable_metrics/calls").json()["billable_metric"]["code"] == "calls"
    for method in ("GET", "DELETE"):
        gone = call(method, "billable_metrics/calls")
        assert (gone.status_code, gone.json()["code"]) == (404, "billable_metric_not_found")
    assert make(call).status_code == 200
    assert Metric.objects.count() == 2


def test_sold_it_is_not_deleted(call, service):
    make(call)
    factories.ChargeFactory(metric=Metric.objects.get(), plan__service=service)
    answer = call("DELETE", "billable_metrics/calls")
    assert (answer.status_code, answer.json()["code"]) == (405, "billable_metric_in_use")
    assert Metric.objects.get().deleted_at is None


def test_another_services_metric_does_not_exist(call):
    factories.MetricFactory(code="theirs")
    change = {"billable_metric": {"name": "Mine"}}
    for answer in (
        call("GET", "billable_metrics/theirs"),
        call("PUT", "billable_metrics/theirs", change),
        call("DELETE", "billable_metrics/theirs"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "billable_metric_not_found")
    assert call("GET", "billable_metrics").json()["billable_metrics"] == []
    assert make(call, code="theirs").status_code == 200


def test_a_code_in_the_address_may_hold_anything(call, service):
    factories.MetricFactory(service=service, code="a/b c.d%é\n")
    assert call("GET", "billable_metrics/a%2Fb%20c.d%25%C3%A9%0A").status_code == 200
    assert call("GET", "billable_metrics/a%00b").status_code == 400
    assert call("GET", "billable_metrics?page=%00").status_code == 400
