"""A service's configuration, changed by function."""

import pytest
from django.core.exceptions import ValidationError

from ingest.configuration import configure
from ingest.errors import DomainError
from ingest.models import AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db


def test_what_changes_is_kept_told_and_audited(operator):
    service = factories.ServiceFactory(grace_hours=24)

    changed = configure(service=service, values={"grace_hours": 48, "timezone": "UTC"}, actor=operator)

    assert changed == ["grace_hours"]
    service.refresh_from_db()
    assert service.grace_hours == 48
    record = AuditRecord.objects.get()
    assert (record.before, record.after) == ({"grace_hours": 24}, {"grace_hours": 48})
    assert [version.grace_hours for version in service.history.all()] == [48, 24]


def test_the_same_values_again_write_no_record(operator):
    service = factories.ServiceFactory()

    assert configure(service=service, values={"name": service.name}, actor=operator) == []
    assert not AuditRecord.objects.exists()


def test_who_may_not_configure_is_refused(finance):
    service = factories.ServiceFactory(grace_hours=24)

    with pytest.raises(DomainError) as refusal:
        configure(service=service, values={"grace_hours": 1}, actor=finance)

    assert refusal.value.code == "permission_denied"
    service.refresh_from_db()
    assert service.grace_hours == 24


def test_a_wrong_value_changes_nothing(operator):
    service = factories.ServiceFactory(grace_hours=24)

    with pytest.raises(ValidationError):
        configure(service=service, values={"grace_hours": 1, "timezone": "Mars/Base"}, actor=operator)

    service.refresh_from_db()
    assert (service.grace_hours, service.timezone) == (24, "UTC")
    assert not AuditRecord.objects.exists()


def test_a_phase_is_no_configuration(operator):
    with pytest.raises(KeyError):
        configure(service=factories.ServiceFactory(), values={"phase": "live"}, actor=operator)
