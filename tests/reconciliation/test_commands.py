"""The steps by hand: a clear line for what is wrong, an exit code that says so, and dry runs that write nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ingest.models import Fee, Phase, Usage
from reconciliation.models import Amount, OdooPartner, Push, Reconciliation, Run
from tests import factories
from tests.reconciliation.sides import external, odoo
from tests.repricing import reprice

PROJECT = Path(__file__).resolve().parents[2]
LABEL = factories.PERIOD_LABEL
COMMANDS = ("push_usage", "fetch_odoo_amounts", "reconcile")


@pytest.fixture
def customer(world):
    """A customer of nexacloud whose only period is September, with usage that nobody has metered yet."""
    world.service.code = "nexacloud"
    world.service.save()
    customer = world.make_customer()
    customer.subscriptions.update(started_at=factories.PERIOD_START, terminated_at=factories.PERIOD_END)
    factories.UsageEventFactory(
        service=world.service,
        external_subscription_id=customer.subscriptions.get().external_id,
        code="api",
        properties={"value": "100"},
        quantity=100,
    )
    return customer


def run(name, capsys, *arguments):
    """The lines that a command prints."""
    call_command(name, *arguments)
    return capsys.readouterr().out.splitlines()


def counted(name, capsys, *arguments):
    """The run that a command names in its one line, and what it counted."""
    (line,) = run(name, capsys, *arguments)
    what, counts = line.split(": ")
    return what, set(counts.split(", "))


class TestPushUsage:
    def test_it_rates_and_pushes_and_says_what_it_counted(self, world, customer, capsys):
        what, counts = counted("push_usage", capsys, "--service", "nexacloud", "--period", LABEL)
        assert what == "Push to Odoo NexaCloud 2026-09"
        assert counts == {"usage 1", "fees 2", "planned 1", "unchanged 0", "refused 0", "done 1"}
        assert world.quotations() == (1, 2)
        assert Run.objects.get().status == "succeeded"

    def test_without_a_period_all_closed_ones_are_pushed(self, world, customer, capsys):
        run("push_usage", capsys, "--service", "nexacloud")
        assert set(Push.objects.values_list("period_label", flat=True)) == {LABEL}

    def test_a_dry_run_says_what_would_be_written_and_writes_nothing_at_all(self, world, customer, capsys):
        factories.CustomerFactory(service=world.service, odoo_partner_id=None)
        unlinked = world.make_customer()
        unlinked.odoo_partner_id = None
        unlinked.save()
        calls = world.stand_in.state["calls"]
        lines = run("push_usage", capsys, "--dry-run", "--service", "nexacloud", "--period", LABEL)
        assert lines == [
            "NexaCloud 2026-09: would write 1 records, 0 are unchanged, 1 cannot be written",
            f"  {unlinked} is not linked to an Odoo partner: link it.",
        ]
        assert world.stand_in.state["calls"] == calls
        assert [model.objects.count() for model in (Usage, Fee, Push, Run, Amount)] == [0] * 5

    def test_a_dry_run_of_a_charge_without_a_price_says_so(self, world, customer):
        reprice(world.charges["api"], properties={})
        with pytest.raises(
            CommandError, match=r"NexaCloud 2026-09: The charge api on Pro has no usable price"
        ):
            call_command("push_usage", "--dry-run", "--service", "nexacloud", "--period", LABEL)

    def test_a_refused_bill_is_told_and_is_no_failure(self, world, customer, capsys):
        customer.odoo_partner_id = None
        customer.save()
        call_command("push_usage", "--service", "nexacloud", "--period", LABEL)
        out, err = capsys.readouterr()
        assert "refused 1" in out
        assert f"{customer} is not linked" in err

    def test_odoo_being_down_is_one_line_and_a_failure(self, world, customer):
        world.stand_in.stop()
        with pytest.raises(CommandError) as failed:
            call_command("push_usage", "--service", "nexacloud", "--period", LABEL)
        assert str(failed.value) == (
            "Push to Odoo NexaCloud 2026-09: not everything is done (pending). Odoo cannot be reached."
        )


class TestFetchAndReconcile:
    def test_fetching_reads_back_what_was_pushed(self, world, customer, capsys):
        call_command("push_usage", "--service", "nexacloud", "--period", LABEL)
        capsys.readouterr()
        _, counts = counted("fetch_odoo_amounts", capsys, "--service", "nexacloud", "--period", LABEL)
        assert counts == {"quotations 1", "changed 0", "gone 0"}

    def test_a_failed_fetch_is_one_line_and_a_failure(self, world, customer):
        call_command("push_usage", "--service", "nexacloud", "--period", LABEL)
        before = list(Amount.objects.values())
        world.stand_in.stop()
        with pytest.raises(CommandError) as failed:
            call_command("fetch_odoo_amounts", "--service", "nexacloud", "--period", LABEL)
        assert str(failed.value) == "Fetch Odoo amounts NexaCloud 2026-09: Odoo cannot be reached."
        assert list(Amount.objects.values()) == before

    def test_reconciling_judges_the_period(self, db, capsys):
        customer = factories.CustomerFactory(service__code="nexadesk", service__name="NexaDesk")
        odoo(customer)
        external(customer)
        what, counts = counted("reconcile", capsys, "--service", "nexadesk", "--period", LABEL)
        assert what == "Reconcile NexaDesk 2026-09"
        assert counts == {"usage 0", "fees 0", "changed_rows 1", "reopened 0"}
        assert Reconciliation.objects.get().status == "match"

    def test_without_a_service_all_are_judged_but_those_in_shadow(self, db, capsys):
        for phase in Phase:
            external(factories.CustomerFactory(service__phase=phase))
        lines = run("reconcile", capsys, "--period", LABEL)
        assert len(lines) == 3
        assert not Reconciliation.objects.filter(service__phase=Phase.SHADOW).exists()

    def test_a_service_in_shadow_is_refused_by_its_code(self, db):
        service = factories.ServiceFactory(phase=Phase.SHADOW, code="nexamaps")
        with pytest.raises(CommandError, match="in shadow"):
            call_command("reconcile", "--service", service.code, "--period", LABEL)

    def test_one_service_that_fails_does_not_keep_the_others_from_theirs(self, db, capsys):
        broken = factories.ChargeFactory(service__code="a", plan__service__code="a", properties={})
        factories.SubscriptionFactory(
            customer__service=broken.service, plan=broken.plan, service=broken.service
        )
        external(factories.CustomerFactory(service__code="b"))
        with pytest.raises(CommandError) as failed:
            call_command("reconcile", "--period", LABEL)
        assert len(str(failed.value).splitlines()) == 1
        assert str(broken) in str(failed.value)
        assert Reconciliation.objects.get().service.code == "b"


class TestSyncOdoo:
    def test_it_mirrors_for_all_services_at_once(self, world, capsys):
        OdooPartner.objects.all().delete()
        what, counts = counted("sync_odoo", capsys)
        assert (what, len(counts)) == ("Mirror Odoo", 12)
        assert f"partners {OdooPartner.objects.count()}" in counts

    def test_a_refused_key_is_one_line_and_a_failure(self, world):
        world.stand_in.revoke_key()
        refused = r"^Mirror Odoo: Odoo refused the login or the API key: make a key .* and set it\.$"
        with pytest.raises(CommandError, match=refused):
            call_command("sync_odoo")


@pytest.mark.parametrize("name", [*COMMANDS, "sync_odoo"])
class TestWrongInput:
    def test_an_unknown_service_is_told_with_the_known_ones(self, db, name):
        for code in ("nexadesk", "nexacloud"):
            factories.ServiceFactory(code=code)
        with pytest.raises(CommandError) as failed:
            call_command(name, "--service", "nexaclout")
        assert str(failed.value) == "There is no service 'nexaclout'. Services: nexacloud, nexadesk."
        assert not Run.objects.exists()

    def test_without_any_service_it_says_so(self, db, name):
        with pytest.raises(CommandError, match="Services: none yet"):
            call_command(name, "--service", "nexacloud")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("label", ["2026-13", "last month", "2026-W54", "26-09"])
def test_a_period_that_is_none_is_told_with_examples(db, name, label):
    with pytest.raises(CommandError, match="is no period, such as 2026-W21"):
        call_command(name, "--period", label)
    assert not Run.objects.exists()


def test_from_the_shell_a_mistake_is_one_line_without_a_traceback_and_an_exit_code():
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "manage.py", "reconcile", "--period", "soon"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("CommandError: 'soon' is no period")
