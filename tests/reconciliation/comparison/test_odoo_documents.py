"""How a header is shared out over its lines, and which period dates are of."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.metering.periods import Period
from reconciliation.comparison.odoo_documents import LineFigures, allocate, find_period, share_out

CENT = Decimal("0.01")
TORONTO = ZoneInfo("America/Toronto")
OCTOBER = Period(datetime(2026, 10, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC), "2026-10")


def figures(untaxed, tax="0", balance=None):
    booked = Decimal(balance) if balance is not None else -Decimal(untaxed)
    total = Decimal(untaxed) + Decimal(tax)
    return LineFigures(Decimal(untaxed), total, booked, is_taxed=bool(Decimal(tax)))


def parts(untaxed, tax, *lines):
    shares = share_out(untaxed=Decimal(untaxed), tax=Decimal(tax), lines=lines, step=CENT)
    return [(str(share.untaxed), str(share.tax)) for share in shares]


class TestSharingOut:
    def test_lines_that_come_to_the_header_are_what_they_show(self):
        assert parts("130.86", "17.01", figures("99.00", "12.87"), figures("31.86", "4.14")) == [
            ("99.00", "12.87"),
            ("31.86", "4.14"),
        ]

    def test_cents_that_rounding_left_go_to_the_largest_line(self):
        """Odoo rounds globally: ten lines of 0.004 are each shown as 0.00 and come to 0.04."""
        tenth = figures("0.00", balance="-0.004")
        assert parts("0.04", "0.01", *[tenth] * 10)[0] == ("0.04", "0.01")

    def test_a_line_that_was_edited_after_posting_counts_as_it_was_booked(self):
        """`odoo.md`: a price written on a posted line left the header at 160.72 and the line's balance at -99."""
        edited = figures("5.00", "0.65", balance="-99.00")
        assert parts("160.72", "20.89", edited, figures("61.72", "8.02")) == [
            ("99.00", "12.87"),
            ("61.72", "8.02"),
        ]

    def test_a_credit_note_is_negative_though_its_lines_are_not(self):
        credit = figures("99.00", "12.87", balance="99.00")
        assert parts("-99.00", "-12.87", credit) == [("-99.00", "-12.87")]

    def test_a_document_without_lines_has_no_parts(self):
        assert parts("0", "0") == []


@settings(max_examples=60)
@given(
    whole=st.decimals(-10_000, 10_000, places=2),
    weights=st.lists(st.decimals(-1000, 1000, places=4), min_size=1, max_size=8),
)
def test_parts_always_add_up_to_the_whole_in_whole_steps(whole, weights):
    found = allocate(whole, weights, CENT)
    assert sum(found) == whole
    assert all(part == part.quantize(CENT) for part in found)


class TestPeriods:
    @pytest.mark.parametrize(
        ("first", "last", "is_found"),
        [
            (date(2026, 10, 1), date(2026, 10, 31), True),
            (date(2026, 10, 5), date(2026, 10, 9), True),
            (date(2026, 9, 30), date(2026, 10, 31), False),
            (date(2026, 10, 1), date(2026, 11, 1), False),
        ],
    )
    def test_dates_are_days_of_the_customers_own(self, first, last, is_found):
        found = find_period(first=first, last=last, periods=[OCTOBER], zone=TORONTO)
        assert (found == OCTOBER) is is_found

    def test_days_that_several_periods_hold_are_of_none(self):
        quarter = Period(OCTOBER.start, datetime(2027, 1, 1, 5, tzinfo=UTC), "2026-Q4")
        days = {"first": date(2026, 10, 1), "last": date(2026, 10, 31)}
        assert find_period(**days, periods=[OCTOBER, quarter], zone=TORONTO) is None
