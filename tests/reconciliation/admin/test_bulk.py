"""Decisions on many rows: asked first, then done on exactly the rows that were shown."""

import re
from decimal import Decimal

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.urls import reverse

from ingest.models import AuditRecord
from reconciliation.admin import bulk
from reconciliation.models import Reconciliation, Run, RunKind, Status
from tests import factories

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:reconciliation_reconciliation_changelist")


@pytest.fixture
def rows():
    """Three open rows of one service and period."""
    service = factories.ServiceFactory()
    return [
        factories.ReconciliationFactory(customer__service=service, odoo_untaxed=Decimal(90 + place))
        for place in range(3)
    ]


def ask(client, action, rows, address=QUEUE, across="0"):
    """Chooses rows and an action in the list; returns the page that asks."""
    chosen = [row.pk for row in rows]
    data = {"action": action, ACTION_CHECKBOX_NAME: chosen, "index": "0", "select_across": across}
    return client.post(address, data)


def answer(client, page, address=QUEUE, **data):
    """Posts the form of the page that asked; returns what the person is told."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    posted = {}
    for name, value in fields:
        posted.setdefault(name, []).append(value)
    response = client.post(address, {**posted, **data})
    assert response.status_code == 302
    return str(list(get_messages(response.wsgi_request))[-1])


def test_a_bulk_action_asks_before_it_does_anything(client, finance, rows):
    client.force_login(finance)

    page = ask(client, "resolve_rows", rows[:2]).content.decode()

    assert "Resolve 2 rows" in page
    assert str(rows[0].customer) in page
    assert str(rows[2].customer) not in page
    assert not Reconciliation.objects.filter(status=Status.RESOLVED).exists()


def test_rows_are_resolved_with_one_reason(client, finance, rows):
    client.force_login(finance)

    told = answer(client, ask(client, "resolve_rows", rows[:2]), reason="List price agreed.")

    assert told == "2 rows resolved: List price agreed."
    resolved = Reconciliation.objects.filter(status=Status.RESOLVED, reason="List price agreed.")
    assert set(resolved) == set(rows[:2])
    assert AuditRecord.objects.filter(reason="List price agreed.", actor=finance).count() == 2


def test_without_a_reason_it_asks_again(client, finance, rows):
    client.force_login(finance)
    page = ask(client, "resolve_rows", rows)
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())

    response = client.post(QUEUE, {**dict(fields), "reason": " "})

    assert response.status_code == 200
    assert "This field is required" in response.content.decode()
    assert not Reconciliation.objects.filter(status=Status.RESOLVED).exists()


@pytest.mark.parametrize(("action", "kind"), [("push_rows", RunKind.REFRESH), ("rerun_rows", RunKind.RERUN)])
def test_one_run_is_queued_per_service_and_period(client, finance, rows, action, kind):
    elsewhere = factories.ReconciliationFactory(odoo_untaxed=Decimal("1.00"))
    client.force_login(finance)

    told = answer(client, ask(client, action, [*rows, elsewhere]))

    runs = {run.service: run for run in Run.objects.all()}
    assert set(runs) == {rows[0].service, elsewhere.service}
    assert runs[rows[0].service].parameters == {"customers": sorted(row.customer_id for row in rows)}
    assert {run.kind for run in runs.values()} == {kind}
    assert told.count("/admin/reconciliation/run/") == 2


def test_rows_are_assigned_to_the_person(client, finance, rows):
    client.force_login(finance)

    answer(client, ask(client, "assign_rows", rows))

    assert set(Reconciliation.objects.values_list("owner__username", flat=True)) == {"finance"}


def test_all_rows_of_a_filtered_list_are_those_that_the_filter_shows(client, finance, rows):
    elsewhere = factories.ReconciliationFactory(odoo_untaxed=Decimal("1.00"))
    address = f"{QUEUE}?service={rows[0].service.code}"
    client.force_login(finance)

    page = ask(client, "resolve_rows", rows[:1], address, across="1")
    assert "Resolve 3 rows" in page.content.decode()
    answer(client, page, address, reason="All of it.")

    elsewhere.refresh_from_db()
    assert elsewhere.status == Status.DELTA
    assert Reconciliation.objects.filter(status=Status.RESOLVED).count() == 3


@pytest.mark.parametrize("change", ["a row changed", "a row joined"])
def test_rows_that_changed_since_they_were_shown_are_left_alone(client, finance, rows, change):
    client.force_login(finance)
    page = ask(client, "resolve_rows", rows[:1], across="1")
    if change == "a row changed":
        Reconciliation.objects.filter(pk=rows[1].pk).update(version=2)
    else:
        factories.ReconciliationFactory(odoo_untaxed=Decimal("1.00"))

    told = answer(client, page, reason="Fine.")

    assert "changed since you looked" in told
    assert not Reconciliation.objects.filter(status=Status.RESOLVED).exists()
    assert not AuditRecord.objects.exists()


def test_a_row_that_cannot_be_resolved_stops_all_of_them(client, finance, rows):
    match = factories.ReconciliationFactory()
    address = f"{QUEUE}?view=all"
    client.force_login(finance)

    told = answer(client, ask(client, "resolve_rows", [*rows, match], address), address, reason="Fine.")

    assert "is not an open delta" in told
    assert not Reconciliation.objects.filter(status=Status.RESOLVED).exists()


def test_too_many_rows_at_once_are_refused(client, finance, rows, monkeypatch):
    monkeypatch.setattr(bulk, "MOST_ROWS", 2)
    client.force_login(finance)

    response = ask(client, "resolve_rows", rows)

    assert response.status_code == 302
    assert "too many" in str(list(get_messages(response.wsgi_request))[-1])


@pytest.mark.parametrize("action", ["resolve_rows", "push_rows", "rerun_rows", "assign_rows"])
@pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
def test_only_finance_has_bulk_actions(client, person, rows, action):
    client.force_login(person)

    page = ask(client, action, rows)

    assert "fingerprint" not in page.content.decode()
    assert not Run.objects.exists()
    assert not AuditRecord.objects.exists()
    assert action not in client.get(QUEUE).content.decode()
