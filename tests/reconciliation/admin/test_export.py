"""Exports: the rows that the queue shows, exact, and harmless in a spreadsheet."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db

EXPORT = reverse("admin:reconciliation_reconciliation_export")
XLSX, CSV = "0", "1"


def export(client, file_format, query=""):
    response = client.post(f"{EXPORT}?{query}", {"format": file_format, "resource": "0"})
    assert response.status_code == 200
    return response


def read_csv(response):
    return list(csv.DictReader(io.StringIO(response.content.decode())))


@pytest.fixture(autouse=True)
def _signed_in(client, auditor):
    client.force_login(auditor)


def test_an_export_holds_exactly_the_rows_that_the_queue_shows_in_its_order(client):
    small = factories.ReconciliationFactory(odoo_untaxed=Decimal("99.00"))
    large = factories.ReconciliationFactory(odoo_untaxed=Decimal("50.00"))
    factories.ReconciliationFactory()

    assert [row["id"] for row in read_csv(export(client, CSV))] == [
        str(large.public_id),
        str(small.public_id),
    ]
    (only,) = read_csv(export(client, CSV, f"service={small.service.code}"))
    assert only["id"] == str(small.public_id)


def test_amounts_are_exact_and_what_is_missing_is_empty(client):
    factories.ReconciliationFactory(odoo_untaxed=None, external_untaxed=Decimal("0.0000000012"))

    (row,) = read_csv(export(client, CSV))

    assert (row["external"], row["odoo"], row["delta"]) == ("0.0000000012", "", "")


@pytest.mark.parametrize("file_format", [XLSX, CSV])
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tcmd"])
def test_a_name_that_a_spreadsheet_would_run_is_made_text(client, file_format, name):
    factories.ReconciliationFactory(customer__name=name, odoo_untaxed=Decimal("50.00"))

    response = export(client, file_format)

    if file_format == CSV:
        (row,) = read_csv(response)
        assert row["customer"] == f"'{name}"
    else:
        cells = list(openpyxl.load_workbook(io.BytesIO(response.content)).active.values)
        assert cells[1][0] == f"'{name}"


def test_amounts_are_numbers_in_a_spreadsheet_also_negative_ones(client):
    factories.ReconciliationFactory(odoo_untaxed=Decimal("94.30"))

    sheet = openpyxl.load_workbook(io.BytesIO(export(client, XLSX).content)).active
    row = dict(zip(*list(sheet.values), strict=True))

    assert Decimal(str(row["delta"])) == Decimal("-5.7")


def test_the_file_says_when_and_by_whom_it_was_made(client):
    factories.ReconciliationFactory(odoo_untaxed=Decimal("94.30"))

    assert export(client, CSV)["Content-Disposition"].endswith('-auditor.csv"')


def test_who_may_not_see_the_queue_may_not_export_it(client, outsider):
    client.force_login(outsider)

    assert client.post(EXPORT, {"format": CSV, "resource": "0"}).status_code == 403
