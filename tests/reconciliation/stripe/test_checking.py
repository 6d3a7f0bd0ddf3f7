"""The check of the connection: every problem is told with what to do about it, on the page and by the command."""

import pytest
from django.core.management import CommandError, call_command

from reconciliation.models import Run, StripeCheck
from tests.stripe_standin.objects import ACCOUNT

pytestmark = pytest.mark.django_db


def test_a_key_that_may_read_everything_has_no_problems(account, capsys):
    call_command("check_stripe")
    check = StripeCheck.objects.get()
    assert (check.account, check.is_live, check.problems) == (ACCOUNT, False, [])
    assert check.run.status == "succeeded"
    told = capsys.readouterr().out
    assert "test mode" in told
    assert "invoices: may be read" in told
    assert "webhooks: can be verified" in told


def test_what_a_key_lacks_is_told_by_its_right_and_the_optional_is_no_problem(account, settings, capsys):
    account.forbidden = {"disputes", "account", "balance_transactions"}
    settings.STRIPE_WEBHOOK_SECRETS = []
    with pytest.raises(CommandError) as failure:
        call_command("check_stripe")
    assert "rak_dispute_read" in str(failure.value)
    assert "STRIPE_WEBHOOK_SECRETS" in str(failure.value)
    assert len(StripeCheck.objects.get().problems) == 2
    assert (
        "balance_transactions: the key may not read it: it lacks rak_balance_transaction_read"
        in capsys.readouterr().out
    )


def test_a_key_of_another_account_is_a_problem(account, settings):
    settings.STRIPE_ACCOUNT = "acct_other"
    with pytest.raises(CommandError, match="STRIPE_ACCOUNT says acct_other"):
        call_command("check_stripe")


def test_a_key_that_tells_its_account_needs_no_setting_for_it(account, settings):
    settings.STRIPE_ACCOUNT = ""
    assert StripeCheck.objects.count() == 0
    call_command("check_stripe")
    assert StripeCheck.objects.get().problems == []


def test_a_key_that_stripe_does_not_know_fails_the_check(account, settings):
    settings.STRIPE_API_KEY = "rk_test_other"
    with pytest.raises(CommandError, match="does not know the key"):
        call_command("check_stripe")
    assert not StripeCheck.objects.exists()


@pytest.mark.parametrize("command", ["check_stripe", "fetch_stripe"])
def test_without_a_key_the_run_says_what_to_set(command):
    with pytest.raises(CommandError, match="STRIPE_API_KEY"):
        call_command(command)
    assert Run.objects.get().status == "failed"


def test_the_command_that_reads_keeps_its_options_on_the_run(account):
    call_command("fetch_stripe", "--since", "2026-01-01", "--fees")
    run = Run.objects.get()
    assert (run.status, run.parameters["fees"]) == ("succeeded", True)
    assert run.parameters["since"] == "2026-01-01T00:00:00+00:00"
    assert "/v1/balance_transactions" in account.asked
    with pytest.raises(CommandError, match="no day"):
        call_command("fetch_stripe", "--since", "yesterday")
