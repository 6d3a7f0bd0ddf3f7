"""POST /events: what is accepted, what is kept of it, and what comes back (Lago: events)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from ingest.models import Aggregation, UsageEvent
from tests import factories
from tests.ingest.api.conftest import make_event
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 10, 8, 30, 15, 987_654, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_a_fixed_moment():
    with time_machine.travel(NOW, tick=False):
        yield


def stored():
    """The only event there is."""
    return UsageEvent.objects.get()


def test_an_event_is_stored_whole_and_echoed_as_lago_does(post, service):
    response = post(
        "events",
        {
            "event": {
                "transaction_id": "c1a9-1",
                "code": "api_calls",
                "external_subscription_id": "sub_4521",
                "timestamp": 1710504000.123456,
                "properties": {"amount": "12.5", "region": "eu", "tags": [1, None, {"deep": True}]},
                "precise_total_amount_cents": "12.50",
            }
        },
    )
    event = stored()
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == {
        "event": {
            "lago_id": str(event.public_id),
            "transaction_id": "c1a9-1",
            "lago_customer_id": None,
            "code": "api_calls",
            "timestamp": "2024-03-15T12:00:00.123Z",
            "precise_total_amount_cents": "12.5",
            "properties": {"amount": "12.5", "region": "eu", "tags": [1, None, {"deep": True}]},
            "lago_subscription_id": None,
            "external_subscription_id": "sub_4521",
            "created_at": "2026-09-10T08:30:15Z",
        }
    }
    assert (event.service, event.transaction_id, event.code) == (service, "c1a9-1", "api_calls")
    assert event.external_subscription_id == "sub_4521"
    assert event.timestamp == datetime(2024, 3, 15, 12, 0, 0, 123456, tzinfo=UTC)
    assert event.properties == {"amount": "12.5", "region": "eu", "tags": [1, None, {"deep": True}]}
    assert event.precise_total_amount_cents == Decimal("12.5")
    assert event.received_at == NOW


def test_an_event_of_an_unknown_code_and_subscription_is_kept(post_event):
    assert post_event(code="nobody_knows").status_code == 200
    assert (stored().code, stored().quantity) == ("nobody_knows", None)


def test_nulls_count_as_absent(post_event):
    response = post_event(timestamp=None, properties=None, precise_total_amount_cents=None)
    assert response.status_code == 200
    assert response.json()["event"]["properties"] == {}
    assert response.json()["event"]["timestamp"] == "2026-09-10T08:30:15.987Z"
    assert (stored().timestamp, stored().properties, stored().precise_total_amount_cents) == (NOW, {}, None)


def test_an_event_without_a_subscription_is_accepted_and_never_a_duplicate(post):
    event = {"transaction_id": "t-1", "code": "api"}
    for _ in range(2):
        response = post("events", {"event": event})
        assert response.status_code == 200
        assert response.json()["event"]["external_subscription_id"] is None
    assert UsageEvent.objects.filter(external_subscription_id=None).count() == 2


def test_unknown_keys_are_ignored(post):
    event = make_event(external_customer_id="cust", lago_id=7, nested={"deep": []})
    assert post("events", {"event": event, "other": [1]}).status_code == 200
    assert stored().transaction_id == "t-1"


def test_the_content_type_does_not_matter(post):
    for number, content_type in enumerate(
        ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""]
    ):
        body = {"event": make_event(f"t-{number}")}
        assert post("events", body, **{"content-type": content_type}).status_code == 200
    assert UsageEvent.objects.count() == 4


def test_what_the_client_accepts_does_not_matter(post):
    response = post("events?format=html", {"event": make_event()}, accept="text/html")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("sent", "kept", "echoed"),
    [
        (1710504000, "2024-03-15T12:00:00", "2024-03-15T12:00:00.000Z"),
        ("1710504000", "2024-03-15T12:00:00", "2024-03-15T12:00:00.000Z"),
        (1710504000.5, "2024-03-15T12:00:00.5", "2024-03-15T12:00:00.500Z"),
        ("1710504000.123456", "2024-03-15T12:00:00.123456", "2024-03-15T12:00:00.123Z"),
        ("1710504000.9999999999", "2024-03-15T12:00:00.999999", "2024-03-15T12:00:00.999Z"),
        ("1.710504e9", "2024-03-15T12:00:00", "2024-03-15T12:00:00.000Z"),
        (0, "1970-01-01T00:00:00", "1970-01-01T00:00:00.000Z"),
        ("-0.0000001", "1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999Z"),
        (-62135510400, "0001-01-02T00:00:00", "0001-01-02T00:00:00.000Z"),
        (100_000_000_000, "5138-11-16T09:46:40", "5138-11-16T09:46:40.000Z"),
    ],
)
def test_a_timestamp_is_kept_exactly_and_echoed_in_milliseconds(post_event, sent, kept, echoed):
    response = post_event(timestamp=sent)
    assert response.json()["event"]["timestamp"] == echoed
    assert stored().timestamp == datetime.fromisoformat(kept).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "sent",
    [
        "2024-03-15T12:00:00Z", "", " ", "soon", "1710504000s", "NaN", "Infinity", "-Infinity", "1e400",
        "1e99999999999999999999", 1_710_504_000_000, "1710504000000", 100_000_000_000.5, 1_515_700_000_000,
        -62_135_596_800, -(10**30), 10**30, True, False, [], {}, [1710504000],
    ],
)  # fmt: skip
def test_a_timestamp_that_is_no_date_is_refused(post_event, sent):
    assert refused(post_event(timestamp=sent)) == {"timestamp": ["invalid_format"]}
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept", "echoed"),
    [
        ("12.50", "12.5", "12.5"),
        (100, "100", "100.0"),
        ("1e3", "1000", "1000.0"),
        (0.1, "0.1", "0.1"),
        ("-3", "-3", "-3.0"),
        ("0", "0", "0.0"),
        ("9999999999999999999999999.123456789012345", None, "9999999999999999999999999.123456789012345"),
        ("0.00000000000000000001", None, "0.00000000000000000001"),
    ],
)
def test_a_precise_amount_is_kept_digit_for_digit(post_event, sent, kept, echoed):
    response = post_event(precise_total_amount_cents=sent)
    assert response.json()["event"]["precise_total_amount_cents"] == echoed
    assert stored().precise_total_amount_cents == Decimal(kept or sent)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("12,50", "value_is_not_valid_number"),
        ("", "value_is_not_valid_number"),
        ("NaN", "value_is_not_valid_number"),
        ("1e99999999999999999999", "value_is_not_valid_number"),
        (True, "value_is_not_valid_number"),
        ({}, "value_is_not_valid_number"),
        ("1e25", "value_is_out_of_range"),
        ("1e400000", "value_is_out_of_range"),
        ("1e-101", "value_is_out_of_range"),
    ],
)
def test_a_precise_amount_that_is_none_is_refused(post_event, sent, code):
    assert refused(post_event(precise_total_amount_cents=sent)) == {"precise_total_amount_cents": [code]}
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(("sent", "kept"), [(12, "12"), (True, "t"), (False, "f"), (10**30, str(10**30))])
@pytest.mark.parametrize("field", ["transaction_id", "code", "external_subscription_id"])
def test_numbers_and_booleans_become_text_as_rails_casts_them(post_event, field, sent, kept):
    assert post_event(**{field: sent}).json()["event"][field] == kept
    assert getattr(stored(), field) == kept


def test_a_fraction_becomes_the_text_it_was_sent_as(post):
    post("events", b'{"event":{"transaction_id":1.50,"code":1e2}}')
    assert (stored().transaction_id, stored().code) == ("1.50", "1e2")


@pytest.mark.parametrize("sent", [[], {}, ["t-1"], {"id": "t-1"}, "a\x00b"])
@pytest.mark.parametrize("field", ["transaction_id", "code", "external_subscription_id"])
def test_text_that_is_none_is_refused(post_event, field, sent):
    assert refused(post_event(**{field: sent})) == {field: ["value_is_invalid"]}
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("sent", [None, "", " ", "\t\n", "\u00a0\u2003"])
@pytest.mark.parametrize("field", ["transaction_id", "code"])
def test_what_is_mandatory_may_not_be_blank(post_event, field, sent):
    assert refused(post_event(**{field: sent})) == {field: ["value_is_mandatory"]}
    assert not UsageEvent.objects.exists()


def test_every_field_that_is_wrong_is_named(post):
    response = post("events", {"event": {"timestamp": "soon", "properties": []}})
    assert refused(response) == {
        "transaction_id": ["value_is_mandatory"],
        "code": ["value_is_mandatory"],
        "timestamp": ["invalid_format"],
        "properties": ["value_is_invalid"],
    }


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_text_is_taken_up_to_255_characters(post_event, character):
    longest = character * 255
    response = post_event(transaction_id=longest, code=longest, external_subscription_id=longest)
    assert response.status_code == 200
    assert {stored().transaction_id, stored().code, stored().external_subscription_id} == {longest}


@pytest.mark.parametrize("length", [256, 10_000])
@pytest.mark.parametrize("field", ["transaction_id", "code", "external_subscription_id"])
def test_longer_text_is_refused(post_event, field, length):
    assert refused(post_event(**{field: "x" * length})) == {field: ["value_is_too_long"]}
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("sent", [[], "text", 12, True, [{}]])
def test_properties_are_an_object(post_event, sent):
    assert refused(post_event(properties=sent)) == {"properties": ["value_is_invalid"]}
    assert not UsageEvent.objects.exists()


def test_properties_come_back_as_they_were_sent(post):
    response = post(
        "events", b'{"event":{"transaction_id":"t","code":"c","properties": {"b":1.10, "a" :1e2}}}'
    )
    assert b'"properties":{"b":1.10, "a" :1e2}' in response.content


# --- quantities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "quantity"),
    [
        ("12.5", "12.5"), (12.5, "12.5"), (0, "0"), ("-3", "-3"), ("1.000000000000000001", "1.000000000000000001"),
        ("1e3", None), ("", None), ("twelve", None), (None, None), (True, None), ([1], None), ("+1", None),
        ("1.", None),
    ],
)  # fmt: skip
def test_the_quantity_of_a_sum_is_read_from_its_property(post_event, service, value, quantity):
    factories.MetricFactory(service=service, code="api", field_name="amount")
    assert post_event(properties={"amount": value, "value": "7"}).status_code == 200
    assert stored().quantity == (quantity and Decimal(quantity))


def test_a_missing_property_leaves_the_quantity_open(post_event, service):
    factories.MetricFactory(service=service, code="api", field_name="amount")
    post_event(properties={})
    assert stored().quantity is None


def test_a_count_reads_no_quantity(post_event, service):
    factories.MetricFactory(service=service, code="api", aggregation=Aggregation.COUNT, field_name="")
    post_event(properties={"": "5", "value": "5"})
    assert stored().quantity is None


def test_the_metric_of_another_service_is_not_read(post_event):
    factories.MetricFactory(code="api", field_name="amount")
    post_event(properties={"amount": "5"})
    assert stored().quantity is None


# --- duplicates (Lago: duplicate semantics) ----------------------------------------------------------------

TAKEN = {"transaction_id": ["value_already_exist"]}


def test_a_repeat_is_refused_and_changes_nothing(post_event):
    first = post_event(properties={"a": 1}, timestamp=1710504000)
    assert refused(post_event(properties={"a": 1}, timestamp=1710504000)) == TAKEN
    assert refused(post_event(code="other", properties={"a": 2}, timestamp=1710504001)) == TAKEN
    assert str(stored().public_id) == first.json()["event"]["lago_id"]
    assert (stored().code, stored().properties) == ("api", {"a": 1})


def test_the_same_id_on_another_subscription_is_another_event(post_event):
    assert post_event(external_subscription_id="sub-1").status_code == 200
    assert post_event(external_subscription_id="sub-2").status_code == 200
    assert UsageEvent.objects.count() == 2


def test_the_same_id_of_another_service_is_another_event(post_event):
    factories.UsageEventFactory(external_subscription_id="sub-1", transaction_id="t-1")
    assert post_event().status_code == 200
    assert UsageEvent.objects.count() == 2


def test_ids_are_compared_letter_by_letter(post_event):
    for transaction_id in ("t-1", "T-1", "t-1 ", "t-é", "t-e\u0301"):
        assert post_event(transaction_id=transaction_id).status_code == 200
    assert UsageEvent.objects.count() == 5


def test_each_event_has_an_id_of_its_own(post_event):
    ids = {post_event(transaction_id=f"t-{number}").json()["event"]["lago_id"] for number in range(20)}
    assert len(ids) == 20
    assert ids == {str(public_id) for public_id in UsageEvent.objects.values_list("public_id", flat=True)}


def test_an_event_is_received_when_it_comes_however_old_it_is(post_event):
    old = NOW - timedelta(days=400)
    post_event(timestamp=old.timestamp())
    assert stored().received_at == NOW
