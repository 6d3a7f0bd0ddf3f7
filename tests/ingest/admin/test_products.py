"""The Odoo product on the pages of a plan and of a charge: finance sets it, and nothing else."""

import pytest
from django.urls import reverse

from ingest.models import AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db

KINDS = {"plan": factories.PlanFactory, "charge": factories.ChargeFactory}


def page_of(row):
    return reverse(f"admin:ingest_{row._meta.model_name}_change", args=[row.pk])


def save(client, row, product, **others):
    """Posts the page with this product; the inlines below it are empty."""
    forms = {
        f"{prefix}-{name}_FORMS": "0" for prefix in ("versions", "charges") for name in ("TOTAL", "INITIAL")
    }
    return client.post(page_of(row), {"odoo_product_id": product, **forms, **others})


@pytest.mark.parametrize("kind", KINDS)
def test_finance_sets_it_and_the_audit_has_both_values(client, finance, kind):
    row = KINDS[kind](odoo_product_id=None)
    client.force_login(finance)
    assert save(client, row, "42", code="mine", name="Mine").status_code == 302
    before = row.code
    row.refresh_from_db()
    assert (row.odoo_product_id, row.code) == (42, before)
    record = AuditRecord.objects.get()
    assert (record.action, record.actor, record.service) == (f"{kind}.map", finance, row.service)
    assert (record.before, record.after) == ({"odoo_product_id": None}, {"odoo_product_id": 42})
    save(client, row, "42")
    assert AuditRecord.objects.count() == 1
    assert "whole number from 1 on" in client.get(save(client, row, "-3").url).content.decode()
    row.refresh_from_db()
    assert (row.odoo_product_id, AuditRecord.objects.count()) == (42, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
def test_nobody_else_sets_it_nor_brings_an_old_version_back(client, person, kind):
    row = KINDS[kind](odoo_product_id=None)
    client.force_login(person)
    assert save(client, row, "42").status_code == 403
    version = row.history.first()
    old = reverse(f"admin:ingest_{kind}_simple_history", args=[row.pk, version.history_id])
    client.post(old, {"odoo_product_id": "42"})
    row.refresh_from_db()
    assert row.odoo_product_id is None
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_those_without_one_are_a_list_of_their_own(client, auditor, kind):
    without = KINDS[kind](odoo_product_id=None)
    KINDS[kind](odoo_product_id=7)
    client.force_login(auditor)
    found = client.get(reverse(f"admin:ingest_{kind}_changelist") + "?product=no").context["cl"].result_list
    assert without in found
    assert all(each.odoo_product_id is None for each in found)
