"""The key in the Authorization header, and what happens without a good one (Lago: authentication)."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from ingest.keys import create_key
from ingest.models import ApiKey, UsageEvent
from tests import factories
from tests.ingest.api.conftest import make_event

pytestmark = pytest.mark.django_db


def is_unauthorized(response):
    assert response["Content-Type"] == "application/json"
    assert response["WWW-Authenticate"] == "Bearer"
    return (response.status_code, response.content) == (401, b'{"status":401,"error":"Unauthorized"}')


@pytest.mark.parametrize(
    "header", ["Bearer {}", "bearer {}", "Token {}", "anything  {}", "Bearer\t{} and more"]
)
def test_the_second_word_is_the_key_whatever_the_first_says(post, key, header):
    response = post("events", {"event": make_event()}, authorization=header.format(key))
    assert response.status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "{}", "Bearer bc_unknown {}", "Bearer \xe9"])
@pytest.mark.parametrize("path", ["events", "events/batch"])
def test_without_a_good_key_nothing_is_read_or_stored(post, key, header, path):
    assert is_unauthorized(post(path, b"not even json", authorization=header.format(key)))
    body = {"event": make_event(), "events": [make_event()]}
    assert is_unauthorized(post(path, body, authorization=header.format(key)))
    assert not UsageEvent.objects.exists()


def test_without_any_header_the_answer_is_the_same():
    assert is_unauthorized(Client().post("/api/v1/events", {}, "application/json"))


def test_an_expired_key_is_refused(post, service):
    key = create_key(service=service, name="", actor=None, expires_at=timezone.now() + timedelta(days=1)).key
    headers = {"authorization": f"Bearer {key}"}
    assert post("events", {"event": make_event("t-1")}, **headers).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert is_unauthorized(post("events", {"event": make_event("t-2")}, **headers))
    assert UsageEvent.objects.count() == 1


def test_a_revoked_key_is_refused(post, service):
    ApiKey.objects.update(revoked_at=timezone.now())
    assert is_unauthorized(post("events", {"event": make_event()}))
    assert not UsageEvent.objects.exists()


def test_events_belong_to_the_service_of_the_key(post, service):
    other = create_key(service=factories.ServiceFactory(), name="", actor=None)
    post("events", {"event": make_event()})
    post("events", {"event": make_event()}, authorization=f"Bearer {other.key}")
    assert {event.service_id for event in UsageEvent.objects.all()} == {service.pk, other.record.service_id}


def test_a_key_is_never_logged(post, key, caplog):
    caplog.set_level("DEBUG")
    post("events", {"event": make_event()})
    post("events", {"event": make_event()})
    post("events", b"{", authorization=f"Bearer {key}x")
    assert "api_request_refused" in caplog.text
    assert key.split("_", 2)[2] not in caplog.text
