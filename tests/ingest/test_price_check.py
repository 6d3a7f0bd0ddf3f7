"""`manage.py rate` and the price check: one contract, and a named field for whatever cannot be answered."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from ingest.price_check.answering import KINDS, answer, answer_all, write
from ingest.price_check.errors import PriceCheckError
from tests.ingest.test_conformance import CASES

CASE = {
    "id": "one",
    "kind": "charge_model",
    "charge_model": "standard",
    "properties": {"amount": "0.0025"},
    "input": {"units": "12345.678"},
}


def ask(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    written = io.StringIO()
    call_command("rate", stdout=written)
    return json.loads(written.getvalue())


def test_the_command_answers_by_id_with_exact_decimals_as_text(monkeypatch):
    figures = ask(monkeypatch, json.dumps({"cases": [CASE]}))["one"]
    assert figures["amount"] == "30.864195"
    assert figures["amount_cents"] == 3086


def test_every_case_is_answered_in_one_go(monkeypatch):
    document = json.dumps({"cases": CASES}, default=float)
    answers = ask(monkeypatch, document)
    assert answers.keys() == {case["id"] for case in CASES}
    assert not [figures for figures in answers.values() if "error" in figures]


def test_a_case_that_cannot_be_answered_says_why_and_the_others_go_on(monkeypatch):
    bad = {**CASE, "id": "two", "properties": {"amount": "cheap"}}
    answers = ask(monkeypatch, json.dumps([bad, CASE]))
    assert answers["two"]["error"]["code"] == "invalid_properties"
    assert "amount" in answers["two"]["error"]["message"]
    assert answers["one"]["amount_cents"] == 3086


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "5", '{"cases": 5}', '[{"kind": "x"}]', '[{"id": ""}]']
)
def test_what_is_no_document_is_refused(monkeypatch, text):
    with pytest.raises(CommandError):
        ask(monkeypatch, text)


def test_an_id_is_answered_once(monkeypatch):
    with pytest.raises(CommandError, match="id"):
        ask(monkeypatch, json.dumps([CASE, CASE]))


def test_a_number_that_json_does_not_know_is_named(monkeypatch):
    text = """[{"id": "x", "kind": "aggregation", "aggregation": {"type": "sum_agg"}, "input": {
        "period": {"from": "2024-01-01", "to": "2024-01-31"},
        "events": [{"timestamp": "2024-01-02", "properties": {"value": NaN}}]}}]"""
    assert "input.events[0].properties.value" in ask(monkeypatch, text)["x"]["error"]["message"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "guess"}, "kind"),
        ({"charge_model": "free"}, "charge_model"),
        ({"input": {}}, "units"),
        ({"input": {"units": "many"}}, "units"),
        ({"input": {"units": 0.1}}, "units"),
        ({"input": {"units": Decimal("1E+999999999")}}, "units"),
        ({"charge_model": "graduated", "input": {"units": "5", "prorated": True}}, "event_values"),
        (
            {"charge_model": "graduated", "input": {"units": "5", "prorated": True, "events_count": 1}},
            "event_prorated_values",
        ),
        (
            {
                "charge_model": "percentage",
                "properties": {"rate": "1", "per_transaction_min_amount": "1"},
                "input": {"units": "5", "events_count": 3},
            },
            "event_values",
        ),
        (
            {
                "kind": "tier_detail",
                "charge_model": "graduated_percentage",
                "properties": {"range": {"from_value": 7, "rate": "1"}},
                "input": {"units": 2},
            },
            "units must reach",
        ),
        ({"kind": "invoice_total", "input": {"fees": [{"amount_cents": -1}]}}, "amount_cents"),
        ({"kind": "invoice_total", "input": {"fees": [{"amount_cents": "0.5"}]}}, "amount_cents"),
        (
            {"kind": "invoice_total", "input": {"fees": [{"amount_cents": 1, "tax_rate": "-5"}]}},
            "tax_rate",
        ),
        (
            {"kind": "invoice_total", "input": {"coupons": [{"percentage_rate": "-5"}]}},
            "percentage_rate",
        ),
        ({"kind": "invoice_total", "input": {"credit_notes_amount_cents": -5}}, "credit_notes"),
        ({"kind": "invoice_total", "input": {"fees": [{"amount_cents": Decimal("-1E+50")}]}}, "amount_cents"),
        (
            {
                "kind": "aggregation",
                "aggregation": {"type": "count_agg"},
                "input": {
                    "period": {"from": "2024-01-01", "to": "2024-01-31"},
                    "grouped_by_values": {"region": ["eu"]},
                },
            },
            "grouped_by_values.region",
        ),
        ({"input": {"units": "1", "currency": "euro"}}, "currency"),
        ({"properties": []}, "properties"),
        ({"kind": "aggregation", "aggregation": {"type": "custom_agg"}}, "not supported"),
        ({"kind": "billing_period", "input": {"interval": "daily", "billing_time": "calendar"}}, "interval"),
    ],
)
def test_a_wrong_field_is_named(change, field):
    with pytest.raises(PriceCheckError, match=field):
        answer({**CASE, **change})


def test_decimals_are_written_plainly():
    written = write({"a": Decimal("1E+3"), "b": [Decimal("1.500"), Decimal("-0")], "c": 7, "d": None})
    assert written == {"a": "1000", "b": ["1.5", "0"], "c": 7, "d": None}


NAMES = sorted({name for case in CASES for part in (case, case["input"]) for name in part})
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["1", "-2.5", "sum_agg", "graduated", "2024-03-15T00:00:00Z", "9" * 60, "\0", ""])
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=15,
)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_whatever_is_asked_is_answered_or_refused_by_name(kind, case):
    answers = answer_all([{**case, "kind": kind, "id": "asked"}])["asked"]
    error = answers.get("error", {"code": "none", "message": "none"}) if isinstance(answers, dict) else {}
    assert error["code"]
    assert error["message"]


@given(st.sampled_from(CASES), st.sampled_from(NAMES), JSON)
def test_a_case_with_one_field_spoilt_is_answered_or_refused_by_name(case, name, value):
    answers = answer_all([{**case, "id": "a"}, {**case, "id": "b", "input": {**case["input"], name: value}}])
    assert answers.keys() == {"a", "b"}
