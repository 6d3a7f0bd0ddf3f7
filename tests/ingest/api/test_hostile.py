"""Input that means harm or madness: a 4xx that says where, nothing kept, and never a fault of ours."""

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.models import UsageEvent
from tests.ingest.api.conftest import make_event
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

BAD_PROPERTIES = {"properties": ["value_is_invalid"]}
UNSTORABLE = [
    r'{"a":"\u0000"}',
    r'{"\u0000":1}',
    r'{"a":[[{"b":"x\u0000y"}]]}',
    '{"a":1e400000}',
    '{"a":-1e400000}',
    '{"a":1e-400000}',
    # What Python could not read back.
    '{"a":1e5000}',
    '{"a":[' + "9" * 5000 + "]}",
    '{"a":1e99999999999999999999}',
]
STORABLE = [
    r'{"a":"\\u0000"}',
    r'{"a":"\ud83d\ude00"}',
    '{"a":' + "9" * 4000 + "}",
    '{"a":"' + "x" * 100_000 + '"}',
    '{"":""}',
    '{"__proto__":{},"constructor":1}',
]


def put_in_event(properties, transaction_id="t-1"):
    return f'{{"transaction_id":"{transaction_id}","code":"api","properties":{properties}}}'


@pytest.mark.parametrize("properties", UNSTORABLE)
def test_properties_that_the_database_cannot_hold_are_refused(post, properties):
    body = f'{{"event":{put_in_event(properties)}}}'.encode()
    assert refused(post("events", body)) == BAD_PROPERTIES
    assert not UsageEvent.objects.exists()


def test_they_are_found_in_a_batch(post):
    properties = ["{}", UNSTORABLE[0], STORABLE[0], UNSTORABLE[3], "{}"]
    events = ",".join(put_in_event(value, f"t-{at}") for at, value in enumerate(properties))
    response = post("events/batch", f'{{"events":[{events}]}}'.encode())
    assert refused(response) == {"1": BAD_PROPERTIES, "3": BAD_PROPERTIES}
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("properties", STORABLE)
def test_odd_properties_that_it_can_hold_are_taken(post, properties):
    body = f'{{"event":{put_in_event(properties)}}}'.encode()
    assert post("events", body).status_code == 200
    assert UsageEvent.objects.get().properties == json.loads(properties)


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE ingest_usageevent; --", "<script>alert(1)</script>", "%s %(x)s {}", "../../x"]
)
def test_sql_and_html_are_only_text(post_event, text):
    answer = post_event(
        transaction_id=text, code=text, external_subscription_id=text, properties={text: text}
    )
    event = UsageEvent.objects.get()
    assert event.transaction_id == event.code == event.external_subscription_id == text
    assert event.properties == answer.json()["event"]["properties"] == {text: text}


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":{"transaction_id":"a\x00b","code":"c"}}',
        b'{"event":{"transaction_id":"a\nb","code":"c"}}',
        b'{"event":{"transaction_id":"\xff","code":"c"}}',
        b'{"event":{"transaction_id":"t","code":"c","properties":{"a":"\xe9"}}}',
        b'{"event":{"transaction_id":"t","code":"c","unknown":"\xed\xa0\x80"}}',
        '{"event":{"transaction_id":"t","code":"c"}}'.encode("utf-16"),
        '{"event":{"transaction_id":"t","code":"c"}}'.encode("utf-32"),
        rb'{"event":{"transaction_id":"\ud800","code":"c"}}',
        rb'{"event":{"transaction_id":"\udc00","code":"c"}}',
        rb'{"event":{"transaction_id":"t","code":"c","properties":{"a":"\ud800"}}}',
        rb'{"event":{"transaction_id":"t","code":"c","properties":{"a":"\ud800\ud800"}}}',
        rb'{"event":{"transaction_id":"t","code":"c","properties":{"a":"\udc00\ud800"}}}',
        rb'{"event":{"transaction_id":"t","code":"c","properties":{"\ud800x":1}}}',
        rb'{"event":{"transaction_id":"\ud800\u0041","code":"c"}}',
    ],
)
def test_text_that_is_no_unicode_is_refused(post, body):
    response = post("events", body)
    assert response.status_code in {400, 422}
    assert response.json()["status"] == response.status_code
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    "place", ['"properties":{}', '"timestamp":{}', '"transaction_id":{}', '"unknown":{}']
)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_ten_thousand_levels_are_refused(post, place, opening, closing):
    nested = opening * 10_000 + "1" + closing * 10_000
    body = '{"event":{' + place.replace("{}", nested) + "}}"
    response = post("events", body.encode())
    assert response.status_code == 400
    assert response.json()["error"] == "BadRequest: JSON is nested too deeply"
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    ("opening", "closing", "levels"), [("[", "]", 99), ('{"a":', "}", 99), ('[1,{"x":{},"a":', "}]", 49)]
)
def test_a_hundred_levels_are_kept_and_more_are_refused(post, opening, closing, levels):
    def nest(deeper):
        return '{"a":' + opening * (levels + deeper) + "1" + closing * (levels + deeper) + "}"

    assert post("events", f'{{"event":{put_in_event(nest(0))}}}'.encode()).status_code == 200
    assert UsageEvent.objects.get().properties == json.loads(nest(0))
    response = post("events", f'{{"event":{put_in_event(nest(1), "t-2")}}}'.encode())
    assert refused(response) == BAD_PROPERTIES
    assert UsageEvent.objects.count() == 1


def test_a_number_of_four_hundred_digits_is_read_back(post):
    properties = '{"a":1e400}'
    assert post("events", f'{{"event":{put_in_event(properties)}}}'.encode()).status_code == 200
    assert UsageEvent.objects.get().properties == {"a": 10**400}


@pytest.mark.parametrize("field", ["transaction_id", "code", "timestamp", "precise_total_amount_cents"])
def test_an_integer_of_five_thousand_digits_is_refused_at_its_field(post, field):
    event = {"transaction_id": "t", "code": "c"} | {field: 0}
    body = json.dumps({"event": event}).replace(f'"{field}": 0', f'"{field}": ' + "9" * 5000)
    assert list(refused(post("events", body.encode()))) == [field]
    assert not UsageEvent.objects.exists()


def test_a_million_events_are_too_many(post):
    body = b'{"events":[' + b"{}," * 999_999 + b"{}]}"
    assert refused(post("events/batch", body)) == {"events": ["too_many_events"]}


def test_the_request_after_a_hostile_one_is_served(post, post_event):
    for properties in UNSTORABLE:
        post("events", f'{{"event":{put_in_event(properties)}}}'.encode())
    assert post_event().status_code == 200


# --- anything at all ---------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "transaction_id",
    "code",
    "external_subscription_id",
    "timestamp",
    "properties",
    "precise_total_amount_cents",
]
EVENTS = st.dictionaries(st.sampled_from(FIELDS), VALUES)
BODIES = st.one_of(
    st.binary(max_size=200),
    VALUES.map(lambda value: json.dumps(value).encode()),
    EVENTS.map(lambda event: json.dumps({"event": event}).encode()),
    st.lists(EVENTS | VALUES, max_size=4).map(lambda events: json.dumps({"events": events}).encode()),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["events", "events/batch"]), body=BODIES)
def test_no_body_whatever_is_a_fault_of_ours(key, path, body):
    before = UsageEvent.objects.count()
    client = Client(raise_request_exception=False)
    headers = {"authorization": f"Bearer {key}"}
    response = client.generic("POST", f"/api/v1/{path}", body, "application/json", headers=headers)
    assert response["Content-Type"] == "application/json"
    answer = response.json()
    if response.status_code == 200:
        stored = len(answer.get("events", [answer.get("event")]))
    else:
        assert response.status_code in {400, 422}
        assert answer["status"] == response.status_code
        stored = 0
    assert UsageEvent.objects.count() == before + stored


def test_the_smallest_event_is_taken(post):
    """What every refusal above differs from."""
    assert post("events", {"event": make_event()}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":{"transaction_id":"a","code":"c","transaction_id":"b"}}',
        b'{"event":{"transaction_id":"a","code":"c","properties":{"deep":[{"v":1,"v":2}]}}}',
        b'{"event":{"transaction_id":"a","code":"c"},"event":{"transaction_id":"b","code":"c"}}',
        rb'{"event":{"transaction_id":"a","code":"c","properties":{"v":1,"\u0076":2}}}',
    ],
)
def test_what_is_said_twice_is_refused(post, body):
    response = post("events", body)
    assert response.status_code == 400
    assert "is there twice" in response.json()["error"]
    assert not UsageEvent.objects.exists()


def test_the_same_name_in_two_objects_is_no_name_twice(post):
    body = b'{"event":{"transaction_id":"a","code":"c","properties":{"code":{"code":1e400},"x":[{"v":1},{"v":NUM}]}}}'
    assert post("events", body.replace(b"NUM", b"1")).status_code == 200


def test_a_compressed_body_is_refused_with_the_reason(post):
    response = post("events", b"\x1f\x8b", **{"content-encoding": "gzip"})
    assert (response.status_code, response.json()["status"]) == (400, 400)
    assert "compressed" in response.json()["error"]
