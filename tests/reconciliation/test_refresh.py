"""Runs for chosen rows."""

from datetime import UTC, datetime

import pytest

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation.models import Run, RunKind
from reconciliation.refresh import request_for
from tests import factories

pytestmark = pytest.mark.django_db


def test_rows_of_one_service_and_period_share_a_run_with_each_customer_once(finance):
    row = factories.ReconciliationFactory()
    in_dollars = factories.ReconciliationFactory(customer=row.customer, currency="USD")
    later = factories.ReconciliationFactory(
        customer=row.customer,
        period_label="2026-10",
        period_start=factories.PERIOD_END,
        period_end=datetime(2026, 11, 1, tzinfo=UTC),
    )

    runs = request_for(rows=[row, in_dollars, later], kind=RunKind.REFRESH, actor=finance)

    assert [(run.period_label, run.parameters) for run in runs] == [
        ("2026-09", {"customers": [row.customer_id]}),
        ("2026-10", {"customers": [row.customer_id]}),
    ]
    assert AuditRecord.objects.filter(actor=finance).count() == 2


def test_no_rows_are_refused(finance):
    with pytest.raises(DomainError) as refusal:
        request_for(rows=[], kind=RunKind.REFRESH, actor=finance)

    assert refusal.value.code == "nothing_chosen"


def test_who_may_not_push_queues_nothing(auditor):
    with pytest.raises(DomainError) as refusal:
        request_for(rows=[factories.ReconciliationFactory()], kind=RunKind.REFRESH, actor=auditor)

    assert refusal.value.code == "permission_denied"
    assert not Run.objects.exists()
    assert not AuditRecord.objects.exists()
