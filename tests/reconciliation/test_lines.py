"""The lines behind a reconciliation, loaded from the rows of both sides."""

from decimal import Decimal

import pytest

from reconciliation.comparison.causes import CauseCode
from reconciliation.lines import read_lines, read_many
from reconciliation.models import Side
from tests import factories

pytestmark = pytest.mark.django_db


def make_amount(row, side, *lines, **totals):
    """The current amount of one side of a row, with its lines as dictionaries."""
    amount = factories.AmountFactory(customer=row.customer, side=side, **totals)
    for line in lines:
        factories.AmountLineFactory(amount=amount, **line)
    return amount


def test_lines_pair_by_code_and_their_causes_add_up_to_the_delta():
    row = factories.ReconciliationFactory(odoo_untaxed=Decimal("95.00"), external_untaxed=Decimal("100.00"))
    make_amount(
        row,
        Side.ODOO,
        {"code": "requests", "untaxed": Decimal("60.00")},
        {"code": "storage", "untaxed": Decimal("35.00")},
    )
    make_amount(
        row,
        Side.EXTERNAL,
        {"code": "requests", "untaxed": Decimal("60.00")},
        {"code": "storage", "untaxed": Decimal("30.00")},
        {"code": "support", "untaxed": Decimal("10.00")},
    )

    lines = read_lines(row)

    assert {pair.code: pair.delta for pair in lines.pairs} == {
        "requests": Decimal("0.00"),
        "storage": Decimal("5.00"),
        "support": Decimal("-10.00"),
    }
    assert sum(cause.amount for cause in lines.causes) == row.delta


def test_a_document_that_no_longer_counts_gives_no_lines():
    row = factories.ReconciliationFactory()
    make_amount(row, Side.EXTERNAL, {"code": "old"}, is_current=False)
    make_amount(row, Side.EXTERNAL, {"code": "new"})
    make_amount(row, Side.ODOO, {"code": "new"})

    assert [pair.code for pair in read_lines(row).pairs] == ["new"]


def test_another_customer_currency_or_period_gives_no_lines():
    row = factories.ReconciliationFactory()
    make_amount(factories.ReconciliationFactory(), Side.EXTERNAL, {"code": "theirs"})
    make_amount(row, Side.EXTERNAL, {"code": "dollars"}, currency="USD")
    make_amount(
        row,
        Side.EXTERNAL,
        {"code": "later"},
        period_start=factories.SEEN_AT.replace(day=1, hour=0),
        period_end=factories.SEEN_AT,
    )

    assert read_lines(row).pairs == []


def test_our_own_rating_stands_beside_both_sides():
    fee = factories.FeeFactory()
    row = factories.ReconciliationFactory(customer=fee.subscription.customer)
    make_amount(row, Side.ODOO, {"code": fee.charge.metric.code, "untaxed": fee.amount})

    (pair,) = read_lines(row).pairs

    assert pair.expected.quantity == fee.quantity
    assert pair.expected.amount == pair.odoo.amount == fee.amount


def test_totals_are_compared_with_totals_when_no_untaxed_amount_is_stated():
    fee = factories.FeeFactory(amount=Decimal("100.00"), exact_amount=Decimal("100.00"))
    row = factories.ReconciliationFactory(
        customer=fee.subscription.customer,
        basis="total",
        odoo_untaxed=Decimal("100.00"),
        odoo_tax=Decimal("13.00"),
        odoo_total=Decimal("113.00"),
        odoo_amount=Decimal("113.00"),
        external_untaxed=None,
        external_total=Decimal("115.00"),
        external_amount=Decimal("115.00"),
    )
    code = fee.charge.metric.code
    make_amount(
        row,
        Side.ODOO,
        {"code": code, "untaxed": Decimal("100.00"), "tax": Decimal("13.00"), "total": Decimal("113.00")},
    )
    make_amount(
        row,
        Side.EXTERNAL,
        {"code": code, "untaxed": None, "total": Decimal("115.00"), "quantity": fee.quantity},
        untaxed=None,
        total=Decimal("115.00"),
    )

    lines = read_lines(row)

    assert [(cause.code, cause.amount) for cause in lines.causes] == [(CauseCode.PRICE, Decimal("-2.00"))]


def test_a_row_with_a_missing_side_has_its_outcome_as_the_one_cause():
    row = factories.ReconciliationFactory(odoo_untaxed=None, external_untaxed=Decimal("40.00"))
    make_amount(row, Side.EXTERNAL, {"code": "requests", "untaxed": Decimal("40.00")})

    (cause,) = read_lines(row).causes

    assert (cause.code, cause.amount) == (CauseCode.MISSING_ODOO, Decimal("-40.00"))


def test_many_rows_take_as_many_queries_as_one(django_assert_num_queries):
    rows = [factories.ReconciliationFactory() for _ in range(4)]
    for row in rows:
        make_amount(row, Side.ODOO, {"code": "requests"})
        make_amount(row, Side.EXTERNAL, {"code": "requests"})

    with django_assert_num_queries(3):
        lines = read_many(rows)

    assert [len(lines[row.pk].pairs) for row in rows] == [1, 1, 1, 1]
