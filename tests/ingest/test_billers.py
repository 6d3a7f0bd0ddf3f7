"""Who bills a period: one answer for every start, one row per switch, each switch on the record."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ingest.billers import BILLER_OF_FEE, BillerBook, billed_by, biller_of, switch_biller
from ingest.models import AuditRecord, Biller, BillerTerm, Fee
from tests import factories

pytestmark = pytest.mark.django_db

OCTOBER = factories.PERIOD_END
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
ODOO, SERVICE = Biller.ODOO, Biller.SERVICE


def switch(subscription, starts_at, biller=ODOO, actor=None):
    return switch_biller(
        switches=[(subscription, starts_at)], biller=biller, actor=actor, reason="The cutover was approved."
    )


def terms(subscription):
    return list(subscription.biller_terms.order_by("starts_at").values_list("biller", "starts_at"))


class TestTheAnswer:
    def test_before_its_first_term_the_service_bills(self):
        subscription = factories.SubscriptionFactory()
        assert biller_of(subscription=subscription, period_start=OCTOBER) == SERVICE
        switch(subscription, OCTOBER)
        assert biller_of(subscription=subscription, period_start=OCTOBER - timedelta.resolution) == SERVICE
        assert biller_of(subscription=subscription, period_start=OCTOBER) == ODOO

    def test_many_subscriptions_are_answered_by_the_same_rule_in_one_query(self):
        switched, other = factories.SubscriptionFactory(), factories.SubscriptionFactory()
        switch(switched, OCTOBER)
        switch(switched, DECEMBER, SERVICE)
        with CaptureQueriesContext(connection) as queries:
            book = BillerBook([switched.pk, other.pk])
        assert len(queries) == 1
        for subscription in (switched, other):
            for start in (OCTOBER - timedelta.resolution, OCTOBER, NOVEMBER, DECEMBER):
                answer = book.find(subscription_id=subscription.pk, period_start=start)
                assert answer == biller_of(subscription=subscription, period_start=start)

    def test_fees_are_told_apart_by_the_same_rule(self):
        subscription = factories.SubscriptionFactory()
        for starts_at, biller in ((OCTOBER, ODOO), (DECEMBER, SERVICE)):
            switch(subscription, starts_at, biller)
        starts = [factories.PERIOD_START, OCTOBER, NOVEMBER, DECEMBER]
        for start in starts:
            factories.FeeFactory(
                subscription=subscription,
                charge=None,
                kind="plan",
                period_start=start,
                period_end=start + timedelta(days=28),
            )
        expected = {start: biller_of(subscription=subscription, period_start=start) for start in starts}
        assert list(expected.values()) == [SERVICE, ODOO, ODOO, SERVICE]
        for biller in Biller:
            billed = set(billed_by(biller, Fee.objects.all()).values_list("period_start", flat=True))
            assert billed == {start for start in starts if expected[start] == biller}
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT fee.period_start, {BILLER_OF_FEE} FROM ingest_fee AS fee")
            assert dict(cursor.fetchall()) == expected

    def test_the_database_knows_no_third_biller_and_no_second_answer(self):
        term = factories.BillerTermFactory()
        for values in ({"biller": "stripe", "starts_at": DECEMBER}, {"starts_at": term.starts_at}):
            with pytest.raises(IntegrityError), transaction.atomic():
                factories.BillerTermFactory(subscription=term.subscription, **values)


class TestSwitching:
    def test_a_switch_is_one_term_and_one_record_of_who_and_why(self, manager):
        subscription = factories.SubscriptionFactory()
        assert switch(subscription, OCTOBER, actor=manager) == 1
        assert terms(subscription) == [(ODOO, OCTOBER)]
        record = AuditRecord.objects.get()
        assert (record.actor, record.action) == (manager, "subscription.switch_biller")
        assert (record.object_id, record.service) == (str(subscription.public_id), subscription.service)
        assert record.before == {"terms": []}
        assert record.after == {"terms": [{"biller": "odoo", "from": OCTOBER.isoformat()}]}
        assert record.reason == "The cutover was approved."

    def test_the_same_switch_again_changes_nothing(self):
        subscription = factories.SubscriptionFactory()
        switch(subscription, OCTOBER)
        before = list(BillerTerm.objects.values())
        assert switch(subscription, OCTOBER) == 0
        assert list(BillerTerm.objects.values()) == before
        assert AuditRecord.objects.count() == 1

    def test_a_term_that_never_came_into_force_is_replaced_and_stays_on_the_record(self):
        subscription = factories.SubscriptionFactory()
        switch(subscription, NOVEMBER)
        assert switch(subscription, OCTOBER, SERVICE) == 1
        assert terms(subscription) == []
        assert AuditRecord.objects.first().before["terms"] == [
            {"biller": "odoo", "from": NOVEMBER.isoformat()}
        ]

    def test_a_term_in_force_stays_when_the_service_takes_over_again(self):
        subscription = factories.SubscriptionFactory()
        switch(subscription, OCTOBER)
        switch(subscription, DECEMBER, SERVICE)
        assert terms(subscription) == [(ODOO, OCTOBER), (SERVICE, DECEMBER)]
        assert switch(subscription, DECEMBER, ODOO) == 1
        assert terms(subscription) == [(ODOO, OCTOBER)]

    def test_giving_a_subscription_to_whoever_has_it_changes_nothing(self):
        subscription = factories.SubscriptionFactory()
        assert switch(subscription, OCTOBER, SERVICE) == 0
        assert not AuditRecord.objects.exists()

    def test_the_number_of_statements_does_not_grow_with_the_subscriptions(self):
        def switch_many(count):
            subscriptions = factories.SubscriptionFactory.create_batch(count)
            with CaptureQueriesContext(connection) as queries:
                switches = [(subscription, OCTOBER) for subscription in subscriptions]
                assert switch_biller(switches=switches, biller=ODOO, actor=None, reason="") == count
            return len(queries)

        assert switch_many(20) == switch_many(2)
