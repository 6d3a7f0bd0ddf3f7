"""The story that the demo tells, once it is loaded."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F, Sum
from django.test import RequestFactory
from django.utils import timezone

from billing_console.demo import focus_sample
from billing_console.demo.logins import LOGINS
from billing_console.demo.statements import ORIGIN
from ingest.models import AuditRecord, BillerTerm, Service, Subscription, UsageEvent
from reconciliation import cutover
from reconciliation.comparison.causes import CauseCode
from reconciliation.figures.requesters import name_requester, with_rule
from reconciliation.lines import read_many
from reconciliation.models import (
    Alarm,
    Amount,
    Delivery,
    OdooOrder,
    Outcome,
    Push,
    PushStatus,
    Reconciliation,
    Run,
    Side,
    Source,
    SourceDocument,
    Status,
)
from reconciliation.readiness import read_readiness
from tests.demo.conftest import count_rows

pytestmark = pytest.mark.usefixtures("loaded", "db")

REAL_LABELS = ("2024-09",)


@pytest.fixture
def nexacloud():
    return Service.objects.get(code="nexacloud")


def rows_of(code, **bounds):
    return Reconciliation.objects.filter(service__code=code, **bounds)


def labels_of(code):
    return list(rows_of(code).order_by("period_start").values_list("period_label", flat=True).distinct())


def test_the_real_months_are_the_files_sums_to_the_last_digit(nexacloud):
    billed = defaultdict(Decimal)
    for row in focus_sample.read_rows():
        # One row of September's last hour is on October's bill.
        billed[row["SubAccountId"], row["ChargePeriodStart"][:7]] += Decimal(row["BilledCost"])
    amounts = Amount.objects.filter(service=nexacloud, side=Side.EXTERNAL, period_label__in=REAL_LABELS)
    stored = {(row.customer.external_id, row.period_label): row.untaxed for row in amounts}
    assert stored == billed
    assert sum(stored.values()) == Decimal("20.52022672899")


def test_what_we_expect_is_taxed_as_odoo_taxes_it_from_the_provinces_to_abroad():
    """Quebec's two taxes may be a cent off: Odoo adds up what it rounded, we round what we added up."""
    rows = Reconciliation.objects.filter(expected_untaxed=F("odoo_untaxed")).exclude(expected_untaxed=0)
    rates = defaultdict(set)
    for row in rows:
        assert (row.untaxed_because, row.expected_tax is None) == ("", False), row
        assert abs(row.expected_tax - row.odoo_tax) <= Decimal("0.01"), row
        rates[tuple(tax["percent"] for tax in row.expected_taxes)].add(row.customer.name)
    assert {("13",), ("14",), ("15",), ("5",), ("5", "9.975"), ()} <= rates.keys()


def test_each_priced_usage_row_is_one_event_with_its_quantity(nexacloud):
    rows = [row for row in focus_sample.read_rows() if row["ChargeCategory"] == "Usage" and row["SkuPriceId"]]
    events = UsageEvent.objects.filter(service=nexacloud, timestamp__year=2024)
    by_account = dict(events.values_list("external_subscription_id").annotate(Sum("quantity")))
    quantities = defaultdict(Decimal)
    for row in rows:
        quantities[row["SubAccountId"]] += Decimal(row["PricingQuantity"])
    assert events.count() == len(rows)
    assert by_account == quantities


def test_what_does_not_reconcile_in_the_real_month_shows_as_it_is():
    causes = set(rows_of("nexacloud", period_label="2024-09").values_list("cause", flat=True))
    assert {"credit", "commitment", "negative_correction", "rounding", "missing_odoo"} <= causes
    credit = rows_of("nexacloud", period_label="2024-09", cause="credit").get()
    assert credit.status == Status.DELTA
    assert credit.delta > Decimal("2.60")


def test_nexacloud_has_the_real_month_and_five_generated_ones_up_to_the_newest_closed():
    real, generated = labels_of("nexacloud")[:1], labels_of("nexacloud")[1:]
    assert real == list(REAL_LABELS)
    assert len(generated) == 5
    now = timezone.now()
    newest = Reconciliation.objects.latest("period_end")
    assert (now - newest.period_end).days < 33


def test_generated_documents_say_so_and_real_ones_do_not():
    for document in SourceDocument.objects.filter(source=Source.FILE):
        is_real = document.amounts.filter(period_label__in=REAL_LABELS).exists()
        assert (ORIGIN in str(document.content)) is not is_real, document.reference


def test_the_two_newest_months_of_nexacloud_are_clean_and_it_is_ready(nexacloud):
    newest = rows_of("nexacloud", period_label__in=labels_of("nexacloud")[-2:])
    assert set(newest.values_list("status", flat=True)) == {Status.MATCH}
    readiness = read_readiness(service=nexacloud)
    assert [condition.code for condition in readiness.conditions if not condition.is_met] == []


def test_nexaclouds_cutover_can_be_requested_and_approved(nexacloud):
    request = cutover.request_cutover(
        service=nexacloud,
        effective_date=date(timezone.now().year + 1, 1, 1),
        comment="Two clean months.",
        actor=User.objects.get(username="finance"),
    )
    manager = User.objects.get(username="manager")
    cutover.approve(request_id=request.pk, actor=manager, seen=request.evidence_digest)
    subscriptions = Subscription.objects.filter(service=nexacloud).count()
    assert BillerTerm.objects.filter(subscription__service=nexacloud).count() == subscriptions
    assert Delivery.objects.get().endpoint.service == nexacloud


@pytest.mark.parametrize("code", ["nexadesk", "nexamaps", "custom", "memberships"])
def test_no_other_service_is_ready(code):
    assert not read_readiness(service=Service.objects.get(code=code)).is_ready


def test_each_outcome_occurs():
    assert set(Reconciliation.objects.values_list("outcome", flat=True)) == set(Outcome.values)


def test_each_cause_occurs_and_the_causes_of_every_row_add_up_to_its_delta():
    rows = list(Reconciliation.objects.all())
    compared = read_many(rows)
    seen = {cause.code for lines in compared.values() for cause in lines.causes}
    assert seen == set(CauseCode)
    for row in rows:
        if row.outcome in {Outcome.COMPARED, Outcome.STALE}:
            assert sum(cause.amount for cause in compared[row.pk].causes) == row.delta


def test_a_fifth_of_nexadesks_rows_differ():
    rows = rows_of("nexadesk")
    share = rows.exclude(status=Status.MATCH).count() / rows.count()
    assert 0.17 < share < 0.23


def test_nexadesk_is_judged_on_totals_and_bills_in_us_dollars_on_untaxed_amounts():
    assert set(rows_of("nexadesk", outcome=Outcome.COMPARED).values_list("basis", flat=True)) == {"total"}
    dollars = rows_of("nexamaps", currency="USD", outcome=Outcome.COMPARED)
    assert set(dollars.values_list("basis", flat=True)) == {"untaxed"}


def test_finance_resolved_some_rows_with_a_reason_and_the_audit_has_each():
    resolved = Reconciliation.objects.filter(status=Status.RESOLVED)
    audited = AuditRecord.objects.filter(action="reconciliation.resolve").values_list("object_id", flat=True)
    assert resolved.count() == 7
    assert all(row.reason and row.resolved_by.username == "finance" for row in resolved)
    assert {str(row.public_id) for row in resolved} < set(audited)


def test_one_resolved_row_reopened_when_the_service_corrected_its_bill():
    row = Reconciliation.objects.exclude(reopened_at=None).get()
    assert row.status == Status.DELTA
    assert row.reason
    assert row.reopened_because.startswith("external ")
    assert (
        AuditRecord.objects.filter(action="reconciliation.reopen", object_id=str(row.public_id)).count() == 1
    )
    versions = SourceDocument.objects.filter(amounts__customer=row.customer, version=2)
    assert versions.filter(amounts__period_label=row.period_label).count() == 1


def test_a_late_event_left_one_row_stale():
    row = Reconciliation.objects.get(outcome=Outcome.STALE)
    assert row.status == Status.DELTA
    assert row.cause == CauseCode.OUTDATED_PUSH


def test_one_row_is_finances_to_work_on():
    row = Reconciliation.objects.exclude(owner=None).get()
    assert (row.owner.username, row.status) == ("finance", Status.DELTA)


def test_every_push_is_done_no_alarm_is_open_and_nothing_but_subscription_orders_is_confirmed(loaded):
    assert set(Push.objects.values_list("status", flat=True)) == {PushStatus.DONE}
    assert not Alarm.objects.exists()
    ordered = Subscription.objects.exclude(odoo_order_id=None)
    assert set(ordered.values_list("odoo_order_id", flat=True)) == set(
        OdooOrder.objects.values_list("odoo_id", flat=True)
    )
    assert set(OdooOrder.objects.values_list("state", flat=True)) == {"sale"}
    assert 0 < ordered.count() < Subscription.objects.count()
    assert loaded.state["models"]["sale.order"] == Push.objects.count() + ordered.count()


def test_every_run_says_that_the_load_of_the_demo_asked_for_it():
    assert {name_requester(run) for run in with_rule(Run.objects.all())} == {"the load of the demo"}


def test_the_demos_people_can_log_in_in_their_roles_and_nobody_is_a_superuser():
    request = RequestFactory().get("/")
    for login in LOGINS:
        user = authenticate(request, username=login.username, password=login.password)
        assert user is not None
        assert user.is_staff
        assert not user.is_superuser
        assert user.get_full_name() == login.full_name
        assert set(user.groups.values_list("name", flat=True)) == set(login.groups)


def test_loading_again_says_so_and_changes_nothing(loaded):
    rows, odoo = count_rows(), loaded.state
    said = StringIO()
    call_command("load_demo", stdout=said)
    assert said.getvalue() == "The demo is loaded already.\n"
    assert (count_rows(), loaded.state) == (rows, odoo)
