"""Checking a connection: by a run that keeps what it found, by the command, and what it asks for whom."""

import json

import pytest
from django.core.management import CommandError, call_command

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation import connection_checks, runs
from reconciliation.models import ConnectionCheck, Run, RunKind
from reconciliation.secrets import encrypt
from reconciliation.work import do_work
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import SETTINGS

pytestmark = pytest.mark.django_db


def check_odoo(capsys, *arguments):
    call_command("check_odoo", *arguments)
    return capsys.readouterr().out


class TestRuns:
    def test_a_check_is_kept_with_its_run_and_its_time_and_writes_nothing_in_odoo(self, world, operator):
        before = world.stand_in.state["models"]
        run = connection_checks.request_check(connection=None, actor=operator)
        run = runs.perform(runs.claim_run(run.pk), do_work)
        found = ConnectionCheck.objects.get()
        assert (run.status, run.kind, run.message) == ("succeeded", RunKind.CHECK, "")
        assert (found.run, found.connection, found.is_passed) == (run, None, True)
        assert (found.version, found.transport) == ("19.0", "jsonrpc")
        assert (run.done, run.total) == (len(found.lines), len(found.lines))
        assert AuditRecord.objects.get().actor == operator
        assert world.stand_in.state["models"] == before

    def test_a_server_that_is_down_is_a_line_that_failed_and_no_failed_run(self, world, settings):
        settings.ODOO_URL = "http://127.0.0.1:9"
        run = runs.perform(runs.start_run(kind=RunKind.CHECK, service=None), do_work)
        found = ConnectionCheck.objects.get()
        assert (run.status, found.is_passed, found.version) == ("partial", False, "")
        assert "Odoo cannot be reached. Check that Odoo runs" in run.message

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
    def test_only_operators_ask_for_one(self, person):
        with pytest.raises(DomainError, match="may not"):
            connection_checks.request_check(connection=None, actor=person)
        assert not Run.objects.exists()

    def test_a_service_is_checked_where_it_is_billed(self, world):
        connection = factories.OdooConnectionFactory(
            url=world.stand_in.url,
            database=SETTINGS.database,
            login=SETTINGS.login,
            secret=encrypt(SETTINGS.key),
            transport="json2",
        )
        service = factories.ServiceConnectionFactory(connection=connection).service
        runs.perform(runs.start_run(kind=RunKind.CHECK, service=service), do_work)
        found = ConnectionCheck.objects.get()
        assert (found.connection, found.service, found.transport) == (connection, service, "json2")
        assert connection_checks.newest_checks() == {connection.pk: found}


def test_what_is_expected_is_what_the_services_of_that_connection_use(world):
    named = factories.ServiceConnectionFactory()
    plan = factories.PlanFactory(service=named.service, currency="USD", odoo_product_id=77)
    factories.ChargeFactory(plan=plan, odoo_product_id=78)
    factories.ChargeFactory(plan=plan, odoo_product_id=None)
    there = connection_checks.read_expected(connection=named.connection)
    assert (there.currencies, there.plan_products, there.usage_products) == ({"USD"}, {77}, {78})
    assert (there.unlinked_prices, there.url) == (1, named.connection.url)
    here = connection_checks.read_expected(connection=None)
    assert here.plan_products == {world.plan.odoo_product_id}
    other = factories.ServiceFactory()
    assert not connection_checks.read_expected(connection=None, service=other).plan_products


class TestCommand:
    def test_it_tells_each_line_and_what_to_do(self, world, capsys):
        out = check_odoo(capsys)
        assert "ok     Server: Odoo 19.0" in out
        assert "!      The payment provider: Odoo takes no online payments." in out
        assert "       → Install Stripe in Odoo" in out

    def test_it_tells_them_as_json(self, world, capsys):
        told = json.loads(check_odoo(capsys, "--json"))
        assert (told["connection"], told["version"], told["is_passed"]) == (None, "19.0", True)
        assert {"code", "title", "level", "message", "advice"} == set(told["lines"][0])

    def test_a_line_that_failed_is_a_failed_command(self, world, capsys, settings):
        settings.ODOO_API_KEY = "wrong"
        with pytest.raises(CommandError, match="see the lines that failed"):
            check_odoo(capsys)
        assert "FAILED" in capsys.readouterr().out

    def test_the_connection_of_a_service_or_one_by_name_is_checked(self, world, capsys):
        named = factories.ServiceConnectionFactory(connection__url="http://127.0.0.1:9")
        for arguments in (["--service", named.service.code], ["--connection", named.connection.name]):
            with pytest.raises(CommandError):
                check_odoo(capsys, *arguments)
        assert {found.connection for found in ConnectionCheck.objects.all()} == {named.connection}
        with pytest.raises(CommandError, match="There is no connection 'x'"):
            check_odoo(capsys, "--connection", "x")

    def test_without_an_address_it_says_what_to_set(self, db, capsys, settings):
        settings.ODOO_URL = ""
        with pytest.raises(CommandError, match="set ODOO_URL"):
            check_odoo(capsys)
