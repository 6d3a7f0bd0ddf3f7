"""The page of one reconciliation, and its buttons."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from ingest.models import AuditRecord
from reconciliation.admin.push_preview import preview_address
from reconciliation.models import Run, RunKind, RunStatus, Side, Status
from tests import factories
from tests.reconciliation.admin import world

pytestmark = pytest.mark.django_db

ACTIONS = ["push", "rerun", "resolve", "reopen", "assign"]


@pytest.fixture
def row():
    """Acme was billed 1,204.10, Odoo computes 1,198.40."""
    customer = factories.CustomerFactory(name="Acme", service__name="NexaCloud", service__code="nexacloud")
    return factories.ReconciliationFactory(
        customer=customer,
        odoo_untaxed=Decimal("1198.40"),
        external_untaxed=Decimal("1204.10"),
        tolerance=Decimal("0.50"),
    )


def page_of(row):
    return reverse("admin:reconciliation_reconciliation_change", args=[row.pk])


def act(client, row, action, **data):
    """Posts one of the page's buttons as the page would; returns what the person is told."""
    address = reverse(f"admin:reconciliation_reconciliation_{action}", args=[row.pk])
    response = client.post(address, {"version": row.version, **data})
    assert response.status_code == 302
    assert response["Location"] == page_of(row)
    row.refresh_from_db()
    return str(list(get_messages(response.wsgi_request))[-1])


def test_the_page_says_the_row_in_one_sentence(client, auditor, row):
    client.force_login(auditor)

    page = client.get(page_of(row)).content.decode()

    assert (
        "Acme, September 2026: NexaCloud billed 1,204.10 CAD, Odoo computes 1,198.40;"
        " −5.70 (−0.47 %), above the tolerance of 0.50." in page
    )


def test_the_page_shows_lines_fees_documents_pushes_and_other_periods(client, auditor, row):
    fee = factories.FeeFactory(subscription=factories.SubscriptionFactory(customer=row.customer))
    odoo = factories.AmountFactory(customer=row.customer, side=Side.ODOO, document__source="odoo_quotation")
    factories.AmountLineFactory(amount=odoo, code=fee.charge.metric.code, description="Requests to Odoo")
    factories.PushFactory(customer=row.customer, payload={"usage_lines": ["a line of the payload"]})
    other = factories.ReconciliationFactory(customer=row.customer, currency="USD")
    client.force_login(auditor)

    page = client.get(page_of(row)).content.decode()

    for text in ("Requests to Odoo", odoo.document.digest, "a line of the payload", page_of(other)):
        assert text in page
    assert reverse("admin:ingest_fee_change", args=[fee.pk]) in page


def test_the_page_shows_the_tax_that_we_expect_with_its_rates(client, auditor, row):
    row.expected_untaxed, row.expected_tax = Decimal("30.30"), Decimal("4.54")
    row.expected_total = Decimal("34.84")
    row.expected_taxes = [
        {"tax_id": 5, "name": "GST", "percent": "5", "products": [12], "base": "30.30", "amount": "1.52"},
        {"tax_id": 9, "name": "QST", "percent": "9.975", "products": [12], "base": "30.30", "amount": "3.02"},
    ]
    row.save()
    client.force_login(auditor)

    page = " ".join(client.get(page_of(row)).content.decode().split())

    assert "GST (5 % of 30.30) 1.52; QST (9.975 % of 30.30) 3.02." in page
    assert ">4.54<" in page
    assert ">34.84<" in page


def test_the_page_says_why_no_tax_can_be_expected(client, auditor, row):
    row.untaxed_because = "The partner has no province in Odoo."
    row.save()
    client.force_login(auditor)

    assert (
        "No tax can be expected: The partner has no province in Odoo."
        in client.get(page_of(row)).content.decode()
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_a_button_does_nothing_on_get(client, finance, row, action):
    client.force_login(finance)

    response = client.get(reverse(f"admin:reconciliation_reconciliation_{action}", args=[row.pk]))

    assert response.status_code == 405
    assert not Run.objects.exists()
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("person", ["manager", "operator", "auditor", "outsider"], indirect=True)
def test_only_finance_may_press_a_button(client, person, row, action):
    client.force_login(person)

    address = reverse(f"admin:reconciliation_reconciliation_{action}", args=[row.pk])
    response = client.post(address, {"reason": "because", "version": row.version})

    assert response.status_code == 403
    row.refresh_from_db()
    assert (row.status, row.owner) == (Status.DELTA, None)
    assert not Run.objects.exists()
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
def test_who_may_not_press_a_button_does_not_see_it(client, person, row):
    client.force_login(person)

    page = client.get(page_of(row)).content.decode()
    for action in ACTIONS:
        assert reverse(f"admin:reconciliation_reconciliation_{action}", args=[row.pk]) not in page


def test_a_button_without_the_token_is_refused(finance, row):
    client = Client(enforce_csrf_checks=True)
    client.force_login(finance)

    response = client.post(reverse("admin:reconciliation_reconciliation_push", args=[row.pk]))

    assert response.status_code == 403
    assert not Run.objects.exists()


def test_pushing_leads_to_what_it_would_change(client, finance, row):
    client.force_login(finance)
    response = client.post(reverse("admin:reconciliation_reconciliation_push", args=[row.pk]))
    assert response["Location"] == preview_address(row)
    assert client.get(response["Location"]).status_code == 200
    assert not Run.objects.exists()


def test_rerunning_queues_a_run_for_this_customer_and_period(client, finance, row):
    client.force_login(finance)

    told = act(client, row, "rerun")

    run = Run.objects.get()
    assert (run.kind, run.service, run.period_label) == (RunKind.RERUN, row.service, row.period_label)
    assert (run.parameters, run.requested_by) == ({"customers": [row.customer_id]}, finance)
    assert reverse("admin:reconciliation_run_change", args=[run.pk]) in told


def test_the_page_follows_a_run_that_goes_on_and_shows_one_that_ended(client, finance, row):
    client.force_login(finance)
    act(client, row, "rerun")
    progress = reverse("admin:reconciliation_run_progress", args=[Run.objects.get().pk])

    assert f'data-follow="{progress}"' in client.get(page_of(row)).content.decode()
    assert client.get(progress).json()["is_finished"] is False

    Run.objects.update(status=RunStatus.PARTIAL, message="Odoo refused one line.")
    page = client.get(page_of(row)).content.decode()
    assert "data-follow" not in page
    assert "Odoo refused one line." in page
    assert client.get(progress).json()["is_finished"] is True


def test_a_run_for_other_customers_is_not_this_rows(client, auditor, row):
    factories.RunFactory(service=row.service, parameters={"customers": [row.customer_id + 1]})
    client.force_login(auditor)

    assert "data-follow" not in client.get(page_of(row)).content.decode()


def test_resolving_takes_a_reason_and_shows_who_and_why(client, finance, row):
    client.force_login(finance)

    assert act(client, row, "resolve", reason="Block price agreed.") == "Resolved: Block price agreed."

    assert (row.status, row.resolved_by, row.reason) == (Status.RESOLVED, finance, "Block price agreed.")
    page = client.get(page_of(row)).content.decode()
    assert "Block price agreed." in page
    assert AuditRecord.objects.get().reason == "Block price agreed."


@pytest.mark.parametrize("reason", ["", "   "])
def test_resolving_without_a_reason_is_refused_with_a_message(client, finance, row, reason):
    client.force_login(finance)

    told = act(client, row, "resolve", reason=reason)

    assert "reason" in told
    assert row.status == Status.DELTA
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("version", ["", "7", "no number"])
def test_resolving_figures_that_the_person_did_not_see_is_refused(client, finance, row, version):
    client.force_login(finance)

    told = act(client, row, "resolve", reason="Fine.", version=version)

    assert "changed since you looked" in told
    assert row.status == Status.DELTA


def test_of_two_people_on_one_row_the_second_is_told(client, finance, finance_manager, row):
    seen = row.version
    client.force_login(finance)
    act(client, row, "resolve", reason="Mine.")
    client.force_login(finance_manager)

    told = act(client, row, "resolve", reason="No, mine.", version=seen)

    assert "changed since you looked" in told
    assert (row.resolved_by, row.reason) == (finance, "Mine.")


def test_reopening_puts_the_row_back_into_the_queue(client, finance, row):
    client.force_login(finance)
    act(client, row, "resolve", reason="Fine.")

    act(client, row, "reopen", reason="It was not.")

    assert row.status == Status.DELTA
    assert "It was not." in row.reopened_because
    assert "It was not." in client.get(page_of(row)).content.decode()


def test_assigning_makes_the_person_the_owner(client, finance, row):
    client.force_login(finance)

    act(client, row, "assign")

    assert row.owner == finance
    assert "Assign to me" not in client.get(page_of(row)).content.decode()


def test_the_page_leads_to_the_next_open_row(client, finance, row):
    smaller = factories.ReconciliationFactory(odoo_untaxed=Decimal("99.00"))
    factories.ReconciliationFactory()
    client.force_login(finance)

    page = client.get(page_of(row)).content.decode()

    assert f"Next: {smaller.customer}" in page


def test_the_next_row_is_the_next_of_the_queue_that_the_page_was_opened_from(client, finance, row):
    of_period = {"customer__service": row.service, "period_label": row.period_label}
    next_one = factories.ReconciliationFactory(odoo_untaxed=Decimal("98.00"), **of_period)
    factories.ReconciliationFactory(
        odoo_untaxed=Decimal("97.00"), customer__service=row.service, period_label="2026-08"
    )
    factories.ReconciliationFactory(odoo_untaxed=Decimal("96.00"), period_label=row.period_label)
    client.force_login(finance)
    filters = urlencode({"service": row.service.code, "period": row.period_label, "view": "all"})
    queue = reverse("admin:reconciliation_reconciliation_changelist")
    kept = urlencode({"_changelist_filters": filters})

    # The queue itself hands its filters on, and each page to the next.
    assert f"{page_of(row)}?{kept}" in client.get(f"{queue}?{filters}").content.decode()
    response = client.get(f"{page_of(row)}?{kept}")
    assert response.context["next"] == next_one
    page = response.content.decode()
    assert f"{page_of(next_one)}?{kept}" in page
    assert escape(f"{queue}?{filters}") in page
    # And a button leads back to the page as it was opened.
    (address,) = [
        button.address for button in response.context["buttons"] if button.label.startswith("Assign")
    ]
    assert client.post(address)["Location"] == f"{page_of(row)}?{kept}"


def test_there_is_no_next_row_when_the_queue_has_no_other_open_one(client, finance, row):
    factories.ReconciliationFactory(odoo_untaxed=Decimal("98.00"))
    client.force_login(finance)

    page = client.get(f"{page_of(row)}?_changelist_filters=service%3D{row.service.code}")

    assert page.context["next"] is None


@pytest.mark.parametrize("filters", ["nonsense=1", "status__foo=1", "p=zero", "id=abc"])
def test_a_wrong_queue_in_the_address_is_no_error(client, finance, row, filters):
    smaller = factories.ReconciliationFactory(odoo_untaxed=Decimal("99.00"))
    client.force_login(finance)

    response = client.get(page_of(row), {"_changelist_filters": filters})

    assert response.status_code == 200
    assert response.context["next"] == smaller


def test_posting_to_the_page_itself_is_not_allowed(client, finance, row):
    client.force_login(finance)

    assert client.post(page_of(row), {"status": "match"}).status_code == 405
    row.refresh_from_db()
    assert row.status == Status.DELTA


def test_a_row_that_is_not_there_leads_back_with_a_message(client, finance):
    client.force_login(finance)

    address = reverse("admin:reconciliation_reconciliation_change", args=[4711])
    response = client.get(address, follow=True)

    assert "doesn’t exist" in response.content.decode()


def test_text_of_a_service_is_shown_as_text(client, finance):
    row = factories.ReconciliationFactory(customer__name="<script>alert(1)</script>")
    client.force_login(finance)

    assert "<script>alert(1)" not in client.get(page_of(row)).content.decode()
    assert "<script>alert(1)" not in client.get(reverse("admin:index")).content.decode()
    queue = reverse("admin:reconciliation_reconciliation_changelist")
    assert "<script>alert(1)" not in client.get(f"{queue}?view=all").content.decode()


@pytest.mark.parametrize("lines", [1, 12])
def test_the_page_takes_as_many_queries_for_many_lines_as_for_one(client, auditor, row, lines):
    for side in Side.values:
        amount = factories.AmountFactory(customer=row.customer, side=side)
        factories.AmountLineFactory.create_batch(lines, amount=amount)
    for _ in range(lines):
        factories.FeeFactory(subscription=factories.SubscriptionFactory(customer=row.customer))
    client.force_login(auditor)

    assert world.count_queries(client, page_of(row)) == 24
