"""The queue, the selection of a period, and how fresh the sources are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from reconciliation.figures import freshness, queue
from reconciliation.figures.selection import read_periods
from reconciliation.models import Reconciliation
from tests import factories
from tests.reconciliation.figures.rows import choose, make_row, month

pytestmark = pytest.mark.django_db


def test_periods_come_oldest_first_and_only_the_newest_twelve():
    for number in range(1, 13):
        make_row(
            "1",
            "1",
            period_start=month(number),
            period_end=month(number) + timedelta(days=28),
            period_label=f"2026-{number:02}",
        )
    make_row("1", "1", period_start=datetime(2025, 12, 1, tzinfo=UTC), period_label="2025-12")

    assert read_periods() == tuple(f"2026-{number:02}" for number in range(1, 13))
    assert choose(period="2025-12").period == "2025-12"
    assert choose(period="").period == "2026-12"


def test_a_share_is_of_what_was_billed_and_nothing_billed_has_none():
    assert queue.share_of(make_row("95.00", "100.00")) == Decimal("-0.05")
    assert queue.share_of(make_row("5.00", "0.00")) is None
    assert queue.share_of(make_row(None, "5.00")) is None
    assert queue.share_of(make_row("-90.00", "-100.00")) == Decimal("0.1")


def test_only_an_open_row_has_an_age():
    assert queue.age_of(make_row("95.00", "100.00")) == 0
    assert queue.age_of(make_row("100.00", "100.00")) is None


@pytest.mark.parametrize("change", [{"version": 2}, {"reconciled_at": timezone.now()}])
def test_a_fingerprint_changes_when_a_row_does(change):
    row = make_row("95.00", "100.00")
    rows = Reconciliation.objects.all()
    before = queue.fingerprint(rows)
    assert queue.fingerprint(rows) == before

    Reconciliation.objects.filter(pk=row.pk).update(**change)

    assert queue.fingerprint(rows) != before


def test_work_goes_on_with_the_next_smaller_row_and_begins_again_at_the_largest():
    small, large = make_row("99.00", "100.00"), make_row("50.00", "100.00")
    twins = [make_row("90.00", "100.00") for _ in range(3)]

    way = [large]
    for _ in range(5):
        way.append(queue.read_next(way[-1], Reconciliation.objects.all()))

    assert way == [large, *reversed(twins), small, large]


def test_there_is_no_next_row_when_nothing_else_is_open():
    row = make_row("99.00", "100.00")
    make_row("100.00", "100.00")

    assert queue.read_next(row, Reconciliation.objects.all()) is None


def test_a_source_that_was_never_read_or_long_ago_is_stale():
    factories.UsageEventFactory(received_at=timezone.now())
    factories.SourceDocumentFactory(source="odoo_quotation", fetched_at=timezone.now() - timedelta(days=3))

    sources = {source.name: source for source in freshness.read_freshness()}

    assert not sources["Usage events"].is_stale
    assert sources["Odoo amounts"].is_stale
    assert sources["Odoo mirror"].is_stale
    assert sources["Odoo mirror"].seen_at is None


def test_the_mirror_is_as_old_as_the_kind_that_lags_behind_most():
    newer, older = timezone.now(), timezone.now() - timedelta(days=3)
    for completed_at, error in (
        (newer, ""),
        (older, ""),
        (None, "Odoo does not allow this user to do that."),
    ):
        factories.MirrorCursorFactory(completed_at=completed_at, error=error)

    assert freshness.read_freshness()[-1].seen_at == older
