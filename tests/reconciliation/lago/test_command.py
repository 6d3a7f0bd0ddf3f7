"""`manage.py import_lago`: what it prints, how it ends, and that its key goes nowhere."""

import json

import pytest
from django.core.management import CommandError, call_command

from ingest.models import AuditRecord, Customer
from reconciliation import runs
from reconciliation.models import Run
from reconciliation.work import do_work
from tests.lago_standin import objects
from tests.lago_standin.server import KEY
from tests.reconciliation.lago.conftest import count_rows

COUNTS = [
    "billable_metrics: created 2",
    "plans: created 1",
    "customers: created 1",
    "subscriptions: created 1",
    "webhook_endpoints: created 1",
]


@pytest.fixture
def run(service, lago, capsys, monkeypatch):
    """Runs the command with the key in the environment; the lines that it prints."""
    monkeypatch.setenv("LAGO_API_KEY", KEY)

    def run(*arguments):
        call_command("import_lago", "--service", "nexacloud", "--url", lago.url, *arguments)
        return capsys.readouterr().out.splitlines()

    return run


def test_it_counts_what_came_and_is_a_run(run, lago):
    lines = run()
    assert lines[-5:] == COUNTS
    assert len(lines) == 6
    assert "New key" in lines[0]
    found = Run.objects.get()
    assert (found.kind, found.status, found.summary["created"]) == ("lago", "succeeded", 6)
    assert found.parameters == {"source": f"{lago.url}/api/v1"}
    assert run()[-1] == "webhook_endpoints: left 1"


def test_a_dry_run_lists_every_row_and_writes_nothing(run):
    before = count_rows()
    lines = run("--dry-run")
    assert count_rows() == before
    assert lines[0] == "would create: billable_metrics storage (billable_metrics, page 1, entry 2)"
    assert "would create: plans pro (plans, page 1, entry 1)" in lines
    assert lines[-1] == "webhook_endpoints: would create 1"


def test_what_did_not_come_is_listed_and_the_command_fails(run, lago, capsys):
    lago.world["customers"].append(objects.customer("bad\x1b[31m", country="XX", email=None))
    with pytest.raises(CommandError, match="Not everything came"):
        run()
    out = capsys.readouterr().out
    assert (
        "did not come: customers bad�[31m (customers, page 1, entry 2): country: not_a_valid_country" in out
    )
    assert Run.objects.get().status == "partial"
    lines = run("--dry-run")
    assert any(line.startswith("cannot come: customers bad") for line in lines)


def test_a_restricted_key_says_what_it_did_not_read(run, lago):
    lago.forbidden = frozenset({"webhook_endpoints"})
    reason = "the key may not read it (read_action_not_allowed_for_webhook_endpoint)"
    assert run()[-1] == f"webhook_endpoints: not read, {reason}"
    assert reason in Run.objects.get().message


def test_a_folder_is_read_instead(run, lago, tmp_path):
    for name, rows in lago.world.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    assert run("--from", str(tmp_path))[-5:] == COUNTS
    assert lago.asked == []
    assert Run.objects.get().parameters == {"source": tmp_path.name}


def test_a_day_is_the_services(run, service):
    service.timezone = "America/Toronto"
    service.save()
    run("--since", "2026-09-01")
    (row,) = Customer.objects.get().subscriptions.all()
    assert row.metered_from.isoformat() == "2026-09-01T04:00:00+00:00"


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", ""])
def test_what_is_no_day_is_refused(run, day):
    with pytest.raises(CommandError, match="is no day such as"):
        run("--since", day)


class TestKeys:
    def test_the_key_is_read_from_a_file(self, run, monkeypatch, tmp_path):
        monkeypatch.delenv("LAGO_API_KEY")
        (tmp_path / "key").write_text(f"{KEY}\n")
        assert run("--key-file", str(tmp_path / "key"))[-1] == COUNTS[-1]

    @pytest.mark.parametrize("content", [None, b"\xff", b"", b"two\nlines"])
    def test_a_file_without_one_is_refused(self, run, tmp_path, content):
        if content is not None:
            (tmp_path / "key").write_bytes(content)
        with pytest.raises(CommandError, match="key"):
            run("--key-file", str(tmp_path / "key"))
        assert not Run.objects.exists()

    def test_without_any_it_says_where_it_is_looked_for(self, run, monkeypatch):
        monkeypatch.delenv("LAGO_API_KEY")
        with pytest.raises(CommandError, match="LAGO_API_KEY"):
            run()

    def test_it_is_never_on_the_command_line(self, run):
        with pytest.raises(CommandError, match="unrecognized arguments"):
            run("--key", KEY)

    def test_it_is_nowhere_in_the_database(self, run, lago):
        lago.faults = [(500, {}, KEY.encode())]
        run()
        kept = str(list(Run.objects.values())) + str(list(AuditRecord.objects.values()))
        assert KEY not in kept


def test_a_lago_that_fails_fails_the_run_and_brings_nothing(run, lago):
    lago.faults = [(404, {}, b"{}")]
    before = count_rows() | {"Run": 1, "AuditRecord": 1}
    with pytest.raises(CommandError, match="is the address that of Lago's API"):
        run()
    assert count_rows() == before
    assert Run.objects.get().status == "failed"


def test_only_the_command_can_do_it_again(run, operator):
    run()
    found = Run.objects.get()
    with pytest.raises(Exception, match="import_lago again"):
        runs.retry_run(run_id=found.pk, actor=operator)
    with pytest.raises(Exception, match="import_lago again"):
        do_work(found, runs.Progress(found))
