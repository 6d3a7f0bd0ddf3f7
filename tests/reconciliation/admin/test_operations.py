"""What operators do on the screens: run again, try again, send again, add an endpoint."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from ingest.models import AuditRecord
from reconciliation.models import DeliveryStatus, PushStatus, Run, RunStatus, WebhookEndpoint
from reconciliation.secrets import decrypt
from tests import factories

pytestmark = pytest.mark.django_db


def make_failed(name):
    """A failed run, push or delivery, and the address of its button."""
    make = {
        "run": lambda: factories.RunFactory(status=RunStatus.FAILED, message="Odoo did not answer."),
        "push": lambda: factories.PushFactory(status=PushStatus.FAILED, error="Refused."),
        "delivery": lambda: factories.DeliveryFactory(status=DeliveryStatus.FAILED),
    }[name]
    row = make()
    return row, reverse(f"admin:reconciliation_{name}_retry", args=[row.pk])


def page_of(row):
    return reverse(f"admin:reconciliation_{row._meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize("name", ["run", "push", "delivery"])
def test_an_operator_retries_what_failed(client, operator, name):
    row, address = make_failed(name)
    client.force_login(operator)
    assert address in client.get(page_of(row)).content.decode()

    response = client.post(address)

    assert (response.status_code, response["Location"]) == (302, page_of(row))
    assert AuditRecord.objects.get().actor == operator
    row.refresh_from_db()
    if name == "run":
        again = Run.objects.exclude(pk=row.pk).get()
        assert (again.kind, again.service, again.status) == (row.kind, row.service, RunStatus.QUEUED)
        assert page_of(again) in str(list(get_messages(response.wsgi_request))[-1])
    else:
        assert row.status in {PushStatus.PENDING, DeliveryStatus.RETRYING}


@pytest.mark.parametrize("name", ["run", "push", "delivery"])
@pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
def test_nobody_else_retries_or_sees_the_button(client, person, name):
    row, address = make_failed(name)
    client.force_login(person)

    assert address not in client.get(page_of(row)).content.decode()
    assert client.post(address).status_code == 403
    assert client.get(address).status_code == 405
    assert not AuditRecord.objects.exists()


class TestNewKeys:
    """An endpoint that came from Lago has a key that nobody was shown."""

    def renew(self, client, endpoint, reason="It came from Lago."):
        address = reverse("admin:reconciliation_webhookendpoint_renew", args=[endpoint.pk])
        return client.post(address, {"reason": reason})

    def test_an_operator_gives_an_endpoint_another_key_that_is_shown_once(self, client, operator):
        endpoint = factories.WebhookEndpointFactory()
        before = bytes(endpoint.secret)
        client.force_login(operator)
        assert "New key" in client.get(page_of(endpoint)).content.decode()

        shown = self.renew(client, endpoint)

        endpoint.refresh_from_db()
        key = decrypt(bytes(endpoint.secret))
        assert bytes(endpoint.secret) != before
        assert key in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        record = AuditRecord.objects.get()
        assert (record.actor, record.reason) == (operator, "It came from Lago.")
        assert key not in f"{record.before}{record.after}"
        assert key not in client.get(page_of(endpoint)).content.decode()

    @pytest.mark.parametrize(
        ("values", "reason"),
        [({}, " "), ({"algorithm": "jwt"}, "Why not."), ({"deleted_at": factories.SEEN_AT}, "Why not.")],
    )
    def test_without_a_reason_or_a_key_there_is_none(self, client, operator, values, reason):
        endpoint = factories.WebhookEndpointFactory(**values)
        client.force_login(operator)
        assert self.renew(client, endpoint, reason).status_code == 302
        before = bytes(endpoint.secret)
        endpoint.refresh_from_db()
        assert bytes(endpoint.secret) == before
        assert not AuditRecord.objects.exists()

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
    def test_nobody_else_does(self, client, person):
        endpoint = factories.WebhookEndpointFactory()
        client.force_login(person)
        assert self.renew(client, endpoint).status_code == 403
        assert "New key" not in client.get(page_of(endpoint)).content.decode()


def test_what_did_not_fail_is_not_retried(client, operator):
    push = factories.PushFactory()
    client.force_login(operator)

    assert "Try again" not in client.get(page_of(push)).content.decode()
    response = client.post(reverse("admin:reconciliation_push_retry", args=[push.pk]))

    assert "Only a failed push" in str(list(get_messages(response.wsgi_request))[-1])
    assert not AuditRecord.objects.exists()


def test_a_retry_of_what_is_not_there_is_not_found(client, operator):
    client.force_login(operator)

    assert client.post(reverse("admin:reconciliation_run_retry", args=[4711])).status_code == 404


def test_a_runs_progress_is_not_shown_to_who_has_no_role(client, outsider):
    run = factories.RunFactory()
    client.force_login(outsider)

    assert client.get(reverse("admin:reconciliation_run_progress", args=[run.pk])).status_code == 403


def test_an_endpoints_key_is_shown_once_and_kept_encrypted(client, operator):
    service = factories.ServiceFactory(code="nexacloud")
    client.force_login(operator)
    address = reverse("admin:reconciliation_webhookendpoint_add")
    values = {"service": "nexacloud", "url": "https://cloud.example/hooks", "secret": "our-own-old-key"}
    values["algorithm"] = "hmac"

    page = client.post(address, values)

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.service, endpoint.url) == (service, "https://cloud.example/hooks")
    assert "our-own-old-key" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert b"our-own-old-key" not in bytes(endpoint.secret)
    assert "our-own-old-key" not in client.get(page_of(endpoint)).content.decode()
    assert "our-own-old-key" not in str(AuditRecord.objects.values())


def test_an_endpoint_signed_by_jwt_has_no_key_to_show(client, operator):
    factories.ServiceFactory(code="nexacloud")
    client.force_login(operator)
    values = {"service": "nexacloud", "url": "https://cloud.example/hooks", "algorithm": "jwt"}

    answer = client.post(reverse("admin:reconciliation_webhookendpoint_add"), values)

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.algorithm, bytes(endpoint.secret)) == ("jwt", b"")
    assert answer["Location"] == page_of(endpoint)


@pytest.mark.parametrize("url", ["ftp://nexa.example/hooks", f"https://{'a' * 64}.example/hooks"])
def test_an_address_that_nothing_can_be_posted_to_is_refused_at_its_field(client, operator, url):
    service = factories.ServiceFactory()
    client.force_login(operator)
    values = {"service": service.code, "url": url, "algorithm": "hmac"}

    page = client.post(reverse("admin:reconciliation_webhookendpoint_add"), values)

    assert page.status_code == 200
    assert set(page.context["form"].errors) == {"url"}
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_that_is_there_already_is_refused_on_the_form(client, operator):
    endpoint = factories.WebhookEndpointFactory()
    client.force_login(operator)
    values = {"service": endpoint.service.code, "url": endpoint.url, "algorithm": "hmac"}

    page = client.post(reverse("admin:reconciliation_webhookendpoint_add"), values)

    assert "already listens there" in page.content.decode()
    assert WebhookEndpoint.objects.count() == 1


class TestStopping:
    """An operator gives up a push and stops a run, each by its button."""

    def make(self, action):
        if action == "give_up":
            return factories.PushFactory(status=PushStatus.FAILED, error="Refused.")
        status = RunStatus.PAUSED if action == "resume" else RunStatus.QUEUED
        return factories.RunFactory(status=status)

    def address(self, row, action):
        return reverse(f"admin:reconciliation_{row._meta.model_name}_{action}", args=[row.pk])

    @pytest.mark.parametrize("action", ["give_up", "pause", "resume", "cancel"])
    def test_an_operator_presses_it(self, client, operator, action):
        row = self.make(action)
        client.force_login(operator)
        assert self.address(row, action) in client.get(page_of(row)).content.decode()

        response = client.post(self.address(row, action), {"reason": "The customer left."})

        assert (response.status_code, response["Location"]) == (302, page_of(row))
        before = row.status
        row.refresh_from_db()
        assert row.status != before
        assert AuditRecord.objects.get().actor == operator
        assert self.address(row, action) not in client.get(page_of(row)).content.decode()

    @pytest.mark.parametrize("action", ["give_up", "pause", "resume", "cancel"])
    @pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
    def test_nobody_else_does(self, client, person, action):
        row = self.make(action)
        client.force_login(person)
        assert self.address(row, action) not in client.get(page_of(row)).content.decode()
        assert client.post(self.address(row, action), {"reason": "Why not."}).status_code == 403
        assert not AuditRecord.objects.exists()
