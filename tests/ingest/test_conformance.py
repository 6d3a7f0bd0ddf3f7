"""Every conformance case that metering and rating answer, run by its id."""

import json
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.metering.aggregation import MeteredEvent, MeteredUsage, aggregate
from ingest.metering.arithmetic import quotient
from ingest.metering.periods import BillingTime, Interval, billing_period
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.money import exponent, round_to_currency
from ingest.rating.plan_fee import rate_plan_fee

CURRENCY = "EUR"
CASES = json.loads(
    (Path(__file__).parent / "cases" / "rating_cases.json").read_text(encoding="utf-8"), parse_float=Decimal
)["cases"]

# Taxes are computed per invoice, from figures that these rooms give.
OF_THE_INVOICE = {"total_amount_cents", "total_amount_cents_with_20pct_tax"}


def to_cents(amount):
    return int(round_to_currency(amount, CURRENCY).scaleb(exponent(CURRENCY)))


def rate_charge(case):
    given = case["input"]
    usage = MeteredUsage(Decimal(given["units"]), given.get("events_count", 0))
    rated = CHARGE_MODELS[case["charge_model"]].rate(case["properties"], usage)
    shown_units = Decimal(given.get("full_units", given["units"]))
    figures = {"units": rated.quantity, "amount": rated.amount, "amount_cents": to_cents(rated.amount)}
    figures["unit_amount"] = quotient(rated.amount, shown_units) if shown_units > 0 else Decimal(0)
    figures["details"] = [
        {name: getattr(line, name) for name in line.__dataclass_fields__} for line in rated.details
    ]
    return figures


def aggregate_events(case):
    window = case["input"]["period"]
    usage = aggregate(
        aggregation=case["aggregation"]["type"],
        field_name=case["aggregation"].get("field_name", ""),
        events=[
            MeteredEvent(datetime.fromisoformat(event["timestamp"]), sequence, event["properties"])
            for sequence, event in enumerate(case["input"]["events"])
        ],
        start=datetime.fromisoformat(window["from"]),
        # The cases' last instant is inside; our windows are half-open.
        end=datetime.fromisoformat(window["to"]) + timedelta.resolution,
    )
    return {"units": usage.quantity, "events_count": usage.events_count}


def prorate_plan_fee(case):
    given = case["input"]
    amount = rate_plan_fee(
        base_amount=Decimal(given["plan_amount_cents"]).scaleb(-2),
        billed_days=given["days"],
        period_days=given["period_days"],
    )
    return {"amount_cents": to_cents(amount)}


def find_period(case):
    given = case["input"]
    timezone = ZoneInfo(given["timezone"])
    period = billing_period(
        interval=Interval(given["interval"]),
        billing_time=BillingTime(given["billing_time"]),
        anchor=datetime.fromisoformat(given["subscription_at"]).replace(tzinfo=timezone),
        at=datetime.fromisoformat(given["at"]).replace(tzinfo=timezone),
        timezone=timezone,
    )
    last_second = period.end - timedelta(seconds=1)
    return {"from": period.start.isoformat(), "to": last_second.isoformat()}


KINDS = {
    "charge_model": rate_charge,
    "aggregation": aggregate_events,
    "proration": prorate_plan_fee,
    "billing_period": find_period,
}


def as_told(figure, compare):
    """The figure as the case says to compare it; exact where it says nothing."""
    if compare is None:
        return figure
    word, places = compare.split()
    assert word == "round"
    return figure.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def is_same(ours, expected):
    if isinstance(expected, list):
        return len(ours) == len(expected) and all(map(is_same, ours, expected))
    if isinstance(expected, dict):
        return ours.keys() == expected.keys() and all(is_same(ours[name], expected[name]) for name in ours)
    if isinstance(ours, Decimal):
        return ours == Decimal(expected)
    return ours == (expected.replace("Z", "+00:00") if isinstance(expected, str) else expected)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_case_read_from_lagos_specs_gives_the_same_figures(case):
    expected = {name: value for name, value in case["expected"].items() if not name.endswith("_compare")}
    figures = KINDS[case["kind"]](case)
    judged = expected.keys() - OF_THE_INVOICE
    assert judged
    for name in judged:
        ours = as_told(figures[name], case["expected"].get(f"{name}_compare"))
        assert is_same(ours, expected[name]), f"{name}: {ours}, not {expected[name]}"
