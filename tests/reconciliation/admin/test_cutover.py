"""The way to a cutover on the screen: asked for by one person, decided by another."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from ingest.configuration import CONFIGURABLE
from ingest.models import AuditRecord, Biller, BillerTerm, Phase
from reconciliation.models import Amount, CutoverRequest, CutoverStatus, Side
from reconciliation.readiness import read_readiness
from reconciliation.reconcile import reconcile_period
from tests import factories
from tests.reconciliation.sides import change

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_november():
    """After September and October have closed."""
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):
        yield


def told(response):
    return str(list(get_messages(response.wsgi_request))[-1])


def service_page(service):
    return reverse("admin:ingest_service_change", args=[service.pk])


def request_page(request):
    return reverse("admin:reconciliation_cutoverrequest_change", args=[request.pk])


def decide(client, request, action, reason="", version=None):
    """Posts one of the request page's buttons; returns what the person is told."""
    address = reverse(f"admin:reconciliation_cutoverrequest_{action}", args=[request.pk])
    version = client.get(request_page(request)).context["version"] if version is None else version
    response = client.post(address, {"reason": reason, "version": version})
    assert (response.status_code, response["Location"]) == (302, request_page(request))
    request.refresh_from_db()
    return told(response)


@pytest.fixture
def ready():
    """A service in its dual run with two clean periods and one open subscription."""
    service = factories.ServiceFactory(name="NexaCloud")
    customer = factories.CustomerFactory(service=service)
    factories.SubscriptionFactory(customer=customer, plan__amount=0)
    for month in (9, 10):
        period = {
            "period_start": datetime(2026, month, 1, tzinfo=UTC),
            "period_end": datetime(2026, month + 1, 1, tzinfo=UTC),
            "period_label": f"2026-{month:02}",
        }
        for side in Side.values:
            factories.AmountFactory(customer=customer, side=side, **period)
        reconcile_period(service=service, period_label=period["period_label"], now=timezone.now())
    return service


@pytest.fixture
def asked(ready, finance):
    """The cutover of the ready service, asked for by finance."""
    effective = timezone.localdate() + timedelta(days=40)
    return factories.CutoverRequestFactory(service=ready, requested_by=finance, effective_date=effective)


def test_a_service_in_shadow_starts_its_dual_run_on_an_operators_word(client, operator):
    service = factories.ServiceFactory(phase=Phase.SHADOW)
    client.force_login(operator)
    address = reverse("admin:ingest_service_start_dual_run", args=[service.pk])

    assert address in client.get(service_page(service)).content.decode()
    assert client.get(address).status_code == 405
    client.post(address)

    service.refresh_from_db()
    assert service.phase == Phase.DUAL_RUN
    assert AuditRecord.objects.get().actor == operator


def test_finance_asks_for_a_cutover_from_the_services_page(client, finance, ready):
    client.force_login(finance)
    address = reverse("admin:ingest_service_request_cutover", args=[ready.pk])
    assert address in client.get(service_page(ready)).content.decode()

    effective = timezone.localdate() + timedelta(days=40)
    response = client.post(address, {"effective_date": effective.isoformat(), "comment": "Two clean months."})

    assert (response.status_code, response["Location"]) == (302, service_page(ready))
    request = CutoverRequest.objects.get()
    assert (request.requested_by, request.effective_date) == (finance, effective)
    assert request_page(request) in told(response)
    assert address not in client.get(service_page(ready)).content.decode()


def test_a_date_that_is_past_is_refused_with_a_message(client, finance, ready):
    client.force_login(finance)
    address = reverse("admin:ingest_service_request_cutover", args=[ready.pk])

    response = client.post(address, {"effective_date": "2020-01-01"})

    assert response.status_code == 200
    assert "must be in the future" in response.content.decode()
    assert not CutoverRequest.objects.exists()


@pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
def test_only_finance_asks_for_a_cutover(client, person, ready):
    client.force_login(person)
    address = reverse("admin:ingest_service_request_cutover", args=[ready.pk])

    assert client.get(address).status_code == 403
    assert client.post(address, {"effective_date": "2030-01-01"}).status_code == 403
    assert address not in client.get(service_page(ready)).content.decode()
    assert not CutoverRequest.objects.exists()


def test_another_manager_approves_and_every_subscription_switches(client, manager, asked):
    client.force_login(manager)

    assert "Approved" in decide(client, asked, "approve", "Go.")

    assert (asked.status, asked.decided_by, asked.decision_comment) == (
        CutoverStatus.APPROVED,
        manager,
        "Go.",
    )
    term = BillerTerm.objects.get()
    assert term.biller == Biller.ODOO
    assert term.starts_at.date() >= asked.effective_date


def test_who_is_both_finance_and_manager_is_refused_their_own(client, finance_manager, ready):
    asked = factories.CutoverRequestFactory(service=ready, requested_by=finance_manager)
    client.force_login(finance_manager)

    page = client.get(request_page(asked)).content.decode()
    assert "another manager decides" in page
    assert reverse("admin:reconciliation_cutoverrequest_approve", args=[asked.pk]) not in page
    for action in ("approve", "reject"):
        assert "may not" in decide(client, asked, action, "No.")
    assert asked.status == CutoverStatus.REQUESTED
    assert not BillerTerm.objects.exists()


def test_approval_is_refused_while_a_condition_is_unmet_and_the_page_says_which(client, manager, asked):
    factories.AlarmFactory(service=asked.service)
    client.force_login(manager)

    page = client.get(request_page(asked))
    unmet = [condition.code for condition, _ in page.context["now"] if not condition.is_met]
    assert unmet == ["no_alarms"]
    assert page.context["has_changed"]
    assert "Not ready" in decide(client, asked, "approve")
    assert asked.status == CutoverStatus.REQUESTED
    assert not BillerTerm.objects.exists()


def test_the_page_posts_what_it_shows_and_an_approval_is_about_that(client, manager, asked):
    client.force_login(manager)
    page = client.get(request_page(asked))
    shown = page.context["version"]
    assert f'<input type="hidden" name="version" value="{shown}">' in page.content.decode()
    amount = Amount.objects.filter(side=Side.EXTERNAL).latest("period_start")
    change(amount, "100.01")

    assert "changed since you looked" in decide(client, asked, "approve", version=shown)
    assert asked.status == CutoverStatus.REQUESTED
    assert not BillerTerm.objects.exists()
    assert "Approved" in decide(client, asked, "approve")


def test_open_rows_of_older_periods_are_information_and_no_met_condition(client, manager, asked):
    old = {"period_start": datetime(2026, 7, 1, tzinfo=UTC), "period_end": datetime(2026, 8, 1, tzinfo=UTC)}
    factories.ReconciliationFactory(
        customer__service=asked.service, odoo_untaxed=None, period_label="2026-07", **old
    )
    asked.readiness = asdict(read_readiness(service=asked.service))
    asked.save()
    client.force_login(manager)

    for address, times in ((service_page(asked.service), 1), (request_page(asked), 2)):
        items = client.get(address).content.decode().split("<li>")
        told = [item for item in items if "Older periods do not block" in item]
        assert len(told) == times, address
        for item in told:
            assert "badge-info" in item
            assert "1 open row in 2026-07" in item
            assert "badge-good" not in item


def test_a_rejection_takes_a_comment(client, manager, asked):
    client.force_login(manager)

    assert "why it is rejected" in decide(client, asked, "reject", "  ")
    assert asked.status == CutoverStatus.REQUESTED
    decide(client, asked, "reject", "Wait for the new year.")
    assert (asked.status, asked.decision_comment) == (CutoverStatus.REJECTED, "Wait for the new year.")


def test_a_manager_rolls_back_with_a_reason(client, manager, asked):
    client.force_login(manager)
    decide(client, asked, "approve")

    assert "why it is rolled back" in decide(client, asked, "roll_back")
    decide(client, asked, "roll_back", "Cards fail.")

    assert (asked.status, asked.rollback_reason) == (CutoverStatus.ROLLED_BACK, "Cards fail.")
    asked.service.refresh_from_db()
    assert asked.service.phase == Phase.DUAL_RUN


@pytest.mark.parametrize("action", ["approve", "reject", "roll_back"])
@pytest.mark.parametrize("person", ["finance", "operator", "auditor"], indirect=True)
def test_only_managers_decide(client, person, ready, action):
    asked = factories.CutoverRequestFactory(service=ready)
    client.force_login(person)
    address = reverse(f"admin:reconciliation_cutoverrequest_{action}", args=[asked.pk])

    assert client.post(address, {"reason": "Because."}).status_code == 403
    assert address not in client.get(request_page(asked)).content.decode()
    asked.refresh_from_db()
    assert asked.status == CutoverStatus.REQUESTED


def test_the_page_says_what_changes_hands_and_when(client, auditor, ready):
    asked = factories.CutoverRequestFactory(service=ready, effective_date=date(2027, 1, 15))
    client.force_login(auditor)

    (switch,) = client.get(request_page(asked)).context["switches"]

    assert (switch.subscriptions, switch.starts_at) == (1, datetime(2027, 2, 1, tzinfo=UTC))


def test_what_waits_for_a_manager_comes_first(client, manager):
    decided = {"decided_by": manager, "decided_at": timezone.now(), "decision_comment": "No."}
    waiting = factories.CutoverRequestFactory()
    rejected = factories.CutoverRequestFactory(status=CutoverStatus.REJECTED, **decided)
    client.force_login(manager)

    response = client.get(reverse("admin:reconciliation_cutoverrequest_changelist"))

    assert list(response.context["cl"].result_list) == [waiting, rejected]


def test_an_operator_configures_a_service_and_the_audit_has_both_values(client, operator, ready):
    client.force_login(operator)
    values = {
        "name": "NexaCloud",
        "timezone": "America/Toronto",
        "grace_hours": 48,
        "late_usage_policy": "report",
        "required_clean_periods": 2,
    }

    response = client.post(service_page(ready), values)

    assert response.status_code == 302
    ready.refresh_from_db()
    assert (ready.timezone, ready.grace_hours) == ("America/Toronto", 48)
    record = AuditRecord.objects.get()
    assert (record.actor, record.before) == (operator, {"timezone": "UTC", "grace_hours": 24})
    assert record.after == {"timezone": "America/Toronto", "grace_hours": 48}


@pytest.mark.parametrize("company", [0, -1])
def test_a_company_that_odoo_cannot_have_is_refused_at_its_field(client, operator, ready, company):
    client.force_login(operator)
    kept = {name: getattr(ready, name) for name in CONFIGURABLE}
    kept = {name: value for name, value in kept.items() if value not in {None, False}}

    response = client.post(service_page(ready), {**kept, "odoo_company_id": company})

    assert response.status_code == 200
    assert set(response.context["adminform"].form.errors) == {"odoo_company_id"}
    ready.refresh_from_db()
    assert ready.odoo_company_id is None


@pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
def test_only_operators_configure_a_service(client, person, ready):
    client.force_login(person)

    response = client.post(service_page(ready), {"name": "Mine", "timezone": "UTC", "grace_hours": 1})

    assert response.status_code == 403
    ready.refresh_from_db()
    assert ready.name == "NexaCloud"
