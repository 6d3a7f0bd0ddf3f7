"""Webhooks out: signed over the exact bytes, retried for days under one key, and telling no secret to anybody."""

import base64
import hashlib
import hmac
import json
import socket
import uuid
from datetime import timedelta

import jwt
import pytest
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation import webhooks
from reconciliation.models import Delivery, WebhookEndpoint
from reconciliation.secrets import decrypt, encrypt
from reconciliation.signing import read_public_key
from reconciliation.webhooks import WAITS, announce, create_endpoint, deliver_due, retry, sign
from tests import factories
from tests.reconciliation.receiver import receive

pytestmark = pytest.mark.django_db

SECRET = "an old key that is carried over"


def listen(url, **values):
    """An endpoint of a new service with a known secret."""
    return factories.WebhookEndpointFactory(url=url, secret=encrypt(SECRET), **values)


def tell(endpoint, **payload):
    (delivery,) = announce(
        service=endpoint.service,
        webhook_type="cutover.approved",
        object_type="cutover",
        payload=payload or {"status": "approved"},
    )
    return delivery


def deliver(delivery, now=None):
    count = deliver_due(now=now or timezone.now())
    delivery.refresh_from_db()
    return count


class TestEndpoints:
    def test_a_new_endpoint_has_a_secret_that_is_shown_once_and_encrypted_at_rest(self, operator):
        service = factories.ServiceFactory()
        endpoint, key = create_endpoint(service=service, url="https://nexa.example/hooks", actor=operator)
        endpoint.refresh_from_db()
        stored = bytes(endpoint.secret)
        assert len(key) >= 43
        assert key.encode() not in stored
        assert base64.urlsafe_b64encode(key.encode()) not in stored
        assert decrypt(stored) == key
        record = AuditRecord.objects.get()
        assert (record.action, record.actor) == ("webhook_endpoint.create", operator)
        assert key not in json.dumps([record.before, record.after, record.reason, record.object_label])

    def test_an_old_key_can_be_carried_over(self):
        _, key = create_endpoint(
            service=factories.ServiceFactory(), url="http://nexa.example", actor=None, secret=SECRET
        )
        assert key == SECRET

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "nexa.example/hooks",
            "ftp://nexa.example",
            "file:///etc/passwd",
            "https://",
            "http://[",
            "http://nexa.example:abc/",
            "https://user:password@nexa.example/hooks",
            "https://nexa.example/" + "a" * 1024,
        ],
    )
    def test_what_is_no_address_or_holds_a_password_is_refused(self, url):
        with pytest.raises(DomainError) as refused:
            create_endpoint(service=factories.ServiceFactory(), url=url, actor=None)
        assert refused.value.code == "url_is_invalid"
        assert not WebhookEndpoint.objects.exists()
        assert not AuditRecord.objects.exists()

    @pytest.mark.parametrize(
        "host",
        ["nexa..example", "a" * 64 + ".example", "*.nexa.example", ".nexa.example", "\u2488nexa.example"],
    )
    def test_a_host_that_no_request_could_be_sent_to_is_refused(self, host):
        with pytest.raises(DomainError) as refused:
            create_endpoint(service=factories.ServiceFactory(), url=f"https://{host}/hooks", actor=None)
        assert refused.value.code == "host_is_invalid"
        assert not WebhookEndpoint.objects.exists()

    @pytest.mark.parametrize("host", ["bücher.example", "127.0.0.1:8000", "[::1]:8000", "nexa_desk.internal"])
    def test_names_of_every_kind_are_taken(self, host):
        endpoint, _ = create_endpoint(service=factories.ServiceFactory(), url=f"http://{host}/", actor=None)
        assert endpoint.url == f"http://{host}/"

    def test_the_same_address_twice_and_the_eleventh_are_refused(self):
        service = factories.ServiceFactory()
        for number in range(10):
            create_endpoint(service=service, url=f"https://nexa.example/{number}", actor=None)
        for url, code in (
            ("https://nexa.example/3", "value_already_exist"),
            ("https://new.example", "exceeded_limit"),
        ):
            with pytest.raises(DomainError) as refused:
                create_endpoint(service=service, url=url, actor=None)
            assert refused.value.code == code
        assert WebhookEndpoint.objects.count() == 10

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
    def test_only_operators_may_add_one(self, person):
        with pytest.raises(DomainError) as refused:
            create_endpoint(service=factories.ServiceFactory(), url="https://nexa.example", actor=person)
        assert refused.value.code == "permission_denied"


class TestAnnouncing:
    def test_the_body_is_lagos_envelope(self):
        endpoint = listen("https://nexa.example")
        delivery = tell(endpoint, status="approved", lago_id="1a90")
        assert json.loads(delivery.body) == {
            "webhook_type": "cutover.approved",
            "object_type": "cutover",
            "organization_id": str(endpoint.service.public_id),
            "cutover": {"status": "approved", "lago_id": "1a90"},
        }
        assert (delivery.status, delivery.attempts) == ("pending", 0)

    def test_each_active_endpoint_of_the_service_gets_its_own_delivery_and_key(self):
        first = listen("https://a.example")
        listen("https://b.example", service=first.service)
        listen("https://c.example", service=first.service, is_active=False)
        listen("https://d.example")
        deliveries = announce(service=first.service, webhook_type="x", object_type="x", payload={})
        assert {delivery.endpoint.url for delivery in deliveries} == {
            "https://a.example",
            "https://b.example",
        }
        assert len({delivery.unique_key for delivery in deliveries}) == 2

    def test_a_service_without_endpoints_is_told_nothing(self):
        assert (
            announce(service=factories.ServiceFactory(), webhook_type="x", object_type="x", payload={}) == []
        )


class TestDelivering:
    def test_the_signature_is_over_the_exact_bytes_under_lagos_headers(self):
        with receive(200) as receiver:
            delivery = tell(listen(receiver.url), name="Zoë & <Söhne>")
            assert deliver(delivery) == 1
        ((headers, body),) = receiver.requests
        assert body == delivery.body.encode()
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Lago-Signature-Algorithm"] == "hmac"
        assert headers["X-Lago-Unique-Key"] == str(delivery.unique_key)
        assert uuid.UUID(headers["X-Lago-Unique-Key"])
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
        assert base64.b64decode(headers["X-Lago-Signature"], validate=True) == digest
        assert "\n" not in headers["X-Lago-Signature"]

    def test_by_jwt_the_body_is_signed_with_the_consoles_own_key(self, settings):
        settings.API_URL = "https://console.example"
        with receive(200) as receiver:
            delivery = tell(listen(receiver.url, algorithm="jwt"), name="Zoë & <Söhne>")
            assert deliver(delivery) == 1
        ((headers, body),) = receiver.requests
        assert headers["X-Lago-Signature-Algorithm"] == "jwt"
        token = headers["X-Lago-Signature"]
        assert jwt.get_unverified_header(token)["alg"] == "RS256"
        claims = jwt.decode(token, read_public_key(), algorithms=["RS256"])
        assert claims == {"data": body.decode(), "iss": "https://console.example"}

    def test_an_endpoint_that_was_deleted_is_left_alone(self, operator):
        with receive(200) as receiver:
            delivery = tell(listen(receiver.url))
            WebhookEndpoint.objects.update(deleted_at=timezone.now())
            assert deliver(delivery) == 0
        assert receiver.requests == []
        Delivery.objects.update(status="failed", next_attempt_at=None)
        with pytest.raises(DomainError) as refused:
            retry(delivery_id=delivery.pk, actor=operator)
        assert refused.value.code == "endpoint_is_deleted"

    def test_a_known_signature_stays_what_it_is(self):
        assert sign(secret="key", body=b"The quick brown fox jumps over the lazy dog") == (
            "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="
        )

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_these_answers_are_success(self, status):
        with receive(status) as receiver:
            delivery = tell(listen(receiver.url))
            deliver(delivery)
        assert (delivery.status, delivery.http_status, delivery.next_attempt_at) == (
            "succeeded",
            status,
            None,
        )
        assert delivery.delivered_at is not None

    @pytest.mark.parametrize("status", [203, 206, 302, 307, 400, 401, 404, 410, 429, 500, 503])
    def test_every_other_answer_is_a_failure_that_is_tried_again(self, status):
        with receive(200) as elsewhere, receive(status, location=elsewhere.url) as receiver:
            delivery = tell(listen(receiver.url))
            deliver(delivery)
        assert (delivery.status, delivery.http_status, delivery.delivered_at) == ("retrying", status, None)
        assert delivery.response == "thanks"
        assert elsewhere.requests == [], "a redirect is not followed"

    def test_a_receiver_that_is_down_is_tried_again(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        delivery = tell(listen(f"http://127.0.0.1:{port}/"))
        deliver(delivery)
        assert (delivery.status, delivery.http_status, delivery.response) == (
            "retrying",
            None,
            "ConnectionError",
        )

    def test_a_receiver_that_does_not_answer_in_time_is_tried_again(self, settings):
        settings.WEBHOOK_TIMEOUT = 0.2
        with socket.create_server(("127.0.0.1", 0)) as silent:
            delivery = tell(listen(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
            deliver(delivery)
        assert (delivery.status, delivery.response) == ("retrying", "ReadTimeout")

    def test_of_a_long_answer_only_the_start_is_kept(self):
        with receive(500, body="\x00é" * 100_000) as receiver:
            delivery = tell(listen(receiver.url))
            deliver(delivery)
        assert delivery.response.startswith("éé")
        assert len(delivery.response) <= webhooks.KEPT_RESPONSE

    def test_a_secret_that_another_key_encrypted_is_a_failure_and_keeps_nothing_else_up(self, settings):
        with receive(200) as receiver:
            broken = tell(listen(receiver.url + "&broken"))
            WebhookEndpoint.objects.update(secret=b"sealed with another key")
            fine = tell(listen(receiver.url))
            assert deliver(broken) == 2
            fine.refresh_from_db()
        assert (broken.status, broken.response) == ("retrying", "InvalidToken")
        assert fine.status == "succeeded"
        assert len(receiver.requests) == 1

    def test_no_secret_is_logged_or_kept(self, caplog, capsys):
        caplog.set_level("DEBUG")
        with receive(500) as receiver:
            delivery = tell(listen(receiver.url))
            deliver(delivery)
        out, err = capsys.readouterr()
        assert SECRET not in caplog.text + out + err + delivery.response + delivery.body


class TestRetrying:
    def test_waits_grow_for_days_under_the_same_body_and_key(self):
        with receive(503) as receiver:
            delivery = tell(listen(receiver.url))
            now, waits = timezone.now() + timedelta(days=1), []
            for _ in range(len(WAITS)):
                assert deliver(delivery, now) == 1
                if delivery.next_attempt_at:
                    waits.append(delivery.next_attempt_at - now)
                    now = delivery.next_attempt_at
            assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == ("failed", 11, None)
            assert deliver(delivery, now + timedelta(days=30)) == 0
        assert waits == sorted(waits) == WAITS[:-1]
        assert sum(waits, timedelta()) > timedelta(days=2)
        assert len({headers["X-Lago-Unique-Key"] for headers, _ in receiver.requests}) == 1
        assert len({(headers["X-Lago-Signature"], body) for headers, body in receiver.requests}) == 1

    def test_it_ends_with_the_first_success(self):
        with receive(500, 500, 200) as receiver:
            delivery = tell(listen(receiver.url))
            now = timezone.now() + timedelta(days=1)
            for _ in range(5):
                deliver(delivery, now)
                now = delivery.next_attempt_at or now
        assert (delivery.status, delivery.attempts, len(receiver.requests)) == ("succeeded", 3, 3)

    def test_what_is_not_due_waits(self):
        delivery = tell(listen("http://127.0.0.1:9/"))
        Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(seconds=1))
        assert deliver(delivery) == 0

    def test_an_endpoint_that_was_switched_off_is_left_alone(self):
        with receive(200) as receiver:
            delivery = tell(listen(receiver.url))
            WebhookEndpoint.objects.update(is_active=False)
            assert deliver(delivery) == 0
        assert receiver.requests == []

    def test_a_killed_workers_delivery_is_attempted_again(self):
        """The next attempt is scheduled before this one is made."""
        with receive(200) as receiver:
            delivery = tell(listen(receiver.url))
            claimed = webhooks._claim(timezone.now())
            assert (claimed, claimed.attempts) == (delivery, 1)
            assert deliver(delivery) == 0
            assert deliver(delivery, claimed.next_attempt_at) == 1
        assert (delivery.status, delivery.attempts) == ("succeeded", 2)

    def test_a_result_that_comes_too_late_does_not_undo_a_success(self):
        with receive(200) as receiver:
            delivery = tell(listen(receiver.url))
            late = webhooks._claim(timezone.now())
            deliver(delivery, late.next_attempt_at)
        webhooks._attempt(late, timezone.now())
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == ("succeeded", 2)

    def test_a_sweep_attempts_no_more_than_its_share(self):
        with receive(200) as receiver:
            endpoint = listen(receiver.url)
            for _ in range(5):
                tell(endpoint)
            assert deliver_due(now=timezone.now(), limit=3) == 3
        assert len(receiver.requests) == 3


class TestSlowReceivers:
    """Whatever one receiver does, the others hear of their facts, and a call ends."""

    def test_no_attempt_begins_once_the_budget_is_used_up(self, monkeypatch):
        monkeypatch.setattr(webhooks, "BUDGET", 0.2)
        with receive(200, seconds=0.3) as receiver:
            for _ in range(3):
                tell(listen(receiver.url))
            assert deliver_due(now=timezone.now()) == 1
        assert len(receiver.requests) == 1

    def test_a_slow_endpoint_is_tried_once_and_the_others_are_served(self, monkeypatch):
        monkeypatch.setattr(webhooks, "SLOW", 0.2)
        with receive(200, seconds=0.3) as slow, receive(200) as quick:
            endpoint = listen(slow.url)
            for _ in range(3):
                tell(endpoint)
            tell(listen(quick.url))
            assert deliver_due(now=timezone.now()) == 2
        assert (len(slow.requests), len(quick.requests)) == (1, 1)

    def test_an_endpoint_that_gave_no_answer_comes_last(self):
        with receive(200) as receiver:
            silent = listen(receiver.url)
            for attempts in (1, 0):
                factories.DeliveryFactory(endpoint=silent, status="retrying", attempts=attempts)
            owed = tell(listen(receiver.url))
            assert deliver_due(now=timezone.now(), limit=1) == 1
        owed.refresh_from_db()
        assert owed.status == "succeeded"


class TestSendingAgain:
    @pytest.fixture
    def failed(self):
        return factories.DeliveryFactory(status="failed", attempts=11, next_attempt_at=None)

    def test_an_operator_sends_a_failed_delivery_again_with_the_same_key(self, failed, operator):
        again = retry(delivery_id=failed.pk, actor=operator)
        again.refresh_from_db()
        assert (again.status, again.attempts) == ("retrying", 0)
        assert (again.unique_key, again.body) == (failed.unique_key, failed.body)
        assert again.next_attempt_at <= timezone.now()
        record = AuditRecord.objects.get()
        assert (record.action, record.actor) == ("delivery.retry", operator)
        assert record.service == failed.endpoint.service

    @pytest.mark.parametrize("status", ["pending", "retrying", "succeeded"])
    def test_only_a_failed_one_is_sent_again(self, operator, status):
        delivery = factories.DeliveryFactory(status=status)
        with pytest.raises(DomainError) as refused:
            retry(delivery_id=delivery.pk, actor=operator)
        assert refused.value.code == "not_failed"

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
    def test_nobody_else_may(self, failed, person):
        with pytest.raises(DomainError) as refused:
            retry(delivery_id=failed.pk, actor=person)
        assert refused.value.code == "permission_denied"
        failed.refresh_from_db()
        assert failed.status == "failed"
