"""The overview: the figures of a period, and where each leads."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from tests import factories
from tests.reconciliation.admin import world

pytestmark = pytest.mark.django_db

OVERVIEW = reverse("admin:index")
OCTOBER = {
    "period_start": datetime(2026, 10, 1, tzinfo=UTC),
    "period_end": datetime(2026, 11, 1, tzinfo=UTC),
    "period_label": "2026-10",
}


def test_the_overview_opens_on_the_newest_judged_period_of_all_services(client, auditor):
    factories.ReconciliationFactory()
    factories.ReconciliationFactory(**OCTOBER)
    client.force_login(auditor)

    chosen = client.get(OVERVIEW).context["selection"]

    assert (chosen.service, chosen.period, chosen.periods) == (None, "2026-10", ("2026-09", "2026-10"))


def test_service_and_period_are_chosen_in_the_address(client, auditor):
    row = factories.ReconciliationFactory()
    factories.ReconciliationFactory(**OCTOBER)
    client.force_login(auditor)

    chosen = client.get(f"{OVERVIEW}?service={row.service.code}&period=2026-09").context["selection"]

    assert (chosen.service, chosen.period) == (row.service, "2026-09")


@pytest.mark.parametrize("query", ["service=nothing&period=never", "period=%00", "service=%00", "period='"])
def test_a_wrong_address_shows_the_default(client, auditor, query):
    factories.ReconciliationFactory()
    client.force_login(auditor)

    assert client.get(f"{OVERVIEW}?{query}").context["selection"].period == "2026-09"


def test_every_figure_leads_to_the_rows_behind_it(client, auditor):
    over = factories.ReconciliationFactory(odoo_untaxed=Decimal("107.00"), cause="price")
    under = factories.ReconciliationFactory(odoo_untaxed=Decimal("95.00"), cause="quantity")
    missing = factories.ReconciliationFactory(odoo_untaxed=None, cause="missing_odoo")
    match = factories.ReconciliationFactory()
    client.force_login(auditor)
    context = client.get(OVERVIEW).context

    def behind(address):
        return set(client.get(address).context["cl"].result_list)

    ((_, by_currency),) = context["currencies"]
    assert behind(by_currency["over"]) == {over}
    assert behind(by_currency["under"]) == {under}
    assert behind(context["links"]["matched"]) == {match}
    assert behind(context["links"]["open"]) == {over, under, missing}
    ((_, count, address),) = context["outcomes"]
    assert (count, behind(address)) == (1, {missing})
    (picture,) = context["waterfalls"]
    steps = {bar.code: behind(address) for bar, address in picture["bars"] if address}
    assert steps == {"price": {over}, "quantity": {under}, "missing_odoo": {missing}}
    cells = {line["service"]: line["cells"] for line in context["heat_map"]}
    assert [behind(address) for _, address in cells[over.service]] == [{over}]


def test_open_alarms_stand_on_top(client, auditor):
    alarm = factories.AlarmFactory(message="S00041 was confirmed.")
    cleared = factories.AlarmFactory(message="Long gone.", cleared_at=factories.SEEN_AT)
    client.force_login(auditor)

    page = client.get(OVERVIEW).content.decode()

    assert reverse("admin:reconciliation_alarm_change", args=[alarm.pk]) in page
    assert cleared.message not in page


def test_without_figures_the_page_says_what_to_do_next(client, operator):
    factories.OdooPartnerFactory()
    client.force_login(operator)

    response = client.get(OVERVIEW)

    assert "What to do next" in response.content.decode()
    assert [step["is_done"] for step in response.context["steps"]] == [True, False, False, False, False]


def test_who_has_no_role_sees_no_figures(client, outsider):
    factories.ReconciliationFactory(customer__name="Acme", odoo_untaxed=Decimal("50.00"))
    factories.AlarmFactory(message="S00041 was confirmed.")
    client.force_login(outsider)

    page = client.get(OVERVIEW).content.decode()

    assert "You have no role yet" in page
    assert "Acme" not in page
    assert "S00041" not in page


def test_the_board_names_what_a_cutover_still_misses_and_where(client, manager):
    service = factories.ServiceFactory(name="NexaCloud")
    factories.CustomerFactory(service=service, odoo_partner_id=None)
    factories.SubscriptionFactory(customer=service.customers.get())
    client.force_login(manager)

    (card,) = client.get(OVERVIEW).context["board"]

    unmet = {condition.code: address for condition, address in card["unmet"]}
    assert client.get(unmet["customers_linked"]).context["cl"].result_list[0].service == service


def test_the_overview_takes_as_many_queries_for_many_rows_as_for_one(client, auditor):
    row = factories.ReconciliationFactory(odoo_untaxed=Decimal("50.00"))
    client.force_login(auditor)
    for_one = world.count_queries(client, OVERVIEW)

    for _ in range(12):
        factories.ReconciliationFactory(customer__service=row.service, odoo_untaxed=Decimal("50.00"))

    assert world.count_queries(client, OVERVIEW) == for_one
