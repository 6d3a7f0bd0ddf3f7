"""The cutover board, and what changes hands."""

from datetime import UTC, date, datetime

import pytest

from reconciliation.comparison.readiness import Condition
from reconciliation.figures import cutover
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_subscription_switches_at_its_first_period_start_on_or_after_the_date():
    service = factories.ServiceFactory(timezone="America/Toronto")
    customer = factories.CustomerFactory(service=service)
    monthly = factories.PlanFactory(service=service)
    yearly = factories.PlanFactory(service=service, interval="yearly")
    factories.SubscriptionFactory.create_batch(2, customer=customer, plan=monthly)
    factories.SubscriptionFactory(customer=customer, plan=yearly)
    factories.SubscriptionFactory(customer=customer, plan=monthly, terminated_at=factories.SEEN_AT)

    switches = cutover.read_switches(service=service, effective_date=date(2026, 11, 1))

    assert [(switch.starts_at, switch.subscriptions) for switch in switches] == [
        (datetime(2026, 11, 1, 4, tzinfo=UTC), 2),
        (datetime(2027, 1, 1, 5, tzinfo=UTC), 1),
    ]


def test_what_is_only_told_counts_neither_as_met_nor_as_missing():
    met, missing, told = (
        Condition(code, is_met, "", "", 0)
        for code, is_met in (("dual_run", True), ("no_alarms", False), ("older_deltas", True))
    )

    assert cutover.Card(factories.ServiceFactory(), None, (met, missing, told)).percent == 50


def test_only_a_service_in_its_dual_run_has_conditions():
    factories.ServiceFactory(phase="shadow")
    running = factories.ServiceFactory(phase="dual_run")

    cards = cutover.read_board()

    assert [card.service for card in cards if card.conditions] == [running]
    assert cards[0].service == running
    assert cards[0].unmet
