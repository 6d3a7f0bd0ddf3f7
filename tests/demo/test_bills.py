"""The bills and events that the story generates, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain

import msgspec
import pytest

from billing_console.demo import incidents
from billing_console.demo.bills import list_bills, tax_lines
from billing_console.demo.companies import find_company
from billing_console.demo.periods import list_periods, months_ago
from billing_console.demo.services import read_stories
from billing_console.demo.services.memberships import MEMBERSHIPS
from billing_console.demo.services.nexadesk import NEXADESK
from billing_console.demo.terms import Account, Bill, BilledLine
from billing_console.demo.usage import list_events, measure
from billing_console.demo.webhook_receiver import is_signed
from billing_console.demo.window import MONTHS, Window, newest_closed_month
from ingest.models import Aggregation
from reconciliation.webhooks import sign

WINDOW = Window(date(2026, 10, 1))
# Fifteen months later: other month lengths, and quarters that lie elsewhere in the six months.
OTHER = Window(date(2028, 1, 1))


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2026-11-02T23:59", date(2026, 9, 1)),
        ("2026-11-03T00:00", date(2026, 10, 1)),
        ("2026-11-30T12:00", date(2026, 10, 1)),
        ("2027-01-03T00:00", date(2026, 12, 1)),
        ("2027-01-02T12:00", date(2026, 11, 1)),
    ],
)
def test_the_newest_month_is_closed_in_every_time_zone(now, newest):
    assert newest_closed_month(datetime.fromisoformat(now).replace(tzinfo=UTC)) == newest


def amounts_of(story, window):
    bills = (list_bills(story, window, ago) for ago in range(MONTHS))
    return [
        (bill.account.id, bill.currency, [(line.code, line.untaxed) for line in bill.lines])
        for bill in chain.from_iterable(bills)
    ]


@pytest.mark.parametrize("story", read_stories(), ids=lambda story: story.code)
def test_the_figures_depend_on_the_place_in_the_story_and_never_on_the_day_of_loading(story):
    ours, others = (sorted(amounts_of(story, window), key=str) for window in (WINDOW, OTHER))
    is_by_quarter = [row for row in ours if row[0] in {"member-1012", "member-1027"}]
    assert [row for row in ours if row not in is_by_quarter] == [
        row for row in others if row[0] not in {"member-1012", "member-1027"}
    ]


@pytest.mark.parametrize("window", [WINDOW, OTHER, Window(date(2026, 12, 1)), Window(date(2027, 2, 1))])
def test_members_by_the_quarter_and_the_year_have_a_closed_period_in_every_window(window):
    for account in MEMBERSHIPS.accounts:
        periods = list_periods(MEMBERSHIPS, account, window)
        assert periods
        assert all(0 <= months_ago(period, MEMBERSHIPS, window) < MONTHS for period in periods)


@pytest.mark.parametrize("story", read_stories(), ids=lambda story: story.code)
def test_a_periods_events_add_up_to_what_was_billed(story):
    posted = {}
    for event in list_events(story, WINDOW):
        quantity = Decimal(msgspec.json.decode(event.properties).get("quantity", "1"))
        posted[event.external_subscription_id, event.code] = (
            posted.get((event.external_subscription_id, event.code), 0) + quantity
        )
        assert quantity > 0
    for account in story.accounts:
        agos = [months_ago(period, story, WINDOW) for period in list_periods(story, account, WINDOW)]
        for code in account.usage:
            whole = sum(measure(story, account, story.metric(code), ago) for ago in agos)
            assert posted.get((account.id, code), 0) == whole


def test_no_two_events_of_a_subscription_share_a_transaction_id():
    for story in read_stories():
        keys = [
            (event.external_subscription_id, event.transaction_id) for event in list_events(story, WINDOW)
        ]
        assert len(keys) == len(set(keys))


def test_counted_metrics_have_one_event_for_each_unit():
    custom = next(story for story in read_stories() if story.code == "custom")
    counted = {metric.code for metric in custom.metrics if metric.aggregation == Aggregation.COUNT}
    assert counted == {"reports"}
    assert any(event.code == "reports" for event in list_events(custom, WINDOW))


def make_bill(*amounts, rates=("13",)):
    lines = [
        BilledLine(f"m{n}", f"Metric {n}", Decimal(amount), quantity=Decimal(100), unit_price=Decimal("0.10"))
        for n, amount in enumerate(amounts, start=1)
    ]
    account = Account("a-1", find_company(1), "plan")
    return Bill(
        account, date(2026, 10, 1), date(2026, 11, 1), "CAD", lines, [Decimal(rate) for rate in rates]
    )


def test_the_lines_taxes_sum_to_the_tax_of_the_whole_bill():
    bill = make_bill("0.05", "0.05", "0.05")
    assert sum(tax_lines(bill)) == Decimal("0.02")
    assert sum(tax_lines(incidents.tax_rounded_by_line(bill))) == Decimal("0.03")


def test_two_taxes_on_one_base_are_rounded_each():
    assert sum(tax_lines(make_bill("10.30", rates=("5", "9.975")))) == Decimal("0.52") + Decimal("1.03")


def test_a_bill_that_states_no_tax_has_none():
    assert tax_lines(replace(make_bill("10.00"), tax_rates=None)) == [None]


@pytest.mark.parametrize(
    ("twist", "untaxed"),
    [
        (incidents.never_billed, "0"),
        (incidents.billed_twice("m1"), "40.00"),
        (incidents.other_quantity("m1", 50), "25.00"),
        (incidents.counted_too("m1", "10"), "31.00"),
        (incidents.other_price("m1", 90), "29.00"),
        (incidents.credited("5.00", "why"), "25.00"),
        (incidents.adjusted("5.00", "why"), "35.00"),
        (incidents.discounted(10, "why"), "27.00"),
        (incidents.taxed_at("5"), "30.00"),
        (incidents.tax_rounded_by_line, "30.00"),
        (incidents.billed_in("USD"), "30.00"),
        (incidents.without_codes("28.00", "lump sum"), "28.00"),
        (incidents.without_quantity("m1", "12.00"), "32.00"),
    ],
)
def test_each_incident_changes_what_was_billed(twist, untaxed):
    bill = twist(make_bill("10.00", "20.00"))
    assert sum(line.untaxed for line in bill.lines) == Decimal(untaxed)
    assert bill != make_bill("10.00", "20.00")


def test_every_incident_of_the_story_meets_a_bill():
    for story in read_stories():
        accounts = {account.id: account for account in story.accounts}
        for incident in story.incidents:
            account = accounts[incident.account]
            agos = {months_ago(period, story, WINDOW) for period in list_periods(story, account, WINDOW)}
            assert set(incident.months_ago) <= agos


def test_nobody_is_a_customer_of_nexadesk_twice():
    assert len({account.id for account in NEXADESK.accounts}) == len(NEXADESK.accounts)


def test_the_receiver_takes_what_the_console_signs_and_nothing_else():
    from billing_console.demo.webhook_receiver import SECRET

    body = b'{"webhook_type":"cutover.approved"}'
    assert is_signed(body, sign(secret=SECRET, body=body))
    assert not is_signed(body + b" ", sign(secret=SECRET, body=body))
    assert not is_signed(body, "")
