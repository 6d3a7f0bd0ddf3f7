"""The account link on the customer's page."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from ingest.models import AuditRecord, Customer
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:ingest_customer_changelist")


def page_of(customer):
    return reverse("admin:ingest_customer_change", args=[customer.pk])


def test_finance_links_a_customer_and_the_audit_has_both_values(client, finance):
    customer = factories.CustomerFactory(odoo_partner_id=None)
    client.force_login(finance)

    response = client.post(page_of(customer), {"odoo_partner_id": "42"})

    assert response.status_code == 302
    customer.refresh_from_db()
    assert customer.odoo_partner_id == 42
    record = AuditRecord.objects.get()
    assert (record.action, record.actor, record.service) == ("customer.link", finance, customer.service)
    assert (record.before, record.after) == ({"odoo_partner_id": None}, {"odoo_partner_id": 42})


def test_finance_changes_nothing_but_the_link(client, finance):
    customer = factories.CustomerFactory(name="Acme")
    client.force_login(finance)

    client.post(page_of(customer), {"odoo_partner_id": "42", "name": "Mine", "external_id": "mine"})

    customer.refresh_from_db()
    assert (customer.name, customer.odoo_partner_id) == ("Acme", 42)


@pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
def test_nobody_else_links_a_customer(client, person):
    customer = factories.CustomerFactory(odoo_partner_id=None)
    client.force_login(person)

    assert client.post(page_of(customer), {"odoo_partner_id": "42"}).status_code == 403
    customer.refresh_from_db()
    assert customer.odoo_partner_id is None
    assert not AuditRecord.objects.exists()


def test_the_same_link_again_writes_no_record(client, finance):
    customer = factories.CustomerFactory(odoo_partner_id=42)
    client.force_login(finance)

    client.post(page_of(customer), {"odoo_partner_id": "42"})

    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("partner", ["0", "-3"])
def test_an_id_that_odoo_cannot_have_is_refused_with_a_message(client, finance, partner):
    customer = factories.CustomerFactory(odoo_partner_id=7)
    client.force_login(finance)

    page = client.post(page_of(customer), {"odoo_partner_id": partner}, follow=True).content.decode()

    assert "whole number from 1 on" in page
    customer.refresh_from_db()
    assert customer.odoo_partner_id == 7


def test_unlinked_customers_are_a_list_of_their_own(client, auditor):
    unlinked = factories.CustomerFactory(odoo_partner_id=None)
    linked = factories.CustomerFactory()
    client.force_login(auditor)

    assert list(client.get(f"{LIST}?linked=no").context["cl"].result_list) == [unlinked]
    assert list(client.get(f"{LIST}?linked=yes").context["cl"].result_list) == [linked]


def test_the_list_says_how_many_subscriptions_are_open(client, auditor):
    customer = factories.CustomerFactory()
    factories.SubscriptionFactory.create_batch(2, customer=customer)
    factories.SubscriptionFactory(customer=customer, terminated_at=datetime(2026, 2, 1, tzinfo=UTC))
    factories.SubscriptionFactory(customer=customer, canceled_at=datetime(2025, 12, 1, tzinfo=UTC))
    client.force_login(auditor)

    (row,) = client.get(LIST).context["cl"].result_list

    assert row.open_count == 2
    assert Customer.objects.count() == 1
