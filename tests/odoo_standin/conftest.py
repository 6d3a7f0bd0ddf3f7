"""A stand-in for each test, and the customers and products the tests sell to and sell."""

import pytest

from billing_console.demo.odoo_standin.server import start
from tests.odoo_standin.client import Client


@pytest.fixture
def stand_in():
    with start() as running:
        yield running


@pytest.fixture
def odoo(stand_in):
    return Client(stand_in)


@pytest.fixture
def make_partner(odoo):
    """Return a function that creates a customer in a province of Canada, or in another country."""

    def make(province="ON", country="CA"):
        country_id = odoo.find("res.country", code=country)
        state_id = province and odoo.find("res.country.state", code=province)
        values = {"name": f"Acme {province or country}", "country_id": country_id, "state_id": state_id}
        return odoo.execute("res.partner", "create", values)

    return make


@pytest.fixture
def partner(make_partner):
    return make_partner()


@pytest.fixture
def usage(odoo):
    """A product invoiced by what was delivered."""
    return odoo.execute(
        "product.product",
        "create",
        {"name": "API calls", "type": "service", "invoice_policy": "delivery", "list_price": 0.0025},
    )


@pytest.fixture
def plan_fee(odoo):
    """A product invoiced by what was ordered."""
    values = {"name": "Pro plan", "type": "service", "invoice_policy": "order", "list_price": 99}
    return odoo.execute("product.product", "create", values)


@pytest.fixture
def make_order(odoo, partner):
    """Return a function that creates an order with these lines."""

    def make(*lines, **values):
        return odoo.execute(
            "sale.order",
            "create",
            {"partner_id": partner, "order_line": [[0, 0, line] for line in lines], **values},
        )

    return make
