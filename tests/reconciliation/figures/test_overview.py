"""The figures of a period: exact, never netted, never added across currencies."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from reconciliation.figures import overview
from reconciliation.models import Outcome, Reconciliation, Status
from tests import factories
from tests.reconciliation.figures.rows import choose, make_row, month

pytestmark = pytest.mark.django_db


def test_over_and_under_billing_stand_apart_in_each_currency():
    make_row("107.00", "100.00")
    make_row("95.00", "100.00")
    make_row("110.00", "100.00", currency="USD")
    make_row("100.01", "100.00")

    cad, usd = overview.read_summary(choose()).currencies

    assert (cad.currency, cad.over, cad.under) == ("CAD", Decimal("7.00"), Decimal("-5.00"))
    assert (usd.currency, usd.over, usd.under) == ("USD", Decimal("10.00"), Decimal(0))
    assert (cad.over_rows, cad.under_rows, usd.over_rows) == (1, 1, 1)
    assert (cad.billed, cad.billed_matched) == (Decimal("300.00"), Decimal("100.00"))


def test_only_the_open_rows_that_a_person_owns_are_theirs(finance, auditor):
    make_row("90.00", "100.00", owner=finance)
    make_row("100.00", "100.00", owner=finance)
    make_row("90.00", "100.00")

    assert overview.count_mine(choose(), finance) == 1
    assert overview.count_mine(choose(), auditor) == 0


def test_what_was_not_compared_is_counted_by_why_and_is_neither_over_nor_under():
    make_row(None, "40.00")
    make_row("40.00", None)
    make_row("90.00", "100.00", outcome=Outcome.STALE, status=Status.DELTA)

    summary = overview.read_summary(choose())

    assert dict(summary.not_compared) == {
        Outcome.MISSING_ODOO: 1,
        Outcome.MISSING_EXTERNAL: 1,
        Outcome.STALE: 1,
    }
    (cad,) = summary.currencies
    assert (cad.over, cad.under, summary.open) == (0, 0, 3)


def test_the_summary_is_about_the_chosen_service_and_period():
    row = make_row("90.00", "100.00")
    make_row("90.00", "100.00")
    make_row("90.00", "100.00", customer=row.customer, period_label="2026-08", period_start=month(8))

    summary = overview.read_summary(choose(service=row.service.code))

    assert (summary.rows, summary.customers) == (1, 1)


def test_the_waterfall_of_a_period_adds_up_and_never_nets_a_cause():
    make_row("107.00", "100.00", cause="price")
    make_row("96.00", "100.00", cause="price")
    make_row(None, "40.00", cause="missing_odoo")
    make_row("100.00", "100.00")
    make_row("50.00", "55.00", currency="USD", cause="quantity")

    cad, usd = overview.read_waterfalls(choose())

    assert [(bar.code, bar.amount) for bar in cad.bars] == [
        ("", Decimal("340.00")),
        ("missing_odoo", Decimal("-40.00")),
        ("price", Decimal("7.00")),
        ("price", Decimal("-4.00")),
        ("", Decimal("303.00")),
    ]
    assert [bar.amount for bar in usd.bars] == [Decimal("55.00"), Decimal("-5.00"), Decimal("50.00")]


def test_only_all_rows_make_a_hundred_percent():
    service = factories.ServiceFactory()
    for _ in range(249):
        make_row("100.00", "100.00", customer__service=service)
    make_row("90.00", "100.00", customer__service=service)

    ((_, (cell,)),) = overview.read_heat_map(choose())

    assert (cell.rows, cell.settled, cell.percent, cell.heat) == (250, 249, 99, "high")


def test_a_period_that_was_not_judged_has_no_cell():
    first, second = factories.ServiceFactory(name="A"), factories.ServiceFactory(name="B")
    make_row("100.00", "100.00", customer__service=first)
    make_row("100.00", "100.00", customer__service=second, period_label="2026-08", period_start=month(8))

    heat_map = dict(overview.read_heat_map(choose()))

    assert [cell and cell.period for cell in heat_map[first]] == [None, "2026-09"]
    assert [cell and cell.period for cell in heat_map[second]] == ["2026-08", None]


def test_open_rows_are_counted_by_how_long_they_have_waited():
    for days in (1, 8, 31, 100, 400):
        row = make_row("90.00", "100.00")
        Reconciliation.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    make_row("100.00", "100.00")

    ages = {age.name: (age.rows, age.width) for age in overview.read_ages(choose())}

    assert ages == {"week": (1, 50), "month": (1, 50), "quarter": (1, 50), "older": (2, 100)}


def test_the_ten_rows_with_the_most_at_stake_come_largest_first():
    for number in range(12):
        make_row(Decimal(100 - number), "100.00")
    missing = make_row(None, "60.00")

    largest = overview.read_largest(choose())

    assert [abs(row.delta) if row.delta else row for row in largest] == [missing, *range(11, 2, -1)]
