"""The queue of reconciliations: what it shows, hides, filters and counts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from reconciliation.models import Reconciliation
from tests import factories
from tests.reconciliation.admin import world

pytestmark = pytest.mark.django_db

QUEUE = reverse("admin:reconciliation_reconciliation_changelist")


def make_row(delta, **values):
    """A compared row that is off by `delta`."""
    external = Decimal("100.00")
    return factories.ReconciliationFactory(
        external_untaxed=external, odoo_untaxed=external + Decimal(delta), **values
    )


def make_resolved(delta, person):
    """A row that a person explained."""
    return make_row(
        delta, status="resolved", reason="Agreed.", resolved_by=person, resolved_at=timezone.now()
    )


def shown(client, query=""):
    """The rows that the queue shows, in its order."""
    response = client.get(f"{QUEUE}?{query}")
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.fixture(autouse=True)
def _signed_in(client, finance):
    client.force_login(finance)


def test_the_queue_opens_on_what_is_to_triage_with_the_most_money_first(client, finance):
    small, large = make_row("1.00"), make_row("-50.00")
    missing = factories.ReconciliationFactory(odoo_untaxed=None, external_untaxed=Decimal("20.00"))
    make_row("0.00")
    make_resolved("80.00", finance)

    assert shown(client) == [large, missing, small]


def test_each_tab_holds_its_rows_and_says_how_many(client, finance):
    other, mine = make_row("1.00"), make_row("2.00", owner=finance)
    reopened = make_row("3.00", reopened_at=timezone.now(), reopened_because="Odoo changed")
    match, resolved = make_row("0.01"), make_resolved("4.00", finance)

    assert shown(client, "view=triage") == [reopened, mine, other]
    assert shown(client, "view=mine") == [mine]
    assert shown(client, "view=reopened") == [reopened]
    assert shown(client, "view=tolerance") == [match]
    assert shown(client, "view=resolved") == [resolved]
    assert shown(client, "view=all") == [resolved, reopened, mine, other, match]
    tabs = client.get(QUEUE).context["tabs"]
    assert [tab["count"] for tab in tabs] == ["3", "1", "1", "1", "1", "5"]
    assert [tab["is_active"] for tab in tabs].index(True) == 0


def test_a_tab_keeps_the_filters_and_drops_the_page(client):
    tabs = client.get(f"{QUEUE}?service=nexacloud&p=1&view=mine").context["tabs"]

    assert tabs[2]["address"] == "?service=nexacloud&view=reopened"


def test_each_tab_counts_what_it_would_show_under_the_same_filters(client):
    row, zero = make_row("5.00", cause="price"), Decimal(0)
    make_row("-5.00", cause="quantity")
    make_row("0.01", customer=row.customer, currency="USD")
    factories.ReconciliationFactory(customer__service=row.service, odoo_untaxed=zero, external_untaxed=zero)
    service = f"service={row.service.code}"

    for query in (
        "",
        service,
        f"{service}&zero=shown",
        "cause=price",
        "direction=under",
        f"q={row.customer}",
    ):
        tabs = client.get(f"{QUEUE}?{query}&view=resolved").context["tabs"]
        counted = [int(tab["count"]) for tab in tabs]
        assert counted == [len(shown(client, tab["address"].removeprefix("?"))) for tab in tabs], query


def test_an_unknown_view_is_the_work_to_do(client):
    row = make_row("1.00")
    make_row("0.00")

    assert shown(client, "view=nonsense") == [row]


def test_zero_against_zero_is_hidden_until_asked_for(client):
    zero = factories.ReconciliationFactory(odoo_untaxed=Decimal(0), external_untaxed=Decimal(0))
    match = make_row("0.00")

    assert shown(client, "view=all") == [match]
    assert set(shown(client, "view=all&zero=shown")) == {zero, match}
    assert shown(client, "view=all&zero=only") == [zero]


def test_nothing_against_zero_is_an_open_row_and_is_not_hidden(client):
    row = factories.ReconciliationFactory(odoo_untaxed=Decimal(0), external_untaxed=None)

    assert shown(client) == [row]


def test_filters_are_words_in_the_address(client):
    row = make_row("5.00", currency="USD", cause="price", period_label="2026-10")
    factories.PlanFactory(service=row.service, currency="USD")
    make_row("-5.00", cause="quantity")
    factories.ReconciliationFactory(odoo_untaxed=None)

    for query in (
        f"service={row.service.code}",
        "period=2026-10",
        "currency=USD",
        "cause=price",
        "direction=over",
        "delta_from=4&delta_to=6",
    ):
        assert shown(client, query) == [row], query
    assert len(shown(client, "outcome=compared")) == 2
    assert len(shown(client, "outcome=not_compared")) == 1
    assert len(shown(client, "outcome=missing_odoo")) == 1
    assert shown(client, "status=match&view=triage") == []


def test_rows_are_filtered_by_how_long_they_have_waited(client):
    old, new = make_row("5.00"), make_row("6.00")
    Reconciliation.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=40))

    assert shown(client, "age=week") == [new]
    assert shown(client, "age=quarter") == [old]


def test_a_reopened_row_waits_since_it_was_reopened(client):
    row = make_row("5.00", reopened_at=timezone.now(), reopened_because="Odoo changed")
    Reconciliation.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=400))

    assert shown(client, "age=week") == [row]


def test_customers_are_found_by_name_and_external_id(client):
    row = make_row("5.00", customer__name="Acme", customer__external_id="acme-1")
    make_row("6.00")

    assert shown(client, "q=acm") == [row]
    assert shown(client, "q=acme-1") == [row]


@pytest.mark.parametrize(
    "query",
    [
        "delta_from=abc",
        "delta_from=NaN",
        "delta_from=1e400000",
        "period='--",
        "service=%F0%9F%92%B8",
        "o=99",
        "p=zero",
        "currency=€",
        "age=never",
        "q=%25_",
        "_facets=True",
    ],
)
def test_a_wrong_address_is_no_error(client, query):
    make_row("5.00")

    assert client.get(f"{QUEUE}?{query}", follow=True).status_code == 200


@pytest.mark.parametrize("query", ["period=%00", "q=%00", "reason=%00", "service=a%00b"])
def test_a_character_that_no_column_holds_is_a_bad_request(client, query):
    assert client.get(f"{QUEUE}?{query}").status_code == 400


def test_a_row_shows_its_delta_its_share_and_what_the_machine_suggests(client):
    make_row("-5.70", cause="price")

    page = client.get(QUEUE).content.decode()

    assert "−5.70" in page
    assert "−5.70 %" in page
    assert "Suggested: Other price" in page


def test_the_lines_of_a_row_are_read_when_it_is_opened(client):
    row = make_row("5.00")
    amount = factories.AmountFactory(customer=row.customer)
    factories.AmountLineFactory(amount=amount, description="Requests of the month")
    lines = reverse("admin:reconciliation_reconciliation_lines", args=[row.pk])

    page = client.get(QUEUE).content.decode()

    assert f'hx-get="{lines}"' in page
    assert "Requests of the month" not in page
    assert "Requests of the month" in client.get(lines).content.decode()


@pytest.mark.parametrize("rows", [1, 30])
def test_the_queue_takes_as_many_queries_for_many_rows_as_for_one(client, finance, rows):
    for _ in range(rows):
        make_row("5.00", owner=finance)

    assert world.count_queries(client, QUEUE) == 15
