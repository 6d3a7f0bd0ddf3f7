"""What we expect beside what a running Odoo stand-in computes: the same tax, from the provinces to abroad."""

import pytest

from reconciliation import odoo_amounts
from tests.reconciliation.odoo_world import LABEL
from tests.reconciliation.sides import judge, row_of


@pytest.fixture
def bill(world):
    """A function that bills a customer in a place 100.00 of usage and a plan at 99, and judges it."""

    def make(province, country="CA", **values):
        partner = world.office.customer(province or country, province, **values)
        if country != "CA":
            (abroad,) = world.office.find("res.country", ["code", "=", country])
            world.office.call("res.partner", "write", [partner], {"country_id": abroad})
        customer = world.make_customer()
        type(customer).objects.filter(pk=customer.pk).update(odoo_partner_id=partner)
        world.rate(customer, api="100.00", plan_days=30)
        world.mirror_chart()
        world.push_now()
        odoo_amounts.fetch_amounts(
            service=world.service,
            period_label=LABEL,
            connector=world.connector,
            unread_since=customer.created_at,
        )
        judge(world.service)
        return row_of(customer)

    return make


@pytest.mark.parametrize(
    ("place", "rates", "tax"),
    [
        (("ON",), ["13"], "25.87"),
        (("NS",), ["14"], "27.86"),
        (("NB",), ["15"], "29.85"),
        (("AB",), ["5"], "9.95"),
        (("QC",), ["5", "9.975"], "29.80"),
        ((None, "US"), [], "0"),
    ],
)
def test_the_tax_that_we_expect_is_the_one_that_odoo_computes(bill, place, rates, tax):
    row = bill(*place)
    assert [each["percent"] for each in row.expected_taxes] == rates
    assert (str(row.expected_untaxed), str(row.expected_tax)) == ("199.00", tax)
    assert (row.expected_tax, row.expected_total) == (row.odoo_tax, row.odoo_total)


def test_without_a_province_odoo_guesses_and_we_do_not(bill, world):
    (canada,) = world.office.find("res.country", ["code", "=", "CA"])
    row = bill(None, country_id=canada)
    assert (row.expected_tax, row.expected_total) == (None, None)
    assert row.untaxed_because == "The partner has no province in Odoo."
    assert row.odoo_tax > 0


def test_a_group_and_a_position_somebody_gave_are_followed(bill, world):
    """The shape of Odoo's own localisation: Quebec's position holds one tax, a group of two."""
    (hst,) = world.office.find("account.tax", ["name", "=", "13% HST"])
    parts = world.office.find("account.tax", ["name", "in", ["5% GST", "9.975% QST"]])
    group = world.office.create(
        "account.tax",
        name="14.975% GST+QST",
        amount=100,
        amount_type="group",
        children_tax_ids=[[6, 0, parts]],
        original_tax_ids=[[6, 0, [hst]]],
    )
    position = world.office.create(
        "account.fiscal.position", name="Quebec", auto_apply=False, tax_ids=[[6, 0, [group]]]
    )
    row = bill("ON", property_account_position_id=position)
    assert [each["percent"] for each in row.expected_taxes] == ["5", "9.975"]
    assert row.expected_total == row.odoo_total
