"""What operators do on the screens: run again, try again, send again, add an endpoint."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from ingest.models import AuditRecord
from reconciliation.models import DeliveryStatus, PushStatus, Run, RunStatus, WebhookEndpoint
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

    page = client.post(address, values)

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.service, endpoint.url) == (service, "https://cloud.example/hooks")
    assert "our-own-old-key" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert b"our-own-old-key" not in bytes(endpoint.secret)
    assert "our-own-old-key" not in client.get(page_of(endpoint)).content.decode()
    assert "our-own-old-key" not in str(AuditRecord.objects.values())


@pytest.mark.parametrize("url", ["ftp://nexa.example/hooks", f"https://{'a' * 64}.example/hooks"])
def test_an_address_that_nothing_can_be_posted_to_is_refused_at_its_field(client, operator, url):
    service = factories.ServiceFactory()
    client.force_login(operator)
    values = {"service": service.code, "url": url}

    page = client.post(reverse("admin:reconciliation_webhookendpoint_add"), values)

    assert page.status_code == 200
    assert set(page.context["form"].errors) == {"url"}
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_that_is_there_already_is_refused_on_the_form(client, operator):
    endpoint = factories.WebhookEndpointFactory()
    client.force_login(operator)
    values = {"service": endpoint.service.code, "url": endpoint.url}

    page = client.post(reverse("admin:reconciliation_webhookendpoint_add"), values)

    assert "already listens there" in page.content.decode()
    assert WebhookEndpoint.objects.count() == 1
