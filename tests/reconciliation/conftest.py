"""A running Odoo stand-in that the settings name, and a service linked to it."""

import pytest

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import Settings
from tests.reconciliation.odoo_world import OdooWorld

STAND_IN = Settings()


@pytest.fixture
def stand_in():
    with start(STAND_IN) as running:
        yield running


@pytest.fixture
def world(db, stand_in, settings):
    settings.ODOO_URL, settings.ODOO_DB = stand_in.url, STAND_IN.database
    settings.ODOO_LOGIN, settings.ODOO_API_KEY = STAND_IN.login, STAND_IN.key
    settings.ODOO_COMPANY_ID, settings.ODOO_TIMEOUT = 1, 60
    return OdooWorld(stand_in)
