"""Lago's ids: of every kind in one table, and what the customers' own column held is there."""

from importlib import import_module
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.urls import reverse

from ingest.lago_ids import find_lago_id, find_public_ids, link_lago_id
from ingest.models import AuditRecord, LagoId, LagoKind
from tests import factories

pytestmark = pytest.mark.django_db

ID = UUID("1a901a90-1a90-1a90-1a90-1a901a901a90")


def link(customer, **values):
    given = {"lago_id": ID, "kind": LagoKind.CUSTOMER, "rule": "a test"} | values
    link_lago_id(row=customer, service_id=customer.service_id, **given)


def find(customer, kind=LagoKind.CUSTOMER):
    return find_lago_id(service_id=customer.service_id, kind=kind, lago_id=ID)


def test_an_id_is_one_services_and_one_kinds():
    customer, other = factories.CustomerFactory(), factories.CustomerFactory()
    link(customer)
    assert find(customer).public_id == customer.public_id
    assert find(customer, LagoKind.PLAN) is None
    assert find(other) is None


def test_linking_it_again_keeps_the_newest_and_is_audited_once():
    customer = factories.CustomerFactory()
    link(customer)
    link(customer, digest="d1")
    assert LagoId.objects.get().digest == "d1"
    assert AuditRecord.objects.get().after == {"lago_id": str(ID)}


def test_several_are_found_at_once():
    customer = factories.CustomerFactory()
    link(customer)
    known = find_public_ids(service_id=customer.service_id, kind=LagoKind.CUSTOMER, lago_ids=[ID, uuid4()])
    assert known == {ID: customer.public_id}


def test_the_upgrade_keeps_what_customers_had():
    customer = factories.CustomerFactory()
    upgrade = import_module("ingest.migrations.0012_lago")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("ALTER TABLE ingest_customer ADD COLUMN lago_id uuid")
        cursor.execute("UPDATE ingest_customer SET lago_id = %s", [ID])
        cursor.execute(upgrade.COPY)
        cursor.execute("UPDATE ingest_customer SET lago_id = NULL")
        cursor.execute(upgrade.COPY_BACK)
        cursor.execute("SELECT lago_id FROM ingest_customer")
        assert cursor.fetchone()[0] == ID
    assert find(customer).public_id == customer.public_id


def test_a_customers_page_shows_it(client, auditor):
    customer = factories.CustomerFactory()
    link(customer)
    client.force_login(auditor)
    page = client.get(reverse("admin:ingest_customer_change", args=[customer.pk])).content.decode()
    assert str(ID) in page
