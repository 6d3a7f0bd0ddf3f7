"""The screens of connections: an operator makes, changes, checks and gives them; a key is never shown again."""

import pytest
from django.urls import reverse

from ingest.models import AuditRecord
from reconciliation.models import OdooConnection, Run, ServiceConnection
from reconciliation.secrets import decrypt, encrypt
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:reconciliation_odooconnection_changelist")
ENVIRONMENT = reverse("admin:reconciliation_odooconnection_check_environment")
KEY = "a-key-that-must-not-show"
VALUES = {
    "name": "Europe",
    "url": "https://eu.odoo.example.com",
    "database": "eu",
    "login": "console",
    "company_id": 3,
    "language": "fr_FR",
    "transport": "json2",
}


def page_of(row):
    return reverse(f"admin:reconciliation_{row._meta.model_name}_change", args=[row.pk])


def test_an_operator_adds_one_and_its_key_is_shown_nowhere(client, operator):
    client.force_login(operator)
    added = client.post(reverse("admin:reconciliation_odooconnection_add"), {**VALUES, "api_key": KEY})
    connection = OdooConnection.objects.get()
    assert added.status_code == 302
    assert decrypt(bytes(connection.secret)) == KEY
    for address in (LIST, page_of(connection)):
        assert KEY not in client.get(address).content.decode()
    assert [record.action for record in AuditRecord.objects.all()] == ["connection.create"]


@pytest.mark.parametrize(
    ("values", "field"),
    [({"api_key": ""}, "api_key"), ({"url": "odoo.example.com"}, "url"), ({"company_id": 0}, "company_id")],
)
def test_what_cannot_work_is_said_at_its_field(client, operator, values, field):
    client.force_login(operator)
    given = {**VALUES, "api_key": KEY, **values}
    answer = client.post(reverse("admin:reconciliation_odooconnection_add"), given)
    assert set(answer.context["adminform"].form.errors) == {field}
    assert KEY not in answer.content.decode()
    assert not OdooConnection.objects.exists()


def test_an_operator_changes_one_and_an_empty_key_stays(client, operator):
    connection = factories.OdooConnectionFactory(secret=encrypt(KEY))
    client.force_login(operator)
    assert client.post(page_of(connection), {**VALUES, "url": connection.url}).status_code == 302
    connection.refresh_from_db()
    assert (connection.name, connection.transport, decrypt(bytes(connection.secret))) == (
        "Europe",
        "json2",
        KEY,
    )
    assert "is not sent to another address" in client.post(page_of(connection), VALUES).content.decode()
    client.post(page_of(connection), {**VALUES, "api_key": "another"})
    connection.refresh_from_db()
    assert connection.url == VALUES["url"]
    assert decrypt(bytes(connection.secret)) == "another"


@pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
def test_nobody_else_changes_or_checks_one_or_is_asked_for_a_key(client, person):
    connection = factories.OdooConnectionFactory()
    client.force_login(person)
    check = reverse("admin:reconciliation_odooconnection_check_now", args=[connection.pk])
    for address, given in ((page_of(connection), VALUES), (check, {}), (ENVIRONMENT, {})):
        assert client.post(address, given).status_code == 403
    page = client.get(page_of(connection)).content.decode()
    assert "api_key" not in page
    assert "Check now" not in page + client.get(LIST).content.decode()
    assert not Run.objects.exists()


def test_an_operator_checks_any_of_them_by_post(client, operator, settings):
    settings.ODOO_URL = "https://odoo.example.com"
    connection = factories.OdooConnectionFactory()
    client.force_login(operator)
    check = reverse("admin:reconciliation_odooconnection_check_now", args=[connection.pk])
    page = client.get(LIST).content.decode()
    for address in (check, ENVIRONMENT):
        assert f'action="{address}"' in page
        assert client.get(address).status_code == 405
        assert client.post(address).status_code == 302
    assert list(Run.objects.order_by("pk").values_list("kind", "parameters", "status")) == [
        ("check", {"connection": str(connection.public_id)}, "queued"),
        ("check", {}, "queued"),
    ]


def test_the_newest_check_shows_on_the_page_and_on_the_card(client, auditor):
    connection = factories.OdooConnectionFactory(name="Europe")
    found = factories.ConnectionCheckFactory(connection=connection)
    client.force_login(auditor)
    listed = client.get(LIST).content.decode()
    assert "does not work" in listed
    assert page_of(found) in listed
    for row in (connection, found):
        page = client.get(page_of(row)).content.decode()
        assert "Rights: Too few." in page
        assert "Ask." in page


class TestServices:
    def values(self, service, **changes):
        kept = {
            "name": service.name,
            "timezone": service.timezone,
            "grace_hours": service.grace_hours,
            "late_usage_policy": service.late_usage_policy,
            "required_clean_periods": service.required_clean_periods,
        }
        return {**kept, **changes}

    def test_an_operator_has_a_service_billed_by_another_odoo(self, client, operator):
        service, connection = factories.ServiceFactory(), factories.OdooConnectionFactory()
        client.force_login(operator)
        address = reverse("admin:ingest_service_change", args=[service.pk])
        answer = client.post(address, self.values(service, odoo_connection=connection.pk))
        assert answer.status_code == 302
        assert ServiceConnection.objects.get().connection == connection
        assert AuditRecord.objects.get().after == {"connection": connection.name}
        form = client.get(address).context["adminform"].form
        assert form["odoo_connection"].initial == connection

    def test_but_not_one_that_is_linked(self, client, operator):
        service, connection = factories.ServiceFactory(), factories.OdooConnectionFactory()
        factories.CustomerFactory(service=service, odoo_partner_id=7)
        client.force_login(operator)
        address = reverse("admin:ingest_service_change", args=[service.pk])
        answer = client.post(address, self.values(service, odoo_connection=connection.pk))
        assert set(answer.context["adminform"].form.errors) == {"odoo_connection"}
        assert not ServiceConnection.objects.exists()
