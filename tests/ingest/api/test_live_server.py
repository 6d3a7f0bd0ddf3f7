"""The web server as the console runs it, posted to by the official Python client, unmodified."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
import requests
from django.utils import timezone
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import BatchEvent, Event

from ingest.keys import create_key
from ingest.models import ApiKey, UsageEvent
from tests import factories
from tests.ingest.api.conftest import make_event
from tests.web_server import serve_test_database

pytestmark = pytest.mark.django_db(transaction=True)

MEBIBYTE = 1024 * 1024


@pytest.fixture
def key(transactional_db):
    return create_key(service=factories.ServiceFactory(), name="live", actor=None).key


@pytest.fixture
def lago(port, key):
    """The official client, told nothing but another address and another key."""
    return Client(api_key=key, api_url=f"http://127.0.0.1:{port}")


def test_the_official_client_posts_events_and_reads_refusals(lago):
    event = Event(
        transaction_id="t-1",
        external_subscription_id="sub-1",
        code="api",
        timestamp=1710504000,
        properties={"amount": "12.5"},
    )
    answer = lago.events.create(event)
    assert (answer.transaction_id, answer.external_subscription_id) == ("t-1", "sub-1")
    assert (answer.timestamp, answer.properties) == ("2024-03-15T12:00:00.000Z", {"amount": "12.5"})
    with pytest.raises(LagoApiError) as refused:
        lago.events.create(event)
    assert refused.value.status_code == 422
    assert refused.value.response["error_details"] == {"transaction_id": ["value_already_exist"]}
    assert UsageEvent.objects.count() == 1


def test_the_official_client_posts_an_event_of_mandatory_fields_alone(lago):
    answer = lago.events.create(Event(transaction_id="t-1", external_subscription_id="sub-1", code="api"))
    assert answer.properties == {}
    assert UsageEvent.objects.count() == 1


def test_the_official_client_posts_batches(lago):
    names = ["t-1", "t-2", "t-3"]
    events = [
        Event(transaction_id=name, external_subscription_id="sub-1", code="api", timestamp="1710504000.5")
        for name in names
    ]
    lago.events.batch_create(BatchEvent(events=events))
    assert set(UsageEvent.objects.values_list("transaction_id", flat=True)) == set(names)
    with pytest.raises(LagoApiError) as refused:
        lago.events.batch_create(BatchEvent(events=events))
    assert refused.value.response["error_details"].keys() == {"0", "1", "2"}
    assert UsageEvent.objects.count() == 3


def test_the_official_client_is_told_that_its_key_is_wrong(port):
    with pytest.raises(LagoApiError) as refused:
        Client(api_key="wrong", api_url=f"http://127.0.0.1:{port}").events.create(
            Event(transaction_id="t-1", external_subscription_id="sub-1", code="api")
        )
    assert (refused.value.status_code, refused.value.response) == (
        401,
        {"status": 401, "error": "Unauthorized"},
    )


def test_hostile_requests_over_one_connection_are_each_answered_and_the_next_is_served(port, key):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def post(path, body, key=key):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", f"/api/v1/{path}", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.headers["Content-Type"] == "application/json"
        return response.status, answer.get("code", answer.get("error"))

    huge = b'{"event":{"properties":"' + b"x" * 10 * MEBIBYTE + b'"}}'
    assert post("events", huge) == (413, "body_is_too_large")
    assert post("events", huge, key="wrong") == (401, "Unauthorized")
    assert post("nothing", huge) == (404, "resource_not_found")
    assert post("events", b'{"event":' + b"[" * MEBIBYTE) == (400, "BadRequest: JSON is nested too deeply")
    assert post("events/batch", b'{"events":[' + b"{}," * MEBIBYTE + b"{}]}") == (422, "validation_errors")
    assert post("events", json.dumps({"event": make_event()})) == (200, None)
    assert UsageEvent.objects.count() == 1


def test_a_body_without_a_declared_length_is_read_up_to_the_limit(port, key):
    def send(*chunks):
        headers = {"Authorization": f"Bearer {key}"}
        return requests.post(
            f"http://127.0.0.1:{port}/api/v1/events", data=iter(chunks), headers=headers, timeout=30
        )

    body = json.dumps({"event": make_event()}).encode()
    assert send(body[:20], body[20:]).status_code == 200
    assert send(*[b"x" * MEBIBYTE] * 10).status_code == 413
    assert UsageEvent.objects.count() == 1


def test_events_that_were_answered_with_200_outlive_the_server(key, tmp_path):
    with serve_test_database(tmp_path) as server, HTTPSession(server.port, key) as session:
        accepted = [name for name in map(str, range(50)) if session.post(name) == 200]
        server.kill()
    assert len(accepted) == 50
    assert set(UsageEvent.objects.values_list("transaction_id", flat=True)) == set(accepted)


def test_an_event_sent_by_twenty_clients_at_once_is_stored_once(port, key):
    def send(_):
        with HTTPSession(port, key) as session:
            return [session.post(name) for name in "abc"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    for statuses in zip(*answers, strict=True):
        assert sorted(statuses) == [200] + [422] * 19
    assert UsageEvent.objects.count() == 3


def test_a_revoked_key_is_refused_by_every_worker_within_two_seconds(port, key):
    with HTTPSession(port, key) as session:
        assert session.post("before") == 200
        ApiKey.objects.update(revoked_at=timezone.now())
        time.sleep(1.5)
        assert {session.post(f"after-{number}") for number in range(20)} == {401}
    assert UsageEvent.objects.count() == 1


class HTTPSession:
    """One connection that posts events."""

    def __init__(self, port, key):
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Authorization": f"Bearer {key}"}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.connection.close()

    def post(self, transaction_id):
        body = json.dumps({"event": make_event(transaction_id)})
        self.connection.request("POST", "/api/v1/events", body, self.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status
