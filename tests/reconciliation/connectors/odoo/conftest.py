"""A running stand-in, a person who works in it, and the connector under test."""

from collections import Counter

import odoorpc
import pytest

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import Settings
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.selection import make_transport
from reconciliation.connectors.odoo.transport import TransportKind

SETTINGS = Settings()
# What the connector does, it does over either.
BOTH = [TransportKind.JSONRPC, TransportKind.JSON2]


class BackOffice:
    """Somebody who works in Odoo itself, not through the connector, and may do anything there."""

    def __init__(self, port):
        self._odoo = odoorpc.ODOO("127.0.0.1", port=port)
        self._odoo.login(SETTINGS.database, SETTINGS.login, SETTINGS.key)

    def call(self, model, method, *args, **named):
        return self._odoo.execute_kw(model, method, list(args), named)

    def create(self, model, **values):
        return self.call(model, "create", values)

    def find(self, model, *domain):
        return self.call(model, "search", list(domain))

    def count(self, model):
        return self.call(model, "search_count", [])

    def customer(self, name="Acme Inc", province="ON", **values):
        place = {}
        if province:
            (state,) = self.find("res.country.state", ["code", "=", province])
            (country,) = self.find("res.country", ["code", "=", "CA"])
            place = {"state_id": state, "country_id": country}
        return self.create("res.partner", name=name, **place, **values)

    def product(self, name, price, **values):
        (tax,) = self.find("account.tax", ["name", "=", "13% HST"])
        return self.create(
            "product.product", name=name, type="service", list_price=price, taxes_id=[[6, 0, [tax]]], **values
        )

    def pricelist(self, currency):
        return self.find("product.pricelist", ["currency_id.name", "=", currency])[0]


class CountingTransport:
    """Passes calls on and keeps what was called; a test may do something before or after the n-th."""

    def __init__(self, transport):
        self._transport = transport
        self.calls = []
        self.before = {}
        self.after = {}

    @property
    def login(self):
        return self._transport.login

    @property
    def kind(self):
        return self._transport.kind

    def version(self):
        return self._transport.version()

    def execute(self, model, method, args, kwargs):
        number, name = len(self.calls), f"{model}.{method}"
        self.calls.append(name)
        self._act(self.before, number, name)
        answer = self._transport.execute(model, method, args, kwargs)
        self._act(self.after, number, name)
        return answer

    def _act(self, actions, number, name):
        for moment in (number, name):
            if moment in actions:
                actions.pop(moment)()

    def counts(self):
        return Counter(self.calls)


@pytest.fixture
def stand_in():
    with start(SETTINGS) as running:
        yield running


@pytest.fixture
def back_office(stand_in):
    return BackOffice(stand_in.port)


def open_stand_in(kind, stand_in, **account):
    """A transport to the stand-in as the console's user, unless the account says otherwise."""
    usual = {"database": SETTINGS.database, "login": SETTINGS.login, "api_key": SETTINGS.key, "timeout": 30}
    return make_transport(TransportKind(kind), **{"url": stand_in.url, **usual, **account})


@pytest.fixture(params=BOTH)
def transport(request, stand_in):
    return CountingTransport(open_stand_in(request.param, stand_in))


@pytest.fixture
def connector(transport):
    return OdooConnector(transport, company_id=1)
