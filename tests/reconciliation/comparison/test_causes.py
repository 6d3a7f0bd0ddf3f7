"""Why a row has a delta, told from the lines of both sides."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metering.arithmetic import exact_sum
from reconciliation.comparison.causes import LABELS, CauseCode, explain, main_cause
from reconciliation.comparison.judgement import Side, judge
from reconciliation.comparison.lines import LineAmount, LineKind, pair_lines, remainder
from reconciliation.comparison.tolerance import Tolerance

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.ledger"))


def line(text):
    """A line as the ledgers write it: kind, code, quantity, amount, `odoo` when Odoo priced it, `late=` a part and
    `deferred=` what the bill does not have."""
    kind, code, quantity, amount, *rest = text.split()
    parts = dict(word.split("=") for word in rest if "=" in word)
    return LineAmount(
        code="" if code == "-" else code,
        kind=LineKind(kind),
        description=code,
        quantity=None if quantity == "-" else Decimal(quantity),
        amount=Decimal(amount),
        is_priced_by_odoo="odoo" in rest,
        late=Decimal(parts.get("late", 0)),
        deferred=Decimal(parts.get("deferred", 0)),
    )


def untaxed_side(lines, currency="CAD"):
    return Side(exact_sum(each.amount for each in lines), None, None, currency)


def compare(odoo=(), external=(), expected=(), sides=None, **facts):
    """Both sides' lines and the causes between them; the sides are the lines' sums unless given."""
    ours, theirs, rated = ([line(text) for text in texts] for texts in (odoo, external, expected))
    pairs = pair_lines(odoo=ours, external=theirs, expected=rated)
    odoo_side, external_side = sides or (untaxed_side(ours), untaxed_side(theirs))
    judgement = judge(
        odoo=odoo_side,
        external=external_side,
        tolerance=Tolerance(),
        **{"is_linked": True, "is_stale": False, "has_other_currency": False, **facts},
    )
    causes = explain(pairs=pairs, judgement=judgement, odoo=odoo_side, external=external_side)
    return pairs, judgement, causes


def told(causes):
    return [(str(cause.code), str(cause.amount), cause.line_codes) for cause in causes]


def test_usage_that_came_late_is_a_cause_of_its_own():
    """The service billed before it came; Odoo has it by now."""
    _, _, causes = compare(
        odoo=["usage api 1 3.00"], external=["usage api 20 2.00"], expected=["usage api 30 3.00 late=1.00"]
    )
    assert told(causes) == [("late_usage", "1.00", ("api",))]


def test_what_is_left_beside_late_usage_has_its_own_cause():
    _, judgement, causes = compare(
        odoo=["usage api 1 3.00"], external=["usage api 30 1.50"], expected=["usage api 30 3.00 late=1.00"]
    )
    assert {str(cause.code): cause.amount for cause in causes} == {
        "late_usage": Decimal("1.00"),
        "price": Decimal("0.50"),
    }
    assert exact_sum(cause.amount for cause in causes) == judgement.delta


@pytest.mark.parametrize(
    ("external", "told_of"),
    [
        pytest.param("2.00", {}, id="neither billed it here"),
        pytest.param("3.00", {"late_usage": Decimal("-1.00")}, id="the service did"),
        pytest.param("3.40", {"late_usage": Decimal("-1.00"), "price": Decimal("-0.40")}, id="and more"),
    ],
)
def test_late_usage_that_another_bill_has_is_a_cause_where_the_service_billed_it_here(external, told_of):
    _, judgement, causes = compare(
        odoo=["usage api 1 2.00"],
        external=[f"usage api 30 {external}"],
        expected=["usage api 30 2.00 deferred=1.00"],
    )
    assert {str(cause.code): cause.amount for cause in causes} == told_of
    assert exact_sum(cause.amount for cause in causes) == judgement.delta


@pytest.mark.parametrize(
    ("odoo", "external"),
    [
        pytest.param("3.00", "3.20", id="the service billed it too"),
        pytest.param("2.00", "2.50", id="Odoo does not have it yet"),
    ],
)
def test_late_usage_is_no_cause_where_it_does_not_set_the_sides_apart(odoo, external):
    _, _, causes = compare(
        odoo=[f"usage api 1 {odoo}"],
        external=[f"usage api 30 {external}"],
        expected=["usage api 30 3.00 late=1.00"],
    )
    assert "late_usage" not in {str(cause.code) for cause in causes}


def test_lines_are_paired_by_code_and_summed():
    [pair], _, _ = compare(
        odoo=["usage api 1 3.00"],
        external=["usage api 10 1.00", "usage api 20 2.00"],
        expected=["usage api 30 3.00"],
    )
    assert (pair.external.quantity, pair.external.amount, pair.delta) == (30, 3, 0)
    assert len(pair.external.lines) == 2


def test_a_sum_has_no_quantity_when_one_of_its_lines_has_none():
    [pair], _, _ = compare(external=["usage api 10 1.00", "usage api - 2.00"])
    assert pair.external.quantity is None


def test_a_credit_stands_apart_from_the_usage_that_it_corrects():
    pairs, _, causes = compare(odoo=["usage api 1 5.00"], external=["usage api 9 5.00", "credit api - -2.00"])
    assert [(pair.kind, pair.delta) for pair in pairs] == [("credit", 2), ("usage", 0)]
    assert told(causes) == [("credit", "2.00", ("api",))]


def test_the_largest_difference_comes_first():
    pairs, _, _ = compare(
        odoo=["usage a 1 5.00", "usage b 1 1.00"], external=["usage a 1 5.50", "usage b 1 3.00"]
    )
    assert [pair.code for pair in pairs] == ["b", "a"]


def test_a_cent_between_two_rounded_lines_is_rounding():
    _, _, causes = compare(
        odoo=["usage api 1 1.01"], external=["usage api 7 1.00"], expected=["usage api 7 1.005"]
    )
    assert told(causes) == [("rounding", "0.01", ("api",))]


def test_lines_with_more_digits_than_cents_were_not_rounded():
    exact = ["usage api 1 0.333333", "usage api 1 0.333333", "usage api 1 0.333333"]
    _, _, causes = compare(odoo=["usage api 1 1.01"], external=exact, expected=["usage api 3 1.01"])
    assert told(causes) == [("price", "0.010001", ("api",))]


def test_the_same_price_for_another_quantity_is_a_quantity():
    _, _, causes = compare(
        odoo=["usage api 1 20.00"], external=["usage api 50 10.00"], expected=["usage api 100 20.00"]
    )
    assert told(causes) == [("quantity", "10.00", ("api",))]


def test_another_price_for_the_same_quantity_is_a_price():
    _, _, causes = compare(
        odoo=["usage api 1 10.00"], external=["usage api 100 25.00"], expected=["usage api 100 10.00"]
    )
    assert told(causes) == [("price", "-15.00", ("api",))]


def test_another_price_for_another_quantity_is_split_into_both():
    _, _, causes = compare(
        odoo=["usage api 1 30.00"], external=["usage api 50 10.00"], expected=["usage api 100 30.00"]
    )
    assert told(causes) == [("price", "10.00", ("api",)), ("quantity", "10.00", ("api",))]


def test_a_line_that_odoo_priced_is_compared_by_odoos_own_quantity():
    _, _, causes = compare(
        odoo=["plan pro 2 200.00 odoo"], external=["plan pro 1 100.00"], expected=["plan pro 1 100.00"]
    )
    assert told(causes) == [("quantity", "100.00", ("pro",))]


def test_a_plan_without_quantities_that_costs_something_else_is_a_price():
    _, _, causes = compare(odoo=["plan pro - 99.00 odoo"], external=["plan pro - 89.00"])
    assert told(causes) == [("price", "10.00", ("pro",))]


def test_usage_whose_quantity_nobody_states_is_unexplained():
    _, _, causes = compare(odoo=["usage api 1 99.00"], external=["usage api - 89.00"])
    assert told(causes) == [("unexplained", "10.00", ("api",))]


def test_a_line_on_one_side_is_missing_on_the_other():
    _, _, causes = compare(odoo=["usage a 1 5.00"], external=["usage b 1 7.00"])
    assert told(causes) == [("missing_odoo", "-7.00", ("b",)), ("missing_external", "5.00", ("a",))]


def test_usage_that_a_commitment_covers_is_billed_zero():
    _, _, causes = compare(odoo=["usage vm 1 5.00"], external=["usage vm 8 0"], expected=["usage vm 8 5.00"])
    assert told(causes) == [("commitment", "5.00", ("vm",))]


def test_usage_below_zero_is_a_negative_correction():
    _, _, causes = compare(
        odoo=["usage vm 1 0.00"], external=["usage vm -3 -4.20"], expected=["usage vm -3 0"]
    )
    assert told(causes) == [("negative_correction", "4.20", ("vm",))]


def test_usage_that_changed_since_it_was_pushed_is_told():
    _, _, causes = compare(
        odoo=["usage api 1 10.00"], external=["usage api 12 12.00"], expected=["usage api 12 12.00"]
    )
    assert told(causes) == [("outdated_push", "-2.00", ("api",))]


def test_a_bill_without_codes_is_compared_as_a_whole():
    _, _, causes = compare(odoo=["usage a 1 5.00", "plan b 1 7.00 odoo"], external=["usage - - 11.00"])
    assert [(str(cause.code), cause.amount) for cause in causes] == [("uncoded", 1)]


def test_two_opposite_errors_are_still_a_cause():
    _, judgement, causes = compare(
        odoo=["plan a 1 5.00", "plan b 1 7.00"], external=["plan a 1 7.00", "plan b 1 5.00"]
    )
    assert judgement.delta == 0
    assert told(causes) == [("price", "0.00", ("a", "b"))]


def test_tax_on_a_total_is_a_cause_of_its_own():
    sides = (
        Side(Decimal(100), Decimal(13), Decimal(113), "CAD"),
        Side(Decimal(100), Decimal(5), Decimal(105), "CAD"),
    )
    pairs, judgement, causes = compare(odoo=["plan pro 1 100"], external=["plan pro 1 100"], sides=sides)
    assert remainder(pairs=pairs, delta=judgement.delta) == 8
    assert told(causes) == [("tax", "8", ())]


def test_where_only_totals_are_stated_tax_is_in_the_lines():
    sides = Side(Decimal(100), Decimal(13), Decimal(113), "CAD"), Side(None, None, Decimal(103), "CAD")
    _, _, causes = compare(odoo=["plan pro 1 113 odoo"], external=["plan pro 1 103"], sides=sides)
    assert told(causes) == [("price", "10.00", ("pro",))]


def test_tax_is_no_part_of_an_untaxed_delta():
    sides = Side(Decimal(100), Decimal(13), Decimal(113), "CAD"), Side(Decimal(100), None, None, "CAD")
    _, judgement, causes = compare(odoo=["plan pro 1 100"], external=["plan pro 1 100"], sides=sides)
    assert (judgement.delta, causes) == (0, [])


def test_what_the_lines_do_not_show_is_unexplained():
    sides = Side(Decimal(50), None, None, "CAD"), Side(Decimal(60), None, None, "CAD")
    _, _, causes = compare(odoo=["plan pro 1 50"], external=["plan pro 1 50"], sides=sides)
    assert told(causes) == [("unexplained", "-10", ())]


def test_sums_that_odoo_rounds_for_the_whole_document_are_rounding():
    sides = Side(Decimal("0.03"), None, None, "CAD"), Side(Decimal("0.04"), None, None, "CAD")
    cents = [f"usage {code} 1 0.01" for code in "abcd"]
    _, _, causes = compare(odoo=cents, external=cents, sides=sides)
    assert told(causes) == [("rounding", "-0.01", ())]


@pytest.mark.parametrize(
    ("facts", "code", "amount"),
    [
        ({"is_linked": False}, "unlinked", "-7"),
        ({"has_other_currency": True}, "other_currency", "-7"),
        ({}, "missing_odoo", "-7"),
    ],
)
def test_what_was_not_compared_has_its_outcome_as_the_one_cause(facts, code, amount):
    sides = None, Side(Decimal(7), None, None, "CAD")
    _, judgement, causes = compare(external=["usage api 1 7"], sides=sides, **facts)
    assert judgement.delta is None
    assert told(causes) == [(code, amount, ("api",))]


def test_a_row_with_no_side_at_all_has_no_cause():
    assert compare(sides=(None, None))[2] == []


def test_the_main_cause_is_the_largest_in_either_direction():
    _, _, causes = compare(odoo=["usage a 1 5.00"], external=["usage b 1 7.00"])
    assert main_cause(causes).code is CauseCode.MISSING_ODOO
    assert main_cause([]) is None


def test_every_cause_has_a_label_and_is_marked_as_the_machines_suggestion():
    assert LABELS.keys() == set(CauseCode)
    _, _, [cause] = compare(odoo=["usage a 1 5.00"])
    assert (cause.label, cause.is_suggested) == ("Missing at the service", True)


def read_ledger(path):
    sides = {"odoo": [], "external": [], "expected": [], "cause": []}
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.strip() and not text.startswith("#"):
            side, rest = text.split(maxsplit=1)
            sides[side].append(" ".join(rest.split()))
    return sides


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in GOLDEN])
def test_a_bill_is_explained_as_in_its_ledger(path):
    ledger = read_ledger(path)
    _, judgement, causes = compare(ledger["odoo"], ledger["external"], ledger["expected"])
    shown = [f"{cause.code} {cause.amount:f} {' '.join(cause.line_codes)}".strip() for cause in causes]
    assert shown == ledger["cause"]
    assert exact_sum(cause.amount for cause in causes) == judgement.delta


AMOUNTS = st.decimals(-1000, 1000, places=5) | st.decimals(-1000, 1000, places=2)
LINES = st.lists(
    st.builds(
        LineAmount,
        code=st.sampled_from(["", "api", "storage", "pro"]),
        kind=st.sampled_from(LineKind),
        description=st.just("a line"),
        quantity=st.none() | AMOUNTS,
        amount=AMOUNTS,
        is_priced_by_odoo=st.booleans(),
    ),
    max_size=8,
)
ADDED = st.decimals(-10, 10, places=3) | st.just(Decimal(0))
TAX = st.none() | st.decimals(0, 100, places=2)


def stated(lines, added, tax):
    untaxed = exact_sum([*(each.amount for each in lines), added])
    return Side(untaxed, tax, None if tax is None else exact_sum([untaxed, tax]), "CAD")


FACTS = st.fixed_dictionaries({"is_linked": st.booleans(), "is_stale": st.booleans()})


@given(st.tuples(LINES, LINES, LINES), st.tuples(ADDED, ADDED), st.tuples(TAX, TAX), FACTS)
def test_causes_add_up_to_the_delta_exactly(lines, added, taxes, facts):
    odoo, external, expected = lines
    pairs = pair_lines(odoo=odoo, external=external, expected=expected)
    odoo_side, external_side = map(stated, (odoo, external), added, taxes)
    judgement = judge(
        odoo=odoo_side, external=external_side, tolerance=Tolerance(), has_other_currency=False, **facts
    )
    causes = explain(pairs=pairs, judgement=judgement, odoo=odoo_side, external=external_side)
    if judgement.delta is not None:
        assert exact_sum(cause.amount for cause in causes) == judgement.delta
    assert len({cause.code for cause in causes}) == len(causes)


@given(LINES, LINES, LINES, st.randoms(use_true_random=False))
def test_pairs_sum_to_the_difference_of_the_sides_in_any_order(odoo, external, expected, random):
    pairs = pair_lines(odoo=odoo, external=external, expected=expected)
    difference = exact_sum(each.amount for each in odoo) - exact_sum(each.amount for each in external)
    assert exact_sum(pair.delta for pair in pairs) == difference
    assert remainder(pairs=pairs, delta=difference) == 0
    shuffled = pair_lines(
        odoo=random.sample(odoo, len(odoo)),
        external=random.sample(external, len(external)),
        expected=expected,
    )
    assert {(pair.code, pair.delta) for pair in shuffled} == {(pair.code, pair.delta) for pair in pairs}
