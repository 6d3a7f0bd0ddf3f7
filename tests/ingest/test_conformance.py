"""Every conformance case, answered by the functions that rate in production and run by its id."""

import json
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from ingest.price_check.answering import KINDS, answer

FOLDER = Path(__file__).parent / "cases"
CASES = [
    case
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["cases"]
]

# A tax that the cases name for one example; the others say their rates.
WITH_ANOTHER_TAX = "total_amount_cents_with_20pct_tax"
ROUNDINGS = {"round": ROUND_HALF_UP, "ceil": ROUND_CEILING}


def comparison_of(expected, name):
    """How the case says to compare a figure: its own word, else that of its family."""
    families = {"prorated_units": "prorated", "per_event_prorated": "per_event", "groups": "units"}
    return expected.get(f"{name}_compare") or expected.get(f"{families.get(name, name)}_compare")


def is_same(ours, expected, compare=None):
    if isinstance(expected, list):
        pairs = zip(*(sorted(side, key=by_group) for side in (ours, expected)), strict=True)
        return len(ours) == len(expected) and all(is_same(*pair, compare) for pair in pairs)
    if isinstance(expected, dict):
        return expected.keys() <= ours.keys() and all(
            is_same(ours[name], value, compare) for name, value in expected.items()
        )
    if isinstance(expected, str) and not is_number(expected):
        return ours == expected
    return ours == expected or (None not in (ours, expected) and is_near(ours, expected, compare))


def is_near(ours, expected, compare):
    figure = Decimal(str(ours))
    if compare:
        word, places = compare.split()
        figure = figure.quantize(Decimal(1).scaleb(-int(places)), ROUNDINGS[word])
    return figure == Decimal(str(expected))


def is_number(text):
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def by_group(item):
    """Groups come in no order; all else stays where it is."""
    group = isinstance(item, dict) and (item.get("grouped_by") or item.get("groups"))
    return json.dumps(group, sort_keys=True) if group else ""


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_case_read_from_lagos_specs_gives_the_same_figures(case):
    expected = case["expected"]
    figures = answer(case)
    judged = [name for name in expected if not name.endswith("_compare") and name != WITH_ANOTHER_TAX]
    assert judged
    for name in judged:
        compare = comparison_of(expected, name)
        assert is_same(figures[name], expected[name], compare), (
            f"{name}: {figures[name]}, not {expected[name]}"
        )


def test_every_kind_of_question_has_cases():
    assert {case["kind"] for case in CASES} == set(KINDS)
    assert len(CASES) >= 156


def test_a_wrong_figure_is_seen():
    assert not is_same("51.2346", "51.2345")
    assert not is_same({"units": "1"}, {"units": "1", "amount": "2"})
    assert not is_same(["1", "2"], ["2", "1"])
