"""Amounts: rounding as measured on a real server, taxes by province, prices by pricelist."""

import pytest

GLOBALLY, PER_LINE = "round_globally", "round_per_line"

# Lines as (how many, quantity, price); untaxed, tax and total under HST 13 %, as the real server gave them.
MEASURED = [
    (GLOBALLY, (3, 1, 0.05), (0.15, 0.02, 0.17)),
    (PER_LINE, (3, 1, 0.05), (0.15, 0.03, 0.18)),
    (GLOBALLY, (10, 1, 1.15), (11.50, 1.50, 13.00)),
    (PER_LINE, (10, 1, 1.15), (11.50, 1.50, 13.00)),
    (GLOBALLY, (10, 1, 0.004), (0.04, 0.01, 0.05)),
    (PER_LINE, (10, 1, 0.004), (0.00, 0.00, 0.00)),
    (GLOBALLY, (4, 3, 0.0025), (0.03, 0.00, 0.03)),
    (PER_LINE, (4, 3, 0.0025), (0.04, 0.00, 0.04)),
    (GLOBALLY, (1, 7, 0.335), (2.35, 0.30, 2.65)),
    (PER_LINE, (1, 7, 0.335), (2.35, 0.31, 2.66)),
    (GLOBALLY, (1, 1, 2.675), (2.68, 0.35, 3.03)),
    (PER_LINE, (1, 1, 2.675), (2.68, 0.35, 3.03)),
    (GLOBALLY, (1, 1, 1.005), (1.01, 0.13, 1.14)),
    (PER_LINE, (1, 1, 1.005), (1.01, 0.13, 1.14)),
]

AMOUNTS = ("amount_untaxed", "amount_tax", "amount_total")


def read_amounts(odoo, order):
    record = odoo.read("sale.order", order, *AMOUNTS)
    return tuple(record[name] for name in AMOUNTS)


@pytest.mark.parametrize("measured", MEASURED)
def test_an_order_is_rounded_as_measured(odoo, make_order, usage, measured):
    method, (count, quantity, price), expected = measured
    company = odoo.find("res.company")
    odoo.execute("res.company", "write", [company], {"tax_calculation_rounding_method": method})
    line = {"product_id": usage, "product_uom_qty": quantity, "price_unit": price}

    order = make_order(*[line] * count)

    assert read_amounts(odoo, order) == expected


@pytest.mark.parametrize("measured", [(1, 0.004, 0.00), (3, 0.0025, 0.01)])
def test_a_line_shows_its_own_rounded_subtotal(odoo, make_order, usage, measured):
    quantity, price, subtotal = measured
    line = {"product_id": usage, "product_uom_qty": quantity, "price_unit": price}

    (line_id,) = odoo.read("sale.order", make_order(line), "order_line")

    assert odoo.read("sale.order.line", line_id, "price_subtotal") == subtotal


def test_the_tax_of_a_line_carries_the_noise_of_floats(odoo, make_order, plan_fee):
    (line,) = odoo.read("sale.order", make_order({"product_id": plan_fee}), "order_line")

    assert odoo.read("sale.order.line", line, "price_tax") == 12.870000000000005


def test_a_negative_line_is_rounded_away_from_zero(odoo, make_order, usage):
    order = make_order({"product_id": usage, "product_uom_qty": -1, "price_unit": 2.675})

    assert read_amounts(odoo, order) == (-2.68, -0.35, -3.03)


TAXES = [
    (("ON", "CA"), 13.00, ["13% HST"]),
    (("NS", "CA"), 14.00, ["14% HST"]),
    (("NB", "CA"), 15.00, ["15% HST"]),
    (("AB", "CA"), 5.00, ["5% GST"]),
    (("BC", "CA"), 12.00, ["5% GST", "7% PST"]),
    (("QC", "CA"), 14.98, ["5% GST", "9.975% QST"]),
    ((False, "CA"), 13.00, ["13% HST"]),
    ((False, "US"), 0.00, []),
]


@pytest.mark.parametrize("taxed", TAXES)
def test_the_customers_province_decides_the_taxes(odoo, make_partner, make_order, usage, taxed):
    place, tax, names = taxed

    order = make_order({"product_id": usage, "price_unit": 100}, partner_id=make_partner(*place))

    assert read_amounts(odoo, order) == (100.00, tax, 100.00 + tax)
    (line,) = odoo.read("sale.order", order, "order_line")
    taxes = odoo.execute("account.tax", "read", odoo.read("sale.order.line", line, "tax_ids"), ["name"])
    assert [each["name"] for each in taxes] == names


def test_two_taxes_are_taken_on_one_base_and_rounded_apart(odoo, make_partner, make_order, usage):
    line = {"product_id": usage, "price_unit": 10.10}

    order = make_order(line, line, line, partner_id=make_partner("QC"))

    # 30.30 × 5 % = 1.515 → 1.52; 30.30 × 9.975 % = 3.022425 → 3.02
    assert read_amounts(odoo, order) == (30.30, 4.54, 34.84)


def test_a_partners_own_position_comes_before_that_of_its_province(odoo, make_partner, make_order, usage):
    customer = make_partner("ON")
    quebec = odoo.find("account.fiscal.position", name="Quebec (QC)")
    odoo.execute("res.partner", "write", [customer], {"property_account_position_id": quebec})

    order = make_order({"product_id": usage, "price_unit": 100}, partner_id=customer)

    assert read_amounts(odoo, order) == (100.00, 14.98, 114.98)


@pytest.mark.parametrize("change", [{"active": False}, {"auto_apply": False}])
def test_a_position_that_is_archived_or_not_automatic_is_not_detected(
    odoo, make_partner, make_order, usage, change
):
    position = odoo.find("account.fiscal.position", name="Alberta (AB)")
    odoo.execute("account.fiscal.position", "write", [position], change)

    order = make_order({"product_id": usage, "price_unit": 100}, partner_id=make_partner("AB"))

    assert read_amounts(odoo, order) == (100.00, 13.00, 113.00)


def test_a_group_is_charged_as_its_children(odoo, make_order, usage):
    parts = [odoo.find("account.tax", name=name) for name in ("5% GST", "9.975% QST")]
    values = {"name": "GST+QST", "amount": 100, "amount_type": "group", "children_tax_ids": [[6, 0, parts]]}
    group = odoo.execute("account.tax", "create", values)
    line = {"product_id": usage, "price_unit": 100, "tax_ids": [[6, 0, [group]]]}

    assert read_amounts(odoo, make_order(line)) == (100.00, 14.98, 114.98)


def test_a_tax_names_the_positions_that_hold_it(odoo):
    quebec = odoo.find("account.fiscal.position", name="Quebec (QC)")

    assert odoo.read("account.tax", odoo.find("account.tax", name="9.975% QST"), "fiscal_position_ids") == [
        quebec
    ]


def test_a_product_without_taxes_stays_untaxed(odoo, make_order):
    exempt = odoo.execute("product.product", "create", {"name": "Membership", "taxes_id": [[6, 0, []]]})

    assert read_amounts(odoo, make_order({"product_id": exempt, "price_unit": 50})) == (50.0, 0.0, 50.0)


def test_a_price_that_is_not_given_is_the_list_price_at_the_pricelists_rate(odoo, make_order, plan_fee):
    usd = odoo.find("product.pricelist", name="USD")

    order = make_order({"product_id": plan_fee}, pricelist_id=usd)

    assert odoo.read("sale.order", order, "currency_id")[1] == "USD"
    assert read_amounts(odoo, order)[0] == 71.28


def test_a_pricelists_own_price_of_a_product_comes_first(odoo, make_order, plan_fee):
    usd = odoo.find("product.pricelist", name="USD")
    item = {"pricelist_id": usd, "product_id": plan_fee, "fixed_price": 75}
    odoo.execute("product.pricelist.item", "create", item)

    in_usd = make_order({"product_id": plan_fee}, pricelist_id=usd)
    in_cad = make_order({"product_id": plan_fee}, pricelist_id=odoo.find("product.pricelist", name="CAD"))

    assert read_amounts(odoo, in_usd)[0] == 75.0
    assert read_amounts(odoo, in_cad)[0] == 99.0


def test_quantities_keep_two_digits_and_prices_all_of_theirs(odoo, make_order, usage):
    line = {"product_id": usage, "product_uom_qty": 12345.678, "price_unit": 0.000123456789}

    (line_id,) = odoo.read("sale.order", make_order(line), "order_line")

    read = odoo.read("sale.order.line", line_id, "product_uom_qty", "price_unit")
    assert read == {"id": line_id, "product_uom_qty": 12345.68, "price_unit": 0.000123456789}
