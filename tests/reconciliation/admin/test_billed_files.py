"""Files and their mappings on their pages: uploaded, looked at, decided on; and never by a mere look."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ingest.models import AuditRecord
from reconciliation.models import Amount, BilledFile, FileMapping
from reconciliation.tasks import execute_run
from tests import factories
from tests.reconciliation.files import csv_text

pytestmark = pytest.mark.django_db

ADD_FILE = "admin:reconciliation_billedfile_add"
ADD_MAPPING = "admin:reconciliation_filemapping_add"
MAPPING = {
    "name": "shop export",
    "currency": "EUR",
    "date_format": "dmy_dot",
    "decimal_mark": ",",
    "thousands_mark": ".",
    "encoding": "cp1252",
    "delimiter": ";",
    "header_row": "1",
    "column_customer": "Kunde",
    "column_period_start": "Von",
    "column_period_end": "Bis",
    "column_untaxed": "Betrag",
    "column_kind": "Art",
    "words": "Abo = plan",
    "is_end_inclusive": "on",
}
ROWS = "Kunde;Von;Bis;Betrag;Art\r\nacme;01.09.2026;30.09.2026;1.204,10;Abo\r\n"


@pytest.fixture
def service(db):
    return factories.ServiceFactory()


def upload(client, service, content, **data):
    file = SimpleUploadedFile("bills.csv", content)
    answer = client.post(reverse(ADD_FILE), {"service": service.pk, "file": file, **data})
    assert answer.status_code == 302, answer.context["form"].errors
    row = BilledFile.objects.get()
    execute_run(row.run_id)
    return row, answer["Location"]


def test_a_file_is_uploaded_looked_at_and_imported(client, finance, service):
    client.force_login(finance)
    row, page = upload(client, service, csv_text({}).encode())
    shown = client.get(page).content.decode()
    assert "What it would bring" in shown
    assert "INV-1 acme CAD 2026-09-01/2026-10-01" in shown
    assert not Amount.objects.exists()
    client.post(reverse("admin:reconciliation_billedfile_confirm", args=[row.pk]))
    row.refresh_from_db()
    execute_run(row.run_id)
    assert Amount.objects.get().untaxed == 100
    assert "What it brought" in client.get(page).content.decode()


def test_a_refused_file_shows_its_cells_and_is_discarded_with_a_reason(client, finance, service):
    client.force_login(finance)
    row, page = upload(client, service, csv_text({"untaxed": "1,5"}).encode())
    shown = client.get(page).content.decode()
    assert "must be a plain decimal" in shown
    assert "Import it" not in shown
    client.post(
        reverse("admin:reconciliation_billedfile_discard", args=[row.pk]), {"reason": "the wrong one"}
    )
    row.refresh_from_db()
    assert row.status == "discarded"


def test_an_operator_makes_a_mapping_and_finance_reads_a_file_by_it(client, finance, operator, service):
    client.force_login(operator)
    answer = client.post(reverse(ADD_MAPPING), {"service": service.pk, **MAPPING})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    mapping = FileMapping.objects.get()
    assert mapping.columns["customer"] == "Kunde"
    assert AuditRecord.objects.get(action="file_mapping.create").after["kinds"] == {"Abo": "plan"}
    change = reverse("admin:reconciliation_filemapping_change", args=[mapping.pk])
    assert 'value="Kunde"' in client.get(change).content.decode()
    assert client.post(change, {**MAPPING, "name": "shop"}).status_code == 302
    assert AuditRecord.objects.get(action="file_mapping.change").before == {"name": "shop export"}

    client.force_login(finance)
    assert client.post(change, {**MAPPING, "name": "mine"}).status_code == 403
    row, page = upload(client, service, ROWS.encode("cp1252"), mapping=f"own:{mapping.pk}")
    assert "1204.10 EUR" in client.get(page).content.decode()
    row.refresh_from_db()
    assert row.preview["counts"]["new"] == 1


def test_a_mapping_that_lacks_something_says_so_at_its_field(client, operator, service):
    client.force_login(operator)
    data = {"service": service.pk, **MAPPING, "currency": "", "column_untaxed": "", "words": "Abo"}
    answer = client.post(reverse(ADD_MAPPING), data)
    errors = answer.context["adminform"].form.errors
    assert {"currency", "column_untaxed", "words"} <= {
        name.replace("column_currency", "currency") for name in errors
    }
    assert not FileMapping.objects.exists()


def test_pages_of_files_ask_the_database_no_more_for_more_rows(
    client, auditor, django_assert_max_num_queries
):
    client.force_login(auditor)
    factories.BilledFileFactory.create_batch(5)
    factories.FileMappingFactory.create_batch(5)
    for name in ("billedfile", "filemapping"):
        with django_assert_max_num_queries(25):
            assert client.get(reverse(f"admin:reconciliation_{name}_changelist")).status_code == 200
