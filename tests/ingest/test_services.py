"""The one lock on a service: work takes turns, and the intake never waits for it."""

from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from ingest.models import Service
from ingest.services import lock_service
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked_elsewhere(service):
    """Another worker holds the service while the block lasts."""
    is_held, may_end = Event(), Event()

    def hold():
        with transaction.atomic():
            lock_service(service.pk)
            is_held.set()
            may_end.wait(10)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert is_held.wait(5)
    try:
        yield may_end
    finally:
        may_end.set()
        thread.join(5)


def test_events_and_audit_records_are_stored_while_a_worker_holds_the_service():
    service = factories.ServiceFactory()
    with locked_elsewhere(service), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
        factories.UsageEventFactory(service=service)
        factories.AuditRecordFactory(service=service)
        cursor.execute("RESET lock_timeout")
    assert service.events.count() == 1


def test_a_second_worker_waits_for_the_first_and_sees_what_it_left():
    service, seen = factories.ServiceFactory(), []

    def work():
        with transaction.atomic():
            seen.append(lock_service(service.pk).name)
        connection.close()

    second = Thread(target=work)
    with locked_elsewhere(service) as may_end:
        second.start()
        second.join(0.3)
        assert second.is_alive()
        may_end.set()
        second.join(5)
    assert seen == [service.name]


def test_outside_a_transaction_there_is_nothing_to_hold_it():
    service = factories.ServiceFactory()
    with pytest.raises(transaction.TransactionManagementError):
        lock_service(service.pk)
    assert Service.objects.get() == service
