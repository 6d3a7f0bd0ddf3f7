"""The database computes what the charge models mean: every digit of the amounts, and every text of the parts."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.answers import Answers
from ingest.fee_terms import encode
from ingest.models import Charge, ChargeModel, ChargeVersion, Metric, Plan
from ingest.prices import Price, split_charge
from ingest.tier_prices import COMPUTED, PARTS, TIERS, list_tiers

pytestmark = pytest.mark.django_db

ASKED = """
WITH asked AS (
    SELECT * FROM jsonb_to_recordset(%(asked)s) AS asked (question text, price int, quantity numeric)
)
"""
READ = f"""
SELECT question, exact_amount::text, amount::text, unit_amount::text, lines::text
FROM ({COMPUTED}) AS computed JOIN ({PARTS}) AS part USING (question)
"""

AMOUNTS = st.one_of(
    st.decimals(0, 1000, places=2),
    st.decimals(0, 1, places=25),
    st.sampled_from(["0", "0.00", "1" * 60, "0." + "0" * 40 + "1"]),
).map(lambda number: format(number, "f") if isinstance(number, Decimal) else number)
BOUNDS = st.one_of(st.integers(0, 200), st.decimals(0, 200, places=2).map(lambda number: f"{number:f}"))
QUANTITIES = st.one_of(
    st.integers(-3, 500).map(str),
    st.decimals(-3, 500, places=3).map(lambda number: f"{number:f}"),
    st.sampled_from(["0", "0.00", "10", "10.0", "10.000001", "9" * 70, "0." + "0" * 30 + "7"]),
)


@st.composite
def ranges(draw):
    ends = sorted(draw(st.sets(st.integers(0, 60), max_size=4)))
    step = draw(st.sampled_from([0, 1]))
    tiers, start = [], 0
    for end in [*ends, None]:
        if end is not None and end < start:
            continue
        tiers.append(
            {"from_value": start, "to_value": end}
            | draw(st.fixed_dictionaries({"per_unit_amount": AMOUNTS, "flat_amount": AMOUNTS}))
        )
        start = (end or 0) + step
    return tiers


PRICES = st.one_of(
    st.tuples(st.just(ChargeModel.STANDARD), st.fixed_dictionaries({"amount": AMOUNTS})),
    st.tuples(st.just(ChargeModel.GRADUATED), st.fixed_dictionaries({"graduated_ranges": ranges()})),
    st.tuples(st.just(ChargeModel.VOLUME), st.fixed_dictionaries({"volume_ranges": ranges()})),
    st.tuples(
        st.just(ChargeModel.PACKAGE),
        st.fixed_dictionaries(
            {"amount": AMOUNTS, "package_size": BOUNDS.filter(lambda size: Decimal(size) > 0)},
            optional={"free_units": BOUNDS},
        ),
    ),
)


def make_price(model: str, properties: dict[str, object], currency: str) -> Price:
    charge = Charge(plan=Plan(currency=currency), metric=Metric())
    (price,) = split_charge(charge, ChargeVersion(charge=charge, model=model, properties=properties))
    return price


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    terms=PRICES,
    quantities=st.sets(QUANTITIES, min_size=1, max_size=8),
    currency=st.sampled_from(["CAD", "JPY", "KWD", "CLF"]),
)
def test_every_price_is_computed_as_its_charge_model_means_it(db, terms, quantities, currency):
    price = make_price(*terms, currency)
    answers = Answers()
    number = answers.add(price)
    questions = {json.dumps([number, quantity]): quantity for quantity in quantities}
    asked = [{"question": text, "price": number, "quantity": each} for text, each in questions.items()]
    tiers = [{**tier, "price": number} for tier in list_tiers(price)]
    with connection.cursor() as cursor:
        cursor.execute(ASKED + TIERS + READ, {"asked": json.dumps(asked), "tiers": encode(tiers)})
        computed = {question: (*figures, json.loads(lines)) for question, *figures, lines in cursor}
    meant = {
        each.question: (*map("{:f}".format, (each.exact_amount, each.amount, each.unit_amount)), each.lines)
        for each in answers.answer(questions)
    }
    assert computed == meant
