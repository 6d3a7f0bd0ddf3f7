"""NexaDesk: a help desk sold by seats and tickets, in Canada; its invoices state tax, and a fifth differ."""

from decimal import Decimal

from billing_console.demo.companies import find_company
from billing_console.demo.incidents import (
    adjusted,
    billed_twice,
    counted_too,
    credited,
    discounted,
    never_billed,
    other_quantity,
    taxed_at,
)
from billing_console.demo.statements import make_csv_rows
from billing_console.demo.terms import (
    EVERY_MONTH,
    Account,
    Incident,
    Metric,
    Plan,
    Price,
    Product,
    ServiceStory,
)

SEATS = Metric("seats", "Seats", events=1, noise=0)
TICKETS = Metric("tickets", "Tickets handled")

STARTER = Plan(
    "desk_starter",
    "NexaDesk Starter",
    "CAD",
    "19.00",
    "DESK-STARTER",
    [
        Price("seats", {"amount": "9.00"}, "DESK-SEAT"),
        Price("tickets", {"amount": "0.06"}, "DESK-TICKET"),
    ],
)
TEAM = Plan(
    "desk_team",
    "NexaDesk Team",
    "CAD",
    "79.00",
    "DESK-TEAM",
    [
        Price("seats", {"amount": "14.50"}, "DESK-SEAT"),
        Price("tickets", {"amount": "0.035"}, "DESK-TICKET"),
    ],
)

# Company, plan, seats and tickets a month, growth in percent a month, whether Odoo has a subscription order.
_ACCOUNTS = (
    (1, TEAM, (42, 5200), 2, True),
    (2, TEAM, (18, 2100), 0, True),
    (3, STARTER, (4, 310), 0, True),
    (4, TEAM, (26, 900), 1, True),
    (5, TEAM, (12, 1450), 3, False),
    (6, TEAM, (31, 3800), 0, True),
    (7, STARTER, (6, 640), 1, True),
    (8, STARTER, (3, 220), 0, False),
    (9, STARTER, (5, 480), 4, True),
    (10, TEAM, (14, 700), 0, False),
    (12, TEAM, (55, 6100), 5, True),
    (13, TEAM, (16, 1250), 0, True),
    (14, STARTER, (7, 530), 0, True),
    (17, TEAM, (22, 2900), 2, True),
    (18, TEAM, (37, 4400), -2, True),
    (20, TEAM, (19, 1600), 0, True),
    (21, STARTER, (8, 390), 0, False),
    (23, TEAM, (11, 820), 0, True),
    (24, STARTER, (5, 350), 2, True),
    (26, TEAM, (17, 1900), 0, True),
    (28, TEAM, (24, 2600), 1, True),
    (30, STARTER, (9, 710), 0, False),
)


def _make_account(number: int, plan: Plan, usage: tuple[int, int], growth: int, has_order: bool) -> Account:
    return Account(
        id=f"desk-{1000 + number}",
        company=find_company(number),
        plan=plan.code,
        usage={metric: Decimal(level) for metric, level in zip(("seats", "tickets"), usage, strict=True)},
        growth=growth,
        is_linked=number != UNLINKED,
        has_order=has_order,
    )


# In Odoo under the same name, but nobody has told the console yet.
UNLINKED = 5

NEXADESK = ServiceStory(
    code="nexadesk",
    name="NexaDesk",
    timezone="America/Toronto",
    products=[
        Product("DESK-STARTER", "NexaDesk Starter", {"CAD": "19.00"}, is_recurring=True),
        Product("DESK-TEAM", "NexaDesk Team", {"CAD": "79.00"}, is_recurring=True),
        Product("DESK-SEAT", "NexaDesk seats"),
        Product("DESK-TICKET", "NexaDesk tickets"),
    ],
    metrics=[SEATS, TICKETS],
    plans=[STARTER, TEAM],
    accounts=[_make_account(*row) for row in _ACCOUNTS],
    make_rows=make_csv_rows,
    incidents=[
        # The old system knows the federal tax alone for this one customer in Quebec.
        Incident("desk-1023", EVERY_MONTH, taxed_at("5")),
        Incident("desk-1006", [5], other_quantity("tickets", 92)),
        Incident("desk-1018", [5], billed_twice("tickets")),
        Incident("desk-1003", [5], never_billed),
        Incident("desk-1012", [4], credited("150.00", "Goodwill credit for the outage of the 12th")),
        Incident("desk-1020", [4], other_quantity("seats", 90)),
        Incident("desk-1028", [3], discounted(10, "Loyalty discount agreed by phone")),
        Incident("desk-1009", [3], never_billed),
        Incident("desk-1017", [2], adjusted("45.00", "Data import, added by hand")),
        Incident("desk-1004", [2], billed_twice("seats")),
        Incident("desk-1014", [1], other_quantity("tickets", 110)),
        # Tickets whose event reaches the console weeks later, see `aftermath`.
        Incident("desk-1021", [1], counted_too("tickets", "45")),
        Incident("desk-1001", [0], other_quantity("tickets", 88)),
        Incident("desk-1026", [0], credited("60.00", "Credit for seats that were removed late")),
        Incident("desk-1002", [0], billed_twice("tickets")),
    ],
    tolerances={"CAD": ("0.01", "0")},
)
