"""Memberships: fees without usage, by the month, the quarter and, for one member, the year since they joined."""

from collections.abc import Callable
from datetime import date

from billing_console.demo.companies import find_company
from billing_console.demo.incidents import billed_twice, discounted, never_billed, other_price
from billing_console.demo.statements import make_csv_rows
from billing_console.demo.terms import Account, Incident, Plan, Product, ServiceStory, begin_with_story
from billing_console.demo.window import Window, add_months
from ingest.models import BillingTime, Interval

COMMUNITY = Plan("member_community", "Community membership", "CAD", "25.00", "MEMBER-COMMUNITY")
PARTNER = Plan("member_partner", "Partner membership", "CAD", "180.00", "MEMBER-PARTNER")
QUARTERLY = Plan(
    "member_partner_quarter",
    "Partner membership, by the quarter",
    "CAD",
    "510.00",
    "MEMBER-PARTNER-QUARTER",
    interval=Interval.QUARTERLY,
)
YEARLY = Plan(
    "member_patron",
    "Patron membership, by the year",
    "CAD",
    "1800.00",
    "MEMBER-PATRON",
    interval=Interval.YEARLY,
)


def begin_with_quarter(window: Window) -> date:
    """On the first day of a quarter that lies in the story."""
    return next(
        month
        for month in (add_months(window.start, count) for count in range(3))
        if month.month in {1, 4, 7, 10}
    )


def begin_a_year_ago(window: Window) -> date:
    """In the middle of a month, so that the year ends in the story's newest month."""
    return add_months(window.newest, -12).replace(day=15)


def _make_account(number: int, plan: Plan, begins: Callable[[Window], date] = begin_with_story) -> Account:
    is_yearly = plan is YEARLY
    return Account(
        id=f"member-{1000 + number}",
        company=find_company(number),
        plan=plan.code,
        begins=begins,
        billing_time=BillingTime.ANNIVERSARY if is_yearly else BillingTime.CALENDAR,
        has_order=number % 2 == 0,
    )


MEMBERSHIPS = ServiceStory(
    code="memberships",
    name="Memberships",
    timezone="America/Toronto",
    products=[
        Product("MEMBER-COMMUNITY", "Community membership", {"CAD": "25.00"}, is_recurring=True),
        Product("MEMBER-PARTNER", "Partner membership", {"CAD": "180.00"}, is_recurring=True),
        Product(
            "MEMBER-PARTNER-QUARTER", "Partner membership, quarter", {"CAD": "510.00"}, is_recurring=True
        ),
        Product("MEMBER-PATRON", "Patron membership, year", {"CAD": "1800.00"}, is_recurring=True),
    ],
    metrics=[],
    plans=[COMMUNITY, PARTNER, QUARTERLY, YEARLY],
    accounts=[
        *(_make_account(number, COMMUNITY) for number in (3, 8, 9, 11, 15, 16, 19, 22, 24, 29, 30, 32)),
        *(_make_account(number, PARTNER) for number in (2, 4, 13, 21, 25)),
        *(_make_account(number, QUARTERLY, begin_with_quarter) for number in (12, 27)),
        _make_account(7, YEARLY, begin_a_year_ago),
    ],
    make_rows=make_csv_rows,
    incidents=[
        Incident("member-1013", [4], discounted(20, "Conference speaker, 20 % off")),
        Incident("member-1024", [3], never_billed),
        Incident("member-1016", [1], billed_twice("member_community")),
        Incident("member-1021", [0], other_price("member_partner", 90)),
    ],
    tolerances={"CAD": ("0.01", "0")},
)
