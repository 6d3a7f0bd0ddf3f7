"""Whoever begins, changes plan or moves while a service is handed over is billed by one side, for each part once."""

from datetime import UTC, datetime

import pytest

from ingest.billers import biller_of
from ingest.customers import upsert_customer
from ingest.models import Subscription
from ingest.subscriptions import change_subscription, end_subscription, subscribe
from ingest.windows import windows_of
from reconciliation.cutover import activate_due, roll_back
from tests import factories
from tests.reconciliation.ready import NOVEMBER, TODAY, terms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

RULE = "API key bc_…"


def at(month, day, hour=0):
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.fixture
def post(approved):
    """Subscribes a customer of the service that is being handed over."""
    service = approved.service
    for code, amount, interval in (
        ("basic", 10, "monthly"),
        ("pro", 50, "monthly"),
        ("year", 600, "yearly"),
        ("dear-year", 900, "yearly"),
    ):
        factories.PlanFactory(service=service, code=code, amount=amount, interval=interval)

    def post(plan, external_id="s", **values):
        return subscribe(
            service_id=service.pk,
            external_customer_id="acme",
            plan_code=plan,
            external_id=external_id,
            values=values,
            rule=RULE,
        )

    return post


def sweep(clock, moment):
    clock.move_to(moment)
    activate_due(now=moment)


def billers(service, label):
    """Who bills which part of a period, in the order of time."""
    rows = Subscription.objects.filter(service=service, external_id="s").in_bulk()
    windows = windows_of(service=service, period_label=label)
    parts = [(window, rows[key]) for window in windows for key in window.subscriptions if key in rows]
    return [
        (window.counts_from, str(biller_of(subscription=row, period_start=window.period.start)))
        for window, row in sorted(parts, key=lambda part: part[0].counts_from)
    ]


@pytest.mark.parametrize("plan", ["pro", "year"])
def test_what_begins_after_the_switch_is_odoos_from_its_first_day(approved, post, clock, plan):
    sweep(clock, NOVEMBER)
    clock.move_to(at(11, 10))
    post(plan)
    sweep(clock, at(11, 10, 1))
    assert billers(approved.service, "2026" if plan == "year" else "2026-11") == [(at(11, 10), "odoo")]


def test_what_is_to_begin_after_the_switch_is_odoos_too(approved, post):
    post("year", subscription_at=at(11, 20))
    activate_due(now=TODAY)
    assert billers(approved.service, "2026") == [(at(11, 20), "odoo")]


def test_what_began_before_the_switch_stays_until_its_period_ends(approved, post, clock):
    post("year")
    sweep(clock, NOVEMBER)
    assert billers(approved.service, "2026") == [(TODAY, "service")]
    assert billers(approved.service, "2027") == [(datetime(2027, 1, 1, tzinfo=UTC), "odoo")]


def test_an_upgrade_after_the_switch_is_odoos_and_the_old_part_stays(approved, post, clock):
    post("year")
    sweep(clock, NOVEMBER)
    clock.move_to(at(11, 10))
    post("dear-year")
    sweep(clock, at(11, 10, 1))
    assert billers(approved.service, "2026") == [(TODAY, "service"), (at(11, 10), "odoo")]


def test_an_upgrade_before_the_switch_switches_with_its_own_periods(approved, post):
    post("basic")
    activate_due(now=TODAY)
    post("pro")
    activate_due(now=TODAY)
    assert {biller for _, biller in billers(approved.service, "2026-10")} == {"service"}
    assert [biller for _, biller in billers(approved.service, "2026-11")] == ["odoo"]


def test_a_downgrade_is_odoos_from_where_it_begins(approved, post, clock):
    post("pro")
    post("basic")
    activate_due(now=TODAY)
    assert billers(approved.service, "2026-10") == [(TODAY, "service")]
    assert billers(approved.service, "2026-11") == [(NOVEMBER, "odoo")]


def test_a_pending_one_whose_plan_changes_is_given_its_biller_anew(approved, post):
    row = post("pro", subscription_at=at(12, 5))
    activate_due(now=TODAY)
    assert terms(row) == [("odoo", NOVEMBER)]
    post("dear-year")
    assert terms(row) == []
    activate_due(now=TODAY)
    assert billers(approved.service, "2026") == [(at(12, 5), "odoo")]


def test_a_pending_one_that_begins_earlier_is_given_its_biller_anew(approved, post):
    row = post("pro", subscription_at=at(12, 5))
    activate_due(now=TODAY)
    change_subscription(subscription=row, values={"subscription_at": at(11, 20)}, rule=RULE)
    activate_due(now=TODAY)
    assert billers(approved.service, "2026-11") == [(at(11, 20), "odoo")]


def test_a_canceled_one_has_no_biller(approved, post):
    row = post("pro", subscription_at=at(12, 5))
    end_subscription(subscription=row, values={}, rule=RULE)
    activate_due(now=TODAY)
    assert terms(row) == []


def test_periods_that_move_to_another_zone_stay_with_the_biller(approved, post, clock):
    sweep(clock, NOVEMBER)
    clock.move_to(at(11, 10))
    post("pro")
    sweep(clock, at(11, 10, 1))
    values = {"external_id": "acme", "timezone": "Asia/Tokyo"}
    upsert_customer(service_id=approved.service_id, values=values, rule=RULE)
    sweep(clock, at(11, 10, 2))
    row = Subscription.objects.get(external_id="s")
    assert terms(row) == [("odoo", at(10, 31, 15))]
    assert billers(approved.service, "2026-11") == [(at(11, 10), "odoo")]


def test_rolled_back_what_has_not_begun_is_the_services(approved, post, clock, manager):
    row = post("year", subscription_at=at(11, 20))
    sweep(clock, NOVEMBER)
    clock.move_to(at(11, 10))
    roll_back(request_id=approved.pk, actor=manager, reason="Invoices were wrong.")
    assert terms(row) == []
    assert billers(approved.service, "2026") == [(at(11, 20), "service")]
