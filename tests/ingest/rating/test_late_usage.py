"""Which bill has a late amount: the policy's rule, case by case."""

from decimal import Decimal

import pytest

from ingest.rating.late_usage import decide_late


@pytest.mark.parametrize(
    ("policy", "amount", "own", "can_carry", "outcome"),
    [
        ("next_period", "5", "10", True, "carried"),
        ("next_period", "-5", "10", True, "carried"),
        ("next_period", "5", "10", False, "own"),
        ("credit", "5", "10", True, "carried"),
        ("credit", "-5", "10", True, "own"),
        ("credit", "-10", "10", True, "own"),
        # More than the period billed is no credit note on it.
        ("credit", "-10.01", "10", True, "carried"),
        ("credit", "5", "10", False, "own"),
        ("report", "5", "10", True, "reported"),
        ("report", "-5", "10", False, "reported"),
    ],
)
def test_the_policy_says_which_bill_has_it(policy, amount, own, can_carry, outcome):
    decided = decide_late(policy=policy, amount=Decimal(amount), own=Decimal(own), can_carry=can_carry)
    assert decided == outcome
