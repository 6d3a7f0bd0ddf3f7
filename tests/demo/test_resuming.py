"""A load that is interrupted, refused or begun twice."""

import random
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from itertools import count
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from billing_console.demo import journal
from billing_console.demo.services.nexadesk import NEXADESK
from ingest.models import Service
from reconciliation.models import Amount, PushStatus, Reconciliation, Run, RunStatus, SourceDocument
from tests import factories
from tests.demo.conftest import count_rows, load, own_database, running_stand_in

# The accounts that something happens to.
ACCOUNTS = {"desk-1001", "desk-1005", "desk-1006", "desk-1017", "desk-1021", "desk-1023"}
STORIES = [replace(NEXADESK, accounts=[each for each in NEXADESK.accounts if each.id in ACCOUNTS])]
FIGURES = (
    "customer__external_id", "period_label", "currency", "expected_untaxed", "odoo_total", "external_total",
    "delta", "outcome", "status", "cause", "reason", "reopened_because", "owner__username",
)  # fmt: skip


class Killed(BaseException):
    """What ends a load as a signal would: nothing in the console catches it."""


@contextmanager
def killed_at(number):
    """Ends the load at that statement, if it comes so far; the list that this gives says whether it did."""
    numbers, ended = count(1), []

    def run(execute, sql, params, many, context):
        if next(numbers) == number:
            ended.append(sql)
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run), suppress(Killed):
        yield ended


def read_figures():
    return sorted(Reconciliation.objects.values_list(*FIGURES), key=str)


def count_once():
    """The rows, with of each document the version that counts: a kill between two calls leaves a quotation half
    written, and what a read-back saw of it stays as an older one."""
    current = {"reconciliation.SourceDocument": SourceDocument, "reconciliation.Amount": Amount}
    return count_rows() | {
        table: model.objects.filter(is_current=True).count() for table, model in current.items()
    }


def test_a_load_that_is_killed_again_and_again_gives_the_same_figures_in_the_end(pristine, db):
    with own_database(pristine), running_stand_in() as stand_in:
        load(STORIES)
        figures, rows, records = read_figures(), count_once(), stand_in.state["models"]
    draw, kills = random.Random(7), 0
    with own_database(pristine), running_stand_in() as stand_in:
        while not journal.is_loaded():
            with killed_at(draw.randint(60, 400)) as ended:
                load(STORIES)
            kills += len(ended)
        assert kills > 5
        assert read_figures() == figures
        # A run that a kill ended stays, with the record of its start; nothing else is there twice.
        ended_runs = Run.objects.filter(status=RunStatus.FAILED).count()
        for table in ("reconciliation.Run", "ingest.AuditRecord"):
            rows[table] += ended_runs
        assert 0 < ended_runs <= kills
        assert count_once() == rows
        assert stand_in.state["models"] == records


def test_what_a_killed_load_held_is_in_doubt_at_once_and_anothers_is_left_alone(db):
    now = timezone.now()
    later = now + timezone.timedelta(minutes=5)
    held = {"status": PushStatus.SENDING, "leased_until": later, "next_attempt_at": later}
    run = {"status": RunStatus.RUNNING, "started_at": now, "leased_until": later}
    own = factories.RunFactory(parameters={journal.STEP: "refresh"}, **run)
    other = factories.RunFactory(**run)
    own_push, other_push = (factories.PushFactory(run=each, **held) for each in (own, other))
    journal.release_interrupted(now)
    for row in (own, other, own_push, other_push):
        row.refresh_from_db()
    assert (own.status, own.leased_until) == (RunStatus.FAILED, None)
    assert (own_push.status, own_push.leased_until) == (PushStatus.UNKNOWN, now)
    assert (other.status, other_push.status) == (RunStatus.RUNNING, PushStatus.SENDING)


class SomebodysOdoo(BaseHTTPRequestHandler):
    """A server that answers, and is not the stand-in."""

    calls = 0

    def do_POST(self):
        type(self).calls += 1
        self.send_error(500)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_a_server_that_is_not_the_stand_in_is_never_called(console):
    server = HTTPServer(("127.0.0.1", 0), SomebodysOdoo)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with (
            override_settings(ODOO_URL=f"http://127.0.0.1:{server.server_port}"),
            pytest.raises(CommandError, match="is not the demo's Odoo stand-in"),
        ):
            call_command("load_demo", stdout=StringIO())
    finally:
        server.shutdown()
        server.server_close()
    assert SomebodysOdoo.calls == 0
    assert not Service.objects.exists()


def test_a_stand_in_that_does_not_answer_is_told_in_one_line(console):
    with (
        override_settings(ODOO_URL="http://127.0.0.1:9"),
        pytest.raises(CommandError, match=r"does not answer at http://127\.0\.0\.1:9"),
    ):
        call_command("load_demo", stdout=StringIO())


def test_a_database_with_services_of_its_own_gets_no_demo(stand_in):
    factories.ServiceFactory()
    before = count_rows()
    with pytest.raises(CommandError, match="holds services already"):
        call_command("load_demo", stdout=StringIO())
    assert count_rows() == before
    assert stand_in.state["calls"] == {}


def test_a_second_load_beside_one_is_refused(stand_in):
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [journal.LOCK])
        with pytest.raises(CommandError, match="under way"):
            call_command("load_demo", stdout=StringIO())
    assert not Service.objects.exists()


def test_a_failed_step_is_told_and_the_load_goes_on_from_there(stand_in):
    stand_in.set_fault("bad_gateway", count=1, method="sale.order.search_read")
    with pytest.raises(journal.LoadFailedError):
        load(STORIES)
    load(STORIES)
    assert journal.is_loaded()
