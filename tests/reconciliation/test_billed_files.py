"""Uploaded files: kept whole, shown before they count, written once and as they were shown."""

import hashlib

import pytest

from ingest.errors import DomainError
from ingest.models import AuditRecord, Customer
from reconciliation import billed_files, runs
from reconciliation.imports import import_amounts
from reconciliation.models import Amount, BilledFile, Run, SourceDocument
from reconciliation.tasks import execute_run
from tests import factories
from tests.reconciliation.files import csv_text, write_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return factories.ServiceFactory()


@pytest.fixture
def upload(service, finance):
    """Uploads our own CSV of the given rows and has it read."""

    def upload(*rows, text=None, **values):
        content = (csv_text(*rows) if text is None else text).encode()
        file = billed_files.upload_file(
            service=service, name="bills.csv", pieces=[content], actor=finance, **values
        )
        return work(file)

    return upload


def work(file):
    execute_run(BilledFile.objects.get(pk=file.pk).run_id)
    file.refresh_from_db()
    return file


def stored():
    return [model.objects.count() for model in (SourceDocument, Amount, Customer)]


def test_a_file_is_kept_whole_and_shown_and_nothing_of_it_counts(upload, finance):
    file = upload({}, {"document": "INV-2", "untaxed": "5"})
    assert (file.status, file.uploaded_by, file.format) == ("previewed", finance, "csv")
    content = b"".join(file.parts.values_list("content", flat=True))
    assert hashlib.sha256(content).hexdigest() == file.digest
    assert file.preview["counts"] == {
        "lines": 2,
        "bills": 2,
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "replaced": 0,
        "new_customers": 1,
        "left_out": 0,
    }
    assert [(each["what"], each["after"], each["row"]) for each in file.preview["listed"]] == [
        ("new", "100", 2),
        ("new", "5", 3),
    ]
    assert stored() == [0, 0, 0]
    assert AuditRecord.objects.get(action="billed_file.keep").evidence_digest == file.digest


def test_what_is_confirmed_is_written_once_and_as_shown(upload, finance):
    file = upload({})
    billed_files.confirm_file(file_id=file.pk, actor=finance)
    assert work(file).status == "imported"
    assert stored() == [1, 1, 1]
    run = file.run
    assert (run.kind, run.status, SourceDocument.objects.get().run) == ("import", "succeeded", run)
    assert AuditRecord.objects.filter(action="billed_file.imported", actor=finance).count() == 1
    with pytest.raises(DomainError, match="cannot become confirmed"):
        billed_files.confirm_file(file_id=file.pk, actor=finance)
    # A worker that was lost right after its commit.
    Run.objects.filter(pk=run.pk).update(status="queued")
    assert work(file).status == "imported"
    assert SourceDocument.objects.count() == 1


def test_the_same_file_again_shows_that_nothing_would_change(upload, finance):
    for _ in range(2):
        file = upload({}, {"customer": "other"})
        billed_files.confirm_file(file_id=file.pk, actor=finance)
        work(file)
    assert (file.preview["counts"]["unchanged"], file.preview["listed"]) == (2, [])
    assert stored() == [2, 2, 2]


def test_a_preview_shows_what_was_and_what_would_be(upload, service, tmp_path):
    import_amounts(service=service, path=write_csv(tmp_path / "old.csv", {"document": ""}, {"customer": "b"}))
    file = upload({"document": "INV-9"}, {"customer": "b", "untaxed": "70"}, is_replacing=True)
    listed = [(each["what"], each["before"], each["after"]) for each in file.preview["listed"]]
    assert sorted(listed) == [("changed", "100", "70"), ("new", "", "100"), ("replaced", "100", "")]


def test_what_changed_since_the_preview_is_shown_again_and_not_written(upload, service, finance, tmp_path):
    file = upload({"untaxed": "90"})
    import_amounts(service=service, path=write_csv(tmp_path / "other.csv", {}))
    billed_files.confirm_file(file_id=file.pk, actor=finance)
    assert work(file).status == "previewed"
    assert (file.run.status, "Nothing was written" in file.run.message) == ("failed", True)
    assert Amount.objects.get(is_current=True).untaxed == 100
    assert [each["what"] for each in file.preview["listed"]] == ["changed"]
    billed_files.confirm_file(file_id=file.pk, actor=finance)
    assert work(file).status == "imported"
    assert Amount.objects.get(is_current=True).untaxed == 90


def test_a_wrong_file_says_each_place_and_can_only_be_discarded(upload, finance):
    file = upload({"untaxed": "1,5"}, {"currency": "cad"})
    assert file.status == "refused"
    places = [(each["row"], each["column"], each["code"]) for each in file.preview["errors"]]
    assert places == [(2, "untaxed", "not_a_number"), (3, "currency", "not_a_currency")]
    with pytest.raises(DomainError):
        billed_files.confirm_file(file_id=file.pk, actor=finance)
    with pytest.raises(DomainError, match="Say why"):
        billed_files.discard_file(file_id=file.pk, actor=finance, reason=" ")
    billed_files.discard_file(file_id=file.pk, actor=finance, reason="the shop sends another")
    file.refresh_from_db()
    assert (file.status, file.decided_by) == ("discarded", finance)
    assert upload(text="no,table\n1,2\n").preview["refused"].startswith("The header is of no known format")
    assert stored() == [0, 0, 0]


def test_who_may_not_import_uploads_confirms_and_discards_nothing(service, upload, auditor):
    file = upload({})
    with pytest.raises(DomainError, match="may not"):
        billed_files.upload_file(service=service, name="x", pieces=[b"x"], actor=auditor)
    with pytest.raises(DomainError, match="may not"):
        billed_files.confirm_file(file_id=file.pk, actor=auditor)
    with pytest.raises(DomainError, match="may not"):
        billed_files.discard_file(file_id=file.pk, actor=auditor, reason="x")
    with pytest.raises(DomainError, match="may not"):
        runs.request_run(kind="import", service=service, actor=auditor)
    assert BilledFile.objects.count() == 1


def test_an_empty_file_and_one_that_is_too_large_are_refused(service, finance, monkeypatch):
    monkeypatch.setattr(billed_files, "LARGEST", 4)
    for content, code in ((b"", "empty_file"), (b"12345", "too_large")):
        with pytest.raises(DomainError) as refused:
            billed_files.upload_file(service=service, name="x", pieces=[content], actor=finance)
        assert refused.value.code == code
    assert not BilledFile.objects.exists()


def test_a_mapping_of_another_service_reads_no_file(service, finance):
    mapping = factories.FileMappingFactory()
    with pytest.raises(DomainError) as refused:
        billed_files.upload_file(service=service, name="x", pieces=[b"x"], actor=finance, mapping=mapping)
    assert refused.value.code == "wrong_service"


@pytest.mark.django_db(transaction=True)
def test_a_long_reading_tells_how_far_it_is_while_it_goes_on(service, finance, monkeypatch):
    file = billed_files.upload_file(
        service=service, name="bills.csv", pieces=[csv_text({}, {"document": "B"}).encode()], actor=finance
    )
    run_id = BilledFile.objects.get(pk=file.pk).run_id
    seen = []
    report = runs.Progress.report_aside

    def report_always(progress, stage, done, total):
        progress._told_at = 0.0
        report(progress, stage, done, total)
        seen.append((stage, done, total))

    monkeypatch.setattr(runs.Progress, "report_aside", report_always)
    execute_run(run_id)
    assert seen == [("Reading", 2, 3), ("Reading", 3, 3), ("Comparing", 2, 3)]
    assert Run.objects.values_list("stage", "done", "total").get(pk=run_id) == ("Comparing", 2, 3)
