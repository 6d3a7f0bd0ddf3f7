"""A running Odoo stand-in with a service linked to it, and a service on its way through a cutover."""

import pytest
import time_machine

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import Settings
from reconciliation import cutover
from tests.reconciliation.odoo_world import OdooWorld
from tests.reconciliation.ready import EFFECTIVE, NOVEMBER, TODAY, approve, make_ready_service
from tests.replay import Replay

STAND_IN = Settings()
make_ready_once = Replay(make_ready_service)


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


@pytest.fixture
def clock():
    """It is noon on 3 October 2026 until the test moves on."""
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ready_service(db, clock):
    return make_ready_once()


@pytest.fixture
def requested(ready_service, finance):
    """Finance asked for the cutover on 1 November."""
    return cutover.request_cutover(
        service=ready_service, effective_date=EFFECTIVE, comment="Two clean months.", actor=finance
    )


@pytest.fixture
def approved(requested, manager):
    return approve(request_id=requested.pk, actor=manager, comment="Go.")


@pytest.fixture
def live(approved, clock):
    """It is midnight on 1 November, and the service went live."""
    clock.move_to(NOVEMBER)
    cutover.activate_due(now=NOVEMBER)
    approved.refresh_from_db()
    return approved
