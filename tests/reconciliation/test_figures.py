"""The figures behind the screens: exact, never netted, never added across currencies."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.figures import cutover, freshness, overview, page, queue
from reconciliation.figures.selection import read_periods, select
from reconciliation.figures.waterfall import Step, draw
from reconciliation.models import Outcome, Reconciliation, Status
from tests import factories

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
STEPS = st.lists(AMOUNTS, max_size=8)


def make_row(odoo, external, **values):
    amounts = [None if amount is None else Decimal(amount) for amount in (odoo, external)]
    return factories.ReconciliationFactory(odoo_untaxed=amounts[0], external_untaxed=amounts[1], **values)


def choose(period="2026-09", service=""):
    return select(service_code=service, period_label=period)


# --- the waterfall -----------------------------------------------------------------------------------------


@given(AMOUNTS, STEPS)
def test_a_waterfall_adds_up_exactly_and_stays_in_its_picture(first, steps):
    last = first + sum(steps, Decimal(0))

    picture = draw(
        currency="CAD",
        first=Step("first", first),
        steps=[Step("step", amount) for amount in steps],
        last_label="last",
        last=last,
    )

    start, *between, end = picture.bars
    assert start.amount + sum((bar.amount for bar in between), Decimal(0)) == end.amount == last
    assert len(between) == len(steps)
    for bar in picture.bars:
        assert bar.left >= 0
        assert bar.width >= 0
        assert bar.left + bar.width <= Decimal("100.01")


@given(AMOUNTS, STEPS, AMOUNTS)
def test_what_the_steps_do_not_explain_is_a_step_of_its_own(first, steps, last):
    picture = draw(
        currency="CAD",
        first=Step("first", first),
        steps=[Step("step", amount) for amount in steps],
        last_label="last",
        last=last,
    )

    start, *between, end = picture.bars
    assert start.amount + sum((bar.amount for bar in between), Decimal(0)) == end.amount == last


def test_small_steps_are_drawn_large_and_the_picture_says_so():
    steps = [Step("price", Decimal("-5.70"))]
    picture = draw(
        currency="CAD",
        first=Step("a", Decimal("1204.10")),
        steps=steps,
        last_label="b",
        last=Decimal("1198.40"),
    )

    assert picture.is_cut
    assert picture.bars[1].width > 50
    assert picture.bars[1].tone == "down"


def test_large_steps_are_drawn_from_zero():
    steps = [Step("missing", Decimal("-600"))]
    picture = draw(
        currency="CAD", first=Step("a", Decimal(1000)), steps=steps, last_label="b", last=Decimal(400)
    )

    assert not picture.is_cut
    assert [bar.width for bar in picture.bars] == [100, 60, 40]


# --- the overview ------------------------------------------------------------------------------------------


@pytest.mark.django_db
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


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_the_summary_is_about_the_chosen_service_and_period():
    row = make_row("90.00", "100.00")
    make_row("90.00", "100.00")
    make_row("90.00", "100.00", customer=row.customer, period_label="2026-08", period_start=_month(8))

    summary = overview.read_summary(choose(service=row.service.code))

    assert (summary.rows, summary.customers) == (1, 1)


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_only_all_rows_make_a_hundred_percent():
    service = factories.ServiceFactory()
    for _ in range(249):
        make_row("100.00", "100.00", customer__service=service)
    make_row("90.00", "100.00", customer__service=service)

    ((_, (cell,)),) = overview.read_heat_map(choose())

    assert (cell.rows, cell.settled, cell.percent, cell.heat) == (250, 249, 99, "high")


@pytest.mark.django_db
def test_a_period_that_was_not_judged_has_no_cell():
    first, second = factories.ServiceFactory(name="A"), factories.ServiceFactory(name="B")
    make_row("100.00", "100.00", customer__service=first)
    make_row("100.00", "100.00", customer__service=second, period_label="2026-08", period_start=_month(8))

    heat_map = dict(overview.read_heat_map(choose()))

    assert [cell and cell.period for cell in heat_map[first]] == [None, "2026-09"]
    assert [cell and cell.period for cell in heat_map[second]] == ["2026-08", None]


@pytest.mark.django_db
def test_open_rows_are_counted_by_how_long_they_have_waited():
    for days in (1, 8, 31, 100, 400):
        row = make_row("90.00", "100.00")
        Reconciliation.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    make_row("100.00", "100.00")

    ages = {age.name: (age.rows, age.width) for age in overview.read_ages(choose())}

    assert ages == {"week": (1, 50), "month": (1, 50), "quarter": (1, 50), "older": (2, 100)}


@pytest.mark.django_db
def test_the_ten_rows_with_the_most_at_stake_come_largest_first():
    for number in range(12):
        make_row(Decimal(100 - number), "100.00")
    missing = make_row(None, "60.00")

    largest = overview.read_largest(choose())

    assert [abs(row.delta) if row.delta else row for row in largest] == [missing, *range(11, 2, -1)]


# --- selection, queue, freshness ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_periods_come_oldest_first_and_only_the_newest_twelve():
    for month in range(1, 13):
        make_row(
            "1",
            "1",
            period_start=_month(month),
            period_end=_month(month) + timedelta(days=28),
            period_label=f"2026-{month:02}",
        )
    make_row("1", "1", period_start=datetime(2025, 12, 1, tzinfo=UTC), period_label="2025-12")

    assert read_periods() == tuple(f"2026-{month:02}" for month in range(1, 13))
    assert choose(period="2025-12").period == "2025-12"
    assert choose(period="").period == "2026-12"


@pytest.mark.django_db
def test_a_share_is_of_what_was_billed_and_nothing_billed_has_none():
    assert queue.share_of(make_row("95.00", "100.00")) == Decimal("-0.05")
    assert queue.share_of(make_row("5.00", "0.00")) is None
    assert queue.share_of(make_row(None, "5.00")) is None
    assert queue.share_of(make_row("-90.00", "-100.00")) == Decimal("0.1")


@pytest.mark.django_db
def test_only_an_open_row_has_an_age():
    assert queue.age_of(make_row("95.00", "100.00")) == 0
    assert queue.age_of(make_row("100.00", "100.00")) is None


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"version": 2}, {"reconciled_at": timezone.now()}])
def test_a_fingerprint_changes_when_a_row_does(change):
    row = make_row("95.00", "100.00")
    rows = Reconciliation.objects.all()
    before = queue.fingerprint(rows)
    assert queue.fingerprint(rows) == before

    Reconciliation.objects.filter(pk=row.pk).update(**change)

    assert queue.fingerprint(rows) != before


@pytest.mark.django_db
def test_work_goes_on_with_the_next_smaller_row_and_begins_again_at_the_largest():
    small, large = make_row("99.00", "100.00"), make_row("50.00", "100.00")
    twins = [make_row("90.00", "100.00") for _ in range(3)]

    way = [large]
    for _ in range(5):
        way.append(queue.read_next(way[-1]))

    assert way == [large, *reversed(twins), small, large]


@pytest.mark.django_db
def test_there_is_no_next_row_when_nothing_else_is_open():
    row = make_row("99.00", "100.00")
    make_row("100.00", "100.00")

    assert queue.read_next(row) is None


@pytest.mark.django_db
def test_a_source_that_was_never_read_or_long_ago_is_stale():
    factories.UsageEventFactory()
    factories.SourceDocumentFactory(source="odoo_quotation", fetched_at=timezone.now() - timedelta(days=3))

    sources = {source.name: source for source in freshness.read_freshness()}

    assert not sources["Usage events"].is_stale
    assert sources["Odoo amounts"].is_stale
    assert sources["Odoo mirror"].is_stale
    assert sources["Odoo mirror"].seen_at is None


# --- the page of one ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("odoo", "external", "sentence"),
    [
        (
            "1198.40",
            "1204.10",
            "NexaCloud billed 1,204.10 CAD, Odoo computes 1,198.40; −5.70 (−0.47 %), above {limit}",
        ),
        (
            "100.00",
            "100.00",
            "NexaCloud billed 100.00 CAD, Odoo computes 100.00; 0.00 (0.00 %), within {limit}",
        ),
        ("5.00", "0.00", "NexaCloud billed 0.00 CAD, Odoo computes 5.00; +5.00, above {limit}"),
        (None, "9.00", "NexaCloud billed 9.00 CAD, Odoo has nothing for it yet"),
        ("9.00", None, "Odoo computes 9.00 CAD, NexaCloud billed nothing that the console knows of"),
    ],
)
def test_a_row_is_said_in_one_sentence(odoo, external, sentence):
    row = make_row(odoo, external, customer__name="Acme", customer__service__name="NexaCloud")

    said = sentence.format(limit="the tolerance of 0.01")
    assert page.write_sentence(row) == f"Acme, September 2026: {said}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.STALE, "usage was rated again since, so this is not compared yet"),
        (Outcome.UNLINKED, "NexaCloud knows this customer, Odoo does not: link them to a partner"),
        (Outcome.OTHER_CURRENCY, "the two sides bill in different currencies, CAD is one"),
    ],
)
def test_a_row_that_was_not_compared_says_why(outcome, sentence):
    row = make_row("9.00", "8.00", customer__service__name="NexaCloud", outcome=outcome, status=Status.DELTA)

    assert page.write_sentence(row).endswith(sentence)


@pytest.mark.parametrize(
    ("label", "name"),
    [("2026-09", "September 2026"), ("2026-Q3", "2026-Q3"), ("2026-05-15", "2026-05-15"), ("odd", "odd")],
)
def test_a_month_is_said_by_its_name(label, name):
    assert page.name_period(label) == name


@pytest.mark.django_db
def test_the_page_explains_a_fee_by_its_price_and_its_tiers():
    tier = {"from_value": "0", "to_value": None, "units": "14", "total_with_flat_amount": "105"}
    fee = factories.FeeFactory(
        details=[{"model": "graduated", "properties": {"graduated_ranges": [], "amount": "2"}}, tier]
    )
    row = make_row("100.00", "100.00", customer=fee.subscription.customer)

    (rated,) = page.read_page(row).fees

    assert (rated.facts, rated.tiers) == ([("model", "graduated"), ("amount", "2")], [tier])


@pytest.mark.django_db
def test_the_page_shows_earlier_versions_and_the_other_currency_beside_the_row():
    row = make_row("100.00", "100.00")
    current = factories.AmountFactory(customer=row.customer)
    earlier = factories.AmountFactory(customer=row.customer, is_current=False)
    dollars = factories.AmountFactory(customer=row.customer, currency="USD")
    factories.AmountFactory()

    assert set(page.read_page(row).amounts) == {current, earlier, dollars}


# --- the cutover -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_subscription_switches_at_its_first_period_start_on_or_after_the_date():
    service = factories.ServiceFactory(timezone="America/Toronto")
    customer = factories.CustomerFactory(service=service)
    monthly = factories.PlanFactory(service=service)
    yearly = factories.PlanFactory(service=service, interval="yearly")
    factories.SubscriptionFactory.create_batch(2, customer=customer, plan=monthly)
    factories.SubscriptionFactory(customer=customer, plan=yearly)
    factories.SubscriptionFactory(customer=customer, plan=monthly, terminated_at=factories.SEEN_AT)

    switches = cutover.read_switches(service=service, effective_date=date(2026, 11, 1))

    assert [(switch.starts_at, switch.subscriptions) for switch in switches] == [
        (datetime(2026, 11, 1, 4, tzinfo=UTC), 2),
        (datetime(2027, 1, 1, 5, tzinfo=UTC), 1),
    ]


@pytest.mark.django_db
def test_only_a_service_in_its_dual_run_has_conditions():
    factories.ServiceFactory(phase="shadow")
    running = factories.ServiceFactory(phase="dual_run")

    cards = cutover.read_board()

    assert [card.service for card in cards if card.conditions] == [running]
    assert cards[0].service == running
    assert cards[0].unmet


def _month(number):
    return datetime(2026, number, 1, tzinfo=UTC)
