"""A push shows what Odoo holds and what would change before anybody confirms it, and writes exactly that."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from ingest.models import AuditRecord, Fee, Phase
from reconciliation import runs, work
from reconciliation.models import Push, Run, RunKind, RunStatus
from tests import factories
from tests.reconciliation.admin.world import picture_tables

LABEL = factories.PERIOD_LABEL


@pytest.fixture
def customer(world):
    """Odoo holds 30.86, 4.10 and the plan of this customer; meant are 31.07 and the plan by now."""
    customer = world.make_billed_customer()
    world.push_now()
    world.rate(customer, api="31.07")
    world.drop(customer, "sto")
    return customer


def address(world, **query):
    asked = {"service": world.service.code, "period": LABEL, **query}
    return reverse("admin:reconciliation_push_preview", query=asked)


def words(response):
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("person", ["finance", "manager", "operator", "auditor"], indirect=True)
def test_it_shows_what_odoo_holds_and_what_would_change_and_writes_nothing(client, world, customer, person):
    other = world.make_customer()
    world.rate(other, api="5.00")
    unlinked = world.make_customer()
    unlinked.odoo_partner_id = None
    unlinked.save()
    world.rate(unlinked, api="1.00")
    client.force_login(person)
    before, calls = picture_tables(), world.stand_in.state["calls"]

    response = client.get(address(world))

    preview = response.context["preview"]
    assert [(str(row.customer), row.is_new) for row in preview.rows] == [
        (str(other), True),
        (str(customer), False),
    ]
    changed = preview.rows[1]
    assert [str(figure) for figure in (changed.in_odoo, changed.held, changed.meant, changed.difference)] == [
        "133.96",
        "34.96",
        "31.07",
        "-3.89",
    ]
    assert {(line.held and str(line.held), line.meant and str(line.meant)) for line in changed.lines} == {
        ("30.86", "31.07"),
        ("4.1", None),
    }
    (total,) = preview.totals
    assert (total.rows, str(total.held), str(total.meant), str(total.difference)) == (
        2,
        "34.96",
        "36.07",
        "1.11",
    )
    assert "is not linked to an Odoo partner: link it." in words(response)
    assert picture_tables() == before
    assert world.stand_in.state["calls"] == calls, "a page asks nothing of Odoo"


def confirm(client, world, **query):
    place = address(world, **query)
    seen = client.get(place).context["preview"].digest
    return client.post(place, {"seen": seen})


def perform():
    run = runs.perform(runs.claim_run(Run.objects.latest("pk").pk), work.do_work)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("kind", [RunKind.PUSH, RunKind.REFRESH])
def test_confirming_a_period_writes_what_was_shown(client, world, customer, finance, kind):
    type(world.service).objects.update(phase=Phase.SHADOW if kind == RunKind.PUSH else Phase.DUAL_RUN)
    client.force_login(finance)
    response = confirm(client, world)
    assert response.status_code == 302
    run = Run.objects.get()
    assert (run.kind, run.requested_by, run.period_label) == (kind, finance, LABEL)
    assert AuditRecord.objects.filter(actor=finance, action=f"run.{kind}").count() == 1

    assert perform().status == RunStatus.SUCCEEDED
    assert world.held(world.latest(customer)) == {"api": "31.07", "plan": "99.00"}
    assert world.latest(customer).requested_by == finance


def test_what_is_other_by_then_is_not_written_and_the_run_says_so(client, world, customer, finance):
    client.force_login(finance)
    confirm(client, world)
    world.rate(customer, api="99.99")
    pushes = Push.objects.count()

    run = perform()

    assert (run.status, run.message) == (
        RunStatus.FAILED,
        "Other than what was shown would be written by now: look again.",
    )
    assert Push.objects.count() == pushes
    assert world.held(world.latest(customer))["api"] == "30.86"


def test_one_customer_is_shown_and_written_with_the_usage_of_this_moment(client, world, customer, finance):
    """The fees are of the tests' making: rated anew from events, of which there are none, they come to nothing."""
    row = factories.ReconciliationFactory(customer=customer)
    Fee.objects.filter(subscription__customer=customer).update(exact_amount=7)
    client.force_login(finance)
    before = picture_tables()

    response = client.get(address(world, customer=customer.external_id))

    assert response.context["preview"].is_fresh
    assert "From the usage as it is now" in words(response)
    assert picture_tables() == before
    response = confirm(client, world, customer=customer.external_id)
    assert response["Location"] == reverse("admin:reconciliation_reconciliation_change", args=[row.pk])
    run = Run.objects.get()
    assert (run.kind, run.parameters["customers"]) == (RunKind.REFRESH, [customer.pk])
    assert perform().status != RunStatus.FAILED


@pytest.mark.parametrize("person", ["manager", "operator", "auditor"], indirect=True)
def test_only_finance_confirms(client, world, customer, person):
    client.force_login(person)
    response = client.get(address(world))
    assert "Write 1 to Odoo" not in words(response)
    assert client.post(address(world), {"seen": response.context["preview"].digest}).status_code == 403
    assert not Run.objects.exists()


def test_nothing_is_confirmed_that_was_not_looked_at(client, world, customer, finance):
    client.force_login(finance)
    response = client.post(address(world))
    assert "Look at what would be written first." in str(list(get_messages(response.wsgi_request))[-1])
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "query", [{"period": "2026-99"}, {"service": "nobody"}, {"customer": "nobody"}, {"period": "x" * 99}]
)
def test_a_push_that_there_cannot_be_is_told_in_the_form(client, world, finance, query):
    client.force_login(finance)
    response = client.get(address(world, **query))
    assert response.status_code == 200
    assert response.context["preview"] is None
    assert response.context["form"].errors


def test_the_page_takes_as_many_statements_for_many_as_for_few(
    client, world, finance, django_assert_max_num_queries
):
    for each in world.make_customers(40):
        world.rate(each, api="1.00", sto="2.00")
    client.force_login(finance)
    client.get(address(world))
    with django_assert_max_num_queries(35):
        response = client.get(address(world))
    assert response.context["preview"].count == 40
