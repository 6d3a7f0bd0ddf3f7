"""The late usage policy as a rule: which bill has what usage adds that arrived after its period had closed."""

from decimal import Decimal
from typing import Literal

from ingest.metering.arithmetic import exact_sum

Outcome = Literal["carried", "own", "reported"]


def decide_late(*, policy: str, amount: Decimal, own: Decimal, can_carry: bool) -> Outcome:
    """Which bill has a subscription's late amount of one period, which is below zero for corrections.

    `next_period` carries it into the period that is open. `credit` takes what is below zero off the period's own
    bill, where that holds as much (`own` is what it bills so far), and carries anything else. `report` bills
    nothing. Where no later period of the same biller can take it, it is corrected in its own.
    """
    if policy == "report":
        return "reported"
    if not can_carry:
        return "own"
    is_credited = policy == "credit" and amount < 0 and exact_sum((own, amount)) >= 0
    return "own" if is_credited else "carried"
