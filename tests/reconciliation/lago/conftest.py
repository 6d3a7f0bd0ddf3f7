"""A service that moves from Lago on 25 November 2026, and how it imports."""

from datetime import UTC, datetime

import pytest
import time_machine

from ingest.models import (
    AuditRecord,
    Charge,
    ChargeVersion,
    Customer,
    LagoId,
    Metric,
    Plan,
    PlanVersion,
    Subscription,
)
from reconciliation.connectors.lago.api import LagoApi
from reconciliation.lago.importing import import_from_lago
from reconciliation.lago.report import Done
from reconciliation.models import Run, WebhookEndpoint
from tests import factories
from tests.lago_standin import objects
from tests.lago_standin.server import KEY, serve_lago

TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
WRITTEN = (
    *(AuditRecord, Charge, ChargeVersion, Customer, LagoId, Metric, Plan, PlanVersion, Run, Subscription),
    WebhookEndpoint,
)


@pytest.fixture
def clock():
    """It is noon until the test moves on."""
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def lago():
    """Lago, with one of each."""
    with serve_lago(objects.small_world()) as running:
        yield running


@pytest.fixture
def service(db, clock):
    """The service that moves, still billed by Lago."""
    return factories.ServiceFactory(code="nexacloud", name="NexaCloud", phase="shadow")


@pytest.fixture
def bring(lago, service):
    """Imports what Lago holds now, and returns the report."""

    def bring(**options):
        source = options.pop("source", None) or LagoApi(lago.url, lago.key or KEY)
        options = {"service": service, "echo": lambda stage, done, total: None} | options
        return import_from_lago(source=source, **options)

    return bring


def count_rows():
    """How many rows there are of everything that an import could write."""
    return {model.__name__: model.objects.count() for model in WRITTEN}


def became(report, done):
    """What became this: the names by collection."""
    found = {}
    for outcome in report.outcomes:
        if outcome.done is Done(done):
            found.setdefault(outcome.collection, []).append(outcome.name)
    return found


def reason(report, collection):
    """The only reason that a list has."""
    (found,) = [each.reason for each in report.outcomes if each.collection == collection and each.reason]
    return found
