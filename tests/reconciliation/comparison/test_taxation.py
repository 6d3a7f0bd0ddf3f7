"""Which rates a customer pays by Odoo's taxes and fiscal positions.

The chart has the shapes that Odoo's Canadian localisation has: Quebec's and British Columbia's taxes are groups,
abroad is a tax of zero, and every position names what each of its taxes stands in for.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from ingest.rating.taxes import Taxable, compute_taxes
from reconciliation.comparison.taxation import (
    FiscalPosition,
    NotComparable,
    Place,
    Rate,
    Tax,
    TaxChart,
    find_rates,
)

CANADA, FRANCE = 38, 75
STATES = {"AB": 1, "ON": 2, "NS": 3, "NB": 4, "QC": 5, "YT": 6}
GST, HST13, HST14, HST15, QST, GST_QST, ZERO_RATED, ABROAD = range(1, 9)
OF_PROVINCES = (GST, HST13, HST14, HST15, GST_QST)


def originals(but):
    return tuple(tax for tax in OF_PROVINCES if tax != but)


TAXES = [
    Tax(GST, "5% GST", Decimal("5.0"), original_ids=originals(GST)),
    Tax(HST13, "13% HST", Decimal("13.0"), original_ids=originals(HST13)),
    Tax(HST14, "14% HST", Decimal("14.0"), original_ids=originals(HST14)),
    Tax(HST15, "15% HST", Decimal("15.0"), original_ids=originals(HST15)),
    Tax(QST, "9.975% QST", Decimal("9.975")),
    Tax(GST_QST, "14.975% GST+QST", Decimal("100.0"), kind="group", child_ids=(GST, QST),
        original_ids=originals(GST_QST)),
    Tax(ZERO_RATED, "0% GST", Decimal("0.0")),
    Tax(ABROAD, "0% Int", Decimal("0.0"), original_ids=OF_PROVINCES),
]  # fmt: skip

CHARGED = {"AB": GST, "ON": HST13, "NS": HST14, "NB": HST15, "QC": GST_QST}
POSITIONS = [
    *(
        FiscalPosition(STATES[code], code, (tax,), country_id=CANADA, state_ids=(STATES[code],))
        for code, tax in CHARGED.items()
    ),
    FiscalPosition(9, "International (INTL)", (ABROAD,), sequence=1),
]
CHART = TaxChart({tax.id: tax for tax in TAXES}, POSITIONS)


def change_tax(tax_id, **values):
    return replace(CHART, taxes={**CHART.taxes, tax_id: replace(CHART.taxes[tax_id], **values)})


def at(province):
    return Place(country_id=CANADA, state_id=STATES[province])


def rates_of(place, *tax_ids, chart=CHART):
    found = find_rates(tax_ids=tax_ids or (HST13,), place=place, chart=chart)
    assert not isinstance(found, NotComparable), found
    return {rate.name: str(rate.percent) for rate in found}


def obstacle_to(place, *tax_ids, chart=CHART):
    found = find_rates(tax_ids=tax_ids or (HST13,), place=place, chart=chart)
    assert isinstance(found, NotComparable), found
    assert found.reason.endswith(".")
    return found.obstacle


class TestWhatACustomerPays:
    @pytest.mark.parametrize(
        ("province", "rates"),
        [
            ("ON", {"13% HST": "13.0"}),
            ("NS", {"14% HST": "14.0"}),
            ("NB", {"15% HST": "15.0"}),
            ("AB", {"5% GST": "5.0"}),
            ("QC", {"5% GST": "5.0", "9.975% QST": "9.975"}),
        ],
    )
    @pytest.mark.parametrize("own", OF_PROVINCES)
    def test_the_province_decides_whatever_the_products_own_tax_is(self, province, rates, own):
        assert rates_of(at(province), own) == rates

    def test_abroad_is_zero(self):
        assert rates_of(Place(country_id=FRANCE)) == {"0% Int": "0.0"}

    def test_a_position_without_taxes_takes_them_away(self):
        chart = replace(CHART, positions=[FiscalPosition(9, "Exempt")])
        assert rates_of(at("ON"), chart=chart) == {}

    def test_a_product_without_taxes_has_none_anywhere(self):
        assert find_rates(tax_ids=(), place=at("QC"), chart=CHART) == ()

    def test_a_zero_rated_product_stays_so(self):
        assert rates_of(at("QC"), ZERO_RATED) == {"0% GST": "0.0"}

    def test_without_any_position_a_product_keeps_its_own_tax(self):
        assert rates_of(Place(country_id=FRANCE), chart=replace(CHART, positions=[])) == {"13% HST": "13.0"}

    def test_the_partners_own_position_comes_first(self):
        assert rates_of(Place(position_id=STATES["QC"], country_id=CANADA, state_id=STATES["ON"])) == {
            "5% GST": "5.0",
            "9.975% QST": "9.975",
        }

    def test_the_partners_own_position_needs_no_address(self):
        assert rates_of(Place(position_id=STATES["AB"])) == {"5% GST": "5.0"}

    def test_the_lowest_sequence_comes_first(self):
        early = FiscalPosition(99, "First Nations", (ABROAD,), country_id=CANADA, sequence=-1)
        assert rates_of(at("ON"), chart=replace(CHART, positions=[*POSITIONS, early])) == {"0% Int": "0.0"}

    def test_an_archived_tax_of_a_product_is_none(self):
        assert rates_of(at("ON"), HST13, chart=change_tax(HST13, is_active=False)) == {}

    def test_one_tax_that_two_own_taxes_are_replaced_by_is_charged_once(self):
        assert rates_of(at("NS"), HST13, GST) == {"14% HST": "14.0"}


class TestWhatIsNotComparable:
    @pytest.mark.parametrize(
        ("place", "obstacle"),
        [
            (Place(), "no_country"),
            (Place(country_id=CANADA), "no_province"),
            (replace(at("ON"), has_delivery_address=True), "delivery_address"),
            (Place(position_id=77), "not_mirrored"),
        ],
    )
    def test_a_place_that_decides_nothing(self, place, obstacle):
        assert obstacle_to(place) == obstacle

    def test_a_position_that_asks_for_a_vat_number(self):
        asking = replace(POSITIONS[1], is_conditional=True)
        assert obstacle_to(at("ON"), chart=replace(CHART, positions=[asking])) == "unclear_position"

    def test_a_tax_that_the_position_says_nothing_of(self):
        assert obstacle_to(at("ON"), QST) == "unmapped"

    def test_a_tax_that_is_not_in_the_mirror(self):
        assert obstacle_to(at("ON"), 404) == "not_mirrored"

    def test_a_group_whose_child_is_not_in_the_mirror(self):
        taxes = {tax.id: tax for tax in TAXES if tax.id != QST}
        assert obstacle_to(at("QC"), chart=replace(CHART, taxes=taxes)) == "not_mirrored"

    @pytest.mark.parametrize(
        ("values", "obstacle"),
        [
            ({"kind": "fixed"}, "not_percent"),
            ({"kind": "division"}, "not_percent"),
            ({"kind": "group"}, "not_percent"),
            ({"is_included": True}, "included"),
        ],
    )
    def test_a_tax_that_is_no_percentage_on_top_of_the_price(self, values, obstacle):
        assert obstacle_to(at("ON"), chart=change_tax(HST13, **values)) == obstacle

    def test_a_tax_on_a_tax(self):
        assert obstacle_to(at("QC"), chart=change_tax(GST, affects_base=True)) == "compound"


class TestWhatRatesComeTo:
    """By the rating room's arithmetic, which proves itself; here that our rates are what it takes."""

    def add(self, place, *amounts):
        rates = find_rates(tax_ids=(HST13,), place=place, chart=CHART)
        taxable = [Taxable(Decimal(amount), [rate.tax_rate for rate in rates]) for amount in amounts]
        return compute_taxes(taxable, "CAD")

    @pytest.mark.parametrize(
        ("province", "tax"),
        [("ON", "13.00"), ("NS", "14.00"), ("NB", "15.00"), ("AB", "5.00"), ("QC", "14.98")],
    )
    def test_a_hundred_dollars_in_each_province(self, province, tax):
        assert str(self.add(at(province), "100").total) == tax

    def test_a_hundred_dollars_abroad(self):
        assert self.add(Place(country_id=FRANCE), "100").total == 0

    def test_quebec_has_two_taxes_on_one_base_of_three_decimals(self):
        taxes = self.add(at("QC"), "10.10", "10.10", "10.10")
        # 30.30 × 5 % = 1.515 and × 9.975 % = 3.022425
        assert [str(tax) for tax in taxes.by_rate.values()] == ["1.52", "3.02"]
        assert str(taxes.total) == "4.54"

    def test_the_bills_tax_is_not_the_sum_of_its_rounded_shares(self):
        # 0.10 × 5 % = 0.005 and × 9.975 % = 0.009975
        taxes = self.add(at("QC"), "0.10")
        assert ([str(tax) for tax in taxes.by_rate.values()], str(taxes.total)) == (["0.01", "0.01"], "0.01")

    def test_two_taxes_of_one_percentage_stay_two(self):
        rates = [Rate(number, "5%", Decimal(5)).tax_rate for number in (1, 2)]
        assert str(compute_taxes([Taxable(Decimal(100), rates)], "CAD").total) == "10.00"
