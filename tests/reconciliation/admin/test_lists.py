"""The lists: each takes as many queries for many rows as for two, and opens on a useful order."""

import pytest
from django.contrib import admin
from django.urls import reverse

from reconciliation.models import DeliveryStatus, PushStatus
from tests import factories
from tests.reconciliation.admin import world
from tests.test_factories import FACTORIES

pytestmark = pytest.mark.django_db

# The session, the person and what they may do, a filter's services, the count and the page; four more judge events.
QUERIES = {
    "ingest.apikey": 7,
    "ingest.auditrecord": 7,
    "ingest.charge": 7,
    "ingest.customer": 7,
    "ingest.fee": 7,
    "ingest.metric": 7,
    "ingest.plan": 7,
    "ingest.service": 6,
    "ingest.subscription": 7,
    "ingest.usage": 7,
    "ingest.usageevent": 10,
    "reconciliation.alarm": 7,
    "reconciliation.amount": 7,
    "reconciliation.connectioncheck": 7,
    "reconciliation.billedfile": 7,
    "reconciliation.billingsource": 7,
    "reconciliation.claimrules": 7,
    "reconciliation.cutoverrequest": 7,
    "reconciliation.delivery": 7,
    "reconciliation.filemapping": 7,
    "reconciliation.lagoconnection": 7,
    "reconciliation.mirrorcursor": 6,
    "reconciliation.odooconnection": 9,
    "reconciliation.odoofiscalposition": 6,
    "reconciliation.odooinvoice": 6,
    "reconciliation.odooinvoiceline": 6,
    "reconciliation.odooorder": 6,
    "reconciliation.odooorderline": 6,
    "reconciliation.odoopartner": 6,
    "reconciliation.odooplan": 6,
    "reconciliation.odoopricelist": 6,
    "reconciliation.odooproduct": 6,
    "reconciliation.odootax": 6,
    "reconciliation.odootaxpast": 6,
    "reconciliation.odootoken": 6,
    "reconciliation.odootransaction": 6,
    "reconciliation.push": 7,
    "reconciliation.reconciliation": 15,
    "reconciliation.run": 7,
    "reconciliation.sourcedocument": 7,
    "reconciliation.stripecheck": 6,
    "reconciliation.stripecursor": 6,
    "reconciliation.stripeevent": 6,
    "reconciliation.striperecord": 7,
    "reconciliation.tolerance": 7,
    "reconciliation.unattributedline": 7,
    "reconciliation.webhookendpoint": 7,
}


def test_an_empty_list_says_what_will_fill_it_or_that_the_filters_leave_nothing(client, operator):
    client.force_login(operator)
    address = list_of("ingest.apikey")

    page = client.get(address).content.decode()
    assert "An operator issues one per service here" in page
    assert reverse("admin:ingest_apikey_add") in page
    for query in ("q=nothing", "state=revoked"):
        page = client.get(f"{address}?{query}").content.decode()
        assert "No API keys under these filters" in page, query
        assert "Reset filters" in page, query
    page = client.get(list_of("reconciliation.reconciliation")).content.decode()
    assert "Every row of this view is decided." in page


def make_rows(label, count):
    """Rows that each have a service, a customer and a person of their own."""
    (model,) = [model for model in FACTORIES if model._meta.label_lower == label]
    values = {"reconciliation.sourcedocument": {"run": factories.RunFactory}}.get(label, {})
    for _ in range(count):
        FACTORIES[model](**{name: make() for name, make in values.items()})


def list_of(label):
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize("label", QUERIES)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_two(client, auditor, label, count):
    make_rows(label, count)
    client.force_login(auditor)

    assert world.count_queries(client, list_of(label)) == QUERIES[label]


def test_every_list_of_the_console_is_counted():
    models = {model._meta.label_lower for model in admin.site._registry}

    assert models - {"auth.user", "auth.group"} == set(QUERIES)


@pytest.mark.parametrize("label", QUERIES)
def test_a_list_is_searched_and_filtered_without_an_error(client, auditor, label):
    make_rows(label, 1)
    client.force_login(auditor)
    screen = next(item for model, item in admin.site._registry.items() if model._meta.label_lower == label)
    parameters = [
        getattr(item, "parameter_name", None) or f"{item}__exact"
        for item in screen.list_filter
        if not isinstance(item, tuple)
    ]

    for parameter in ("q", *parameters):
        response = client.get(list_of(label), {parameter: "1"}, follow=True)
        assert response.status_code == 200, parameter


def test_pushes_that_are_not_done_are_listed_together(client, operator):
    failed = factories.PushFactory(status=PushStatus.FAILED)
    factories.PushFactory(status=PushStatus.DONE, odoo_id=7, settled_at=factories.SEEN_AT)
    client.force_login(operator)

    response = client.get(f"{list_of('reconciliation.push')}?state=open")

    assert list(response.context["cl"].result_list) == [failed]


def test_open_alarms_are_listed_alone(client, operator):
    alarm = factories.AlarmFactory()
    factories.AlarmFactory(cleared_at=factories.SEEN_AT)
    client.force_login(operator)

    response = client.get(f"{list_of('reconciliation.alarm')}?state=open")

    assert list(response.context["cl"].result_list) == [alarm]


def test_deliveries_are_listed_by_the_service_they_go_to(client, operator):
    delivery = factories.DeliveryFactory(status=DeliveryStatus.PENDING)
    factories.DeliveryFactory()
    client.force_login(operator)

    code = delivery.endpoint.service.code
    response = client.get(f"{list_of('reconciliation.delivery')}?service={code}")

    assert list(response.context["cl"].result_list) == [delivery]
