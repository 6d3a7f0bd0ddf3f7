"""Whoever switched is not billed by the service any more: a document that says so is an alarm."""

from datetime import UTC, datetime

import pytest

from ingest.models import Biller
from reconciliation.models import Alarm, AlarmKind
from tests import factories
from tests.reconciliation.sides import NOW, external, gone, judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    """A customer with one subscription."""
    return factories.SubscriptionFactory().customer


def switch(customer, starts_at):
    for subscription in customer.subscriptions.all():
        factories.BillerTermFactory(subscription=subscription, biller=Biller.ODOO, starts_at=starts_at)


def alarms():
    return Alarm.objects.filter(kind=AlarmKind.BILLED_AFTER_SWITCH, cleared_at=None)


def test_a_bill_for_a_period_that_odoo_bills_is_an_alarm_once(customer):
    switch(customer, factories.PERIOD_START)
    external(customer)
    for _ in range(2):
        judge(customer.service)
    alarm = alarms().get()
    assert str(customer) in alarm.message
    assert factories.PERIOD_LABEL in alarm.message


def test_it_is_cleared_when_the_document_goes(customer):
    switch(customer, factories.PERIOD_START)
    amount = external(customer)
    judge(customer.service)
    gone(amount)
    judge(customer.service)
    assert not alarms().exists()
    assert Alarm.objects.get().cleared_at is not None


def test_a_period_before_the_switch_is_run_off(customer):
    switch(customer, factories.PERIOD_END)
    external(customer)
    judge(customer.service)
    assert not alarms().exists()


def test_a_subscription_that_the_service_still_bills_explains_the_document(customer):
    switch(customer, factories.PERIOD_START)
    factories.SubscriptionFactory(customer=customer, started_at=datetime(2026, 3, 1, tzinfo=UTC))
    external(customer)
    judge(customer.service)
    assert not alarms().exists()


def test_a_credit_is_no_bill(customer):
    switch(customer, factories.PERIOD_START)
    external(customer, "-20.00")
    judge(customer.service, NOW)
    assert not alarms().exists()
