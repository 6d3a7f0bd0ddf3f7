"""The page of one reconciliation: its sentence, its lines, its fees, its documents."""

from decimal import Decimal

import pytest

from reconciliation.figures import page
from reconciliation.models import Outcome, Status
from tests import factories
from tests.reconciliation.figures.rows import make_row

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("odoo", "external", "sentence"),
    [
        (
            "1198.40",
            "1204.10",
            "NexaCloud billed 1,204.10 CAD, Odoo computes 1,198.40; −5.70 (−0.47 %), above {limit}",
        ),
        (
            "100.00",
            "100.00",
            "NexaCloud billed 100.00 CAD, Odoo computes 100.00; 0.00 (0.00 %), within {limit}",
        ),
        ("5.00", "0.00", "NexaCloud billed 0.00 CAD, Odoo computes 5.00; +5.00, above {limit}"),
        (
            "16.22",
            "13.6164825497",
            "NexaCloud billed 13.62 CAD, Odoo computes 16.22; +2.60 (+19.12 %), above {limit}",
        ),
        (
            "5.00",
            "4.9875",
            "NexaCloud billed 4.99 CAD, Odoo computes 5.00; +0.01 (+0.25 %), just above {limit}",
        ),
        (
            "5.00",
            "5.004",
            "NexaCloud billed 5.00 CAD, Odoo computes 5.00; less than 0.01 apart (−0.08 %), within {limit}",
        ),
        (None, "0.272", "NexaCloud billed 0.27 CAD, Odoo has nothing for it yet"),
        (None, "9.00", "NexaCloud billed 9.00 CAD, Odoo has nothing for it yet"),
        ("9.00", None, "Odoo computes 9.00 CAD, NexaCloud billed nothing that the console knows of"),
    ],
)
def test_a_row_is_said_in_one_sentence(odoo, external, sentence):
    row = make_row(odoo, external, customer__name="Acme", customer__service__name="NexaCloud")

    said = sentence.format(limit="the tolerance of 0.01")
    assert page.write_sentence(row) == f"Acme, September 2026: {said}"


def test_a_sentence_has_no_more_decimals_than_its_currency():
    row = make_row("1500", "1204.5", currency="JPY", tolerance=Decimal("0.4"))

    assert page.write_sentence(row).endswith(
        "billed 1,205 JPY, Odoo computes 1,500; +296 (+24.53 %), above the tolerance of less than 1"
    )


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (Outcome.STALE, "usage was rated again since, so this is not compared yet"),
        (Outcome.UNLINKED, "NexaCloud knows this customer, Odoo does not: link them to a partner"),
        (Outcome.OTHER_CURRENCY, "the two sides bill in different currencies, CAD is one"),
    ],
)
def test_a_row_that_was_not_compared_says_why(outcome, sentence):
    row = make_row("9.00", "8.00", customer__service__name="NexaCloud", outcome=outcome, status=Status.DELTA)

    assert page.write_sentence(row).endswith(sentence)


def test_documents_that_have_no_sum_are_not_said_to_be_nothing():
    row = make_row("9.00", None, customer__service__name="NexaCloud")
    factories.AmountFactory(customer=row.customer)
    assert page.write_sentence(row).endswith("billed nothing that the console knows of")

    factories.AmountFactory(customer=row.customer, untaxed=None, total=Decimal("113.00"))

    said = "NexaCloud billed documents that state a total alone and others an untaxed amount alone"
    assert f"{said}: they have no sum" in page.write_sentence(row)


@pytest.mark.parametrize(
    ("label", "name"),
    [("2026-09", "September 2026"), ("2026-Q3", "2026-Q3"), ("2026-05-15", "2026-05-15"), ("odd", "odd")],
)
def test_a_month_is_said_by_its_name(label, name):
    assert page.name_period(label) == name


def test_the_page_explains_a_fee_by_its_price_and_its_tiers():
    tier = {"from_value": "0", "to_value": None, "units": "14", "total_with_flat_amount": "105"}
    fee = factories.FeeFactory(
        details=[{"model": "graduated", "properties": {"graduated_ranges": [], "amount": "2"}}, tier]
    )
    row = make_row("100.00", "100.00", customer=fee.subscription.customer)

    (rated,) = page.read_page(row).fees

    assert rated.computed.facts == [("model", "graduated"), ("amount", "2")]
    assert dict(zip(rated.computed.columns, *rated.computed.rows, strict=True))["Units"] == tier["units"]


def test_lines_that_are_only_a_rounding_apart_are_no_difference():
    row = make_row("100.00", "100.00")
    for side, amount in (("odoo", "60.00"), ("external", "60.0042713")):
        document = factories.AmountFactory(customer=row.customer, side=side)
        factories.AmountLineFactory(amount=document, code="requests", untaxed=Decimal(amount))
    factories.AmountLineFactory(amount=document, code="support", untaxed=Decimal("10.00"))

    shown = page.read_page(row)

    assert {line.pair.code: line.is_difference for line in shown.lines} == {
        "requests": False,
        "support": True,
    }
    assert shown.has_agreeing_lines


def test_the_page_shows_earlier_versions_and_the_other_currency_beside_the_row():
    row = make_row("100.00", "100.00")
    current = factories.AmountFactory(customer=row.customer)
    earlier = factories.AmountFactory(customer=row.customer, is_current=False)
    dollars = factories.AmountFactory(customer=row.customer, currency="USD")
    factories.AmountFactory()

    assert set(page.read_page(row).amounts) == {current, earlier, dollars}
