"""Rates that change in Odoo: what a closed period bears, and what is kept of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from reconciliation import mirror
from reconciliation.models import OdooTax, OdooTaxPast
from reconciliation.tax_history import TaxCharts
from tests import factories
from tests.reconciliation.odoo_world import CHART

TAXES = [shelf for shelf in CHART if shelf.name == "taxes"]


@pytest.fixture
def hst(world):
    """Ontario's tax, which the mirror saw a day ago as it was."""
    OdooTax.objects.update(mirrored_at=timezone.now() - timedelta(days=1))
    return OdooTax.objects.get(name="13% HST").odoo_id


def change(world, tax, **values):
    world.office.call("account.tax", "write", [tax], values)
    mirror.sync(connector=world.connector, shelves=TAXES)


def charged(tax, *instants):
    charts = TaxCharts(1)
    return [charts.at(each).taxes[tax] for each in instants]


def test_a_closed_period_keeps_the_rate_of_its_end(world, hst):
    change(world, hst, amount=12)
    past = OdooTaxPast.objects.get()
    assert (past.percent, past.until) == (13, OdooTax.objects.get(odoo_id=hst).written_at)
    instants = (past.until - timedelta(days=30), past.until - timedelta(seconds=1), past.until, None)
    assert [tax.percent for tax in charged(hst, *instants)] == [13, 13, 12, 12]
    mirror.sync(connector=world.connector, shelves=TAXES)
    assert OdooTaxPast.objects.count() == 1


def test_each_of_several_rates_holds_until_the_next(db):
    tax = factories.OdooTaxFactory(percent=Decimal(11))
    now = timezone.now()
    for percent, days in ((13, 20), (12, 10)):
        until = now - timedelta(days=days)
        factories.OdooTaxPastFactory(odoo_id=tax.odoo_id, percent=Decimal(percent), until=until)
    instants = (now - timedelta(days=days) for days in (30, 20, 15, 10, 5))
    assert [each.percent for each in charged(tax.odoo_id, *instants)] == [13, 12, 12, 11, 11]


def test_a_name_that_changes_is_no_past(world, hst):
    change(world, hst, name="HST of Ontario")
    assert not OdooTaxPast.objects.exists()


def test_a_tax_that_is_archived_or_deleted_was_charged_until_then(world, hst):
    gone = world.office.create("account.tax", name="Gone", amount=3)
    mirror.sync(connector=world.connector, shelves=TAXES)
    before = timezone.now() - timedelta(days=1)
    world.office.call("account.tax", "unlink", [gone])
    change(world, hst, active=False)
    for tax in (hst, gone):
        assert [each.is_active for each in charged(tax, before, None)] == [True, False]


def test_a_change_that_was_written_before_the_mirror_last_saw_the_tax_is_dated_by_when_it_is_noticed(
    world, hst
):
    OdooTax.objects.filter(odoo_id=hst).update(percent=15, mirrored_at=timezone.now())
    noticed_from = timezone.now()
    mirror.sync(connector=world.connector, shelves=TAXES)
    assert OdooTaxPast.objects.get().until >= noticed_from


def test_another_companys_past_is_none_of_this_ones(db):
    tax = factories.OdooTaxFactory()
    until = timezone.now()
    factories.OdooTaxPastFactory(odoo_id=tax.odoo_id, company_id=2, until=until)
    assert [each.percent for each in charged(tax.odoo_id, until - timedelta(days=1))] == [13]
