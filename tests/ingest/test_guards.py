"""What the database refuses whatever the code does: each constraint by its name, and every change of evidence."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from ingest.models import AuditRecord, UsageEvent
from tests import factories
from tests.refusals import constraints_of, refused_by

pytestmark = pytest.mark.django_db

# What composite foreign keys point at: no row can violate these without violating the primary key first.
TARGETS = {"customer_of_service", "metric_of_service", "plan_of_service"}


def twice(factory, *names, **values):
    """Makes a row, and another that has the same of these."""
    row = factory(**values)
    factory(**{name: getattr(row, name) for name in names})


def overlap(first, second):
    """Two subscriptions under one external id, each from and to a day of 2026."""
    customer = factories.CustomerFactory()
    for start, end in (first, second):
        factories.SubscriptionFactory(
            customer=customer,
            external_id="s",
            started_at=datetime(2026, *start, tzinfo=UTC),
            terminated_at=end and datetime(2026, *end, tzinfo=UTC),
        )


PERIOD = {"period_end": factories.PERIOD_START}
WRONG = {
    "service_phase_is_known": lambda: factories.ServiceFactory(phase="sunset"),
    "service_needs_a_clean_period": lambda: factories.ServiceFactory(required_clean_periods=0),
    "service_company_is_an_id": lambda: factories.ServiceFactory(odoo_company_id=0),
    "service_batch_is_bounded": lambda: factories.ServiceFactory(events_batch_max=0),
    "resend_once_per_key_and_day": lambda: twice(factories.ResendFactory, "key", "day"),
    "api_key_digest_is_sha256": lambda: factories.ApiKeyFactory(digest="bc_the_key_itself"),
    "api_key_scopes_are_known": lambda: factories.ApiKeyFactory(scopes=["ingest", "admin"]),
    "api_key_rate_limit_lets_one_through": lambda: factories.ApiKeyFactory(rate_limit=0),
    "lago_id_once": lambda: twice(factories.LagoIdFactory, "service", "kind", "lago_id"),
    "lago_id_kind_is_known": lambda: factories.LagoIdFactory(kind="coupon"),
    "metric_once_per_service": lambda: twice(factories.MetricFactory, "service", "code"),
    "metric_aggregation_is_known": lambda: factories.MetricFactory(aggregation="median"),
    "metric_has_its_field": lambda: factories.MetricFactory(field_name=""),
    "metric_can_recur": lambda: factories.MetricFactory(aggregation="max_agg", is_recurring=True),
    "metric_rounding_is_known": lambda: factories.MetricFactory(rounding_function="up"),
    "metric_expression_has_its_field": lambda: factories.MetricFactory(
        aggregation="count_agg", field_name="", expression="1"
    ),
    "service_late_usage_policy_is_known": lambda: factories.ServiceFactory(late_usage_policy="forget"),
    "plan_version_once": lambda: twice(factories.PlanVersionFactory, "plan", "number"),
    "charge_version_once": lambda: twice(factories.ChargeVersionFactory, "charge", "number"),
    "charge_minimum_is_not_negative": lambda: factories.ChargeFactory(min_amount=Decimal(-1)),
    "plan_once_per_service": lambda: twice(factories.PlanFactory, "service", "code"),
    "plan_interval_is_known": lambda: factories.PlanFactory(interval="daily"),
    "plan_amount_is_not_negative": lambda: factories.PlanFactory(amount=Decimal("-0.01")),
    "plan_currency_is_iso": lambda: factories.PlanFactory(currency="cad"),
    "charge_code_once_per_plan": lambda: twice(factories.ChargeFactory, "plan", "code", code="seats"),
    "charge_model_is_known": lambda: factories.ChargeFactory(model="free"),
    "customer_once_per_service": lambda: twice(factories.CustomerFactory, "service", "external_id"),
    "customer_has_an_external_id": lambda: factories.CustomerFactory(external_id=""),
    "customer_currency_is_iso": lambda: factories.CustomerFactory(currency="cad"),
    "event_counts_once": lambda: twice(
        factories.UsageEventFactory, "service", "external_subscription_id", "transaction_id"
    ),
    "subscription_one_at_a_time": lambda: overlap([(1, 1), (9, 2)], [(9, 1), None]),
    "subscription_is_canceled_before_it_starts": lambda: factories.SubscriptionFactory(
        canceled_at=datetime(2026, 1, 2, tzinfo=UTC)
    ),
    "subscription_ends_after_it_starts": lambda: overlap([(1, 1), (1, 1)], [(2, 1), None]),
    "subscription_billing_time_is_known": lambda: factories.SubscriptionFactory(billing_time="lunar"),
    "subscription_has_an_external_id": lambda: factories.SubscriptionFactory(external_id=""),
    "biller_once_per_start": lambda: twice(factories.BillerTermFactory, "subscription", "starts_at"),
    "biller_is_known": lambda: factories.BillerTermFactory(biller="stripe"),
    "rated_period_once": lambda: twice(factories.RatedPeriodFactory, "service", "period_label"),
    "usage_once_per_period": lambda: twice(factories.UsageFactory, "subscription", "charge"),
    "usage_period_is_not_empty": lambda: factories.UsageFactory(**PERIOD),
    "fee_once_per_charge_and_period": lambda: twice(factories.FeeFactory, "subscription", "charge"),
    "fee_of_usage_has_its_charge": lambda: factories.FeeFactory(charge=None),
    "fee_period_is_not_empty": lambda: factories.FeeFactory(**PERIOD),
    "fee_is_not_negative": lambda: factories.FeeFactory(amount=Decimal("-0.01")),
    "fee_of_late_usage_names_its_fee": lambda: factories.FeeFactory(kind="late"),
    "alert_code_once_per_subscription": lambda: factories.UsageAlertFactory(
        service=factories.UsageAlertFactory(code="a").service, code="a", alert_type="lifetime_usage_amount"
    ),
    "alert_type_once_per_subscription": lambda: twice(factories.UsageAlertFactory, "service"),
    "alert_metric_once_per_subscription": lambda: twice(
        factories.UsageAlertFactory,
        "service",
        "metric",
        "alert_type",
        alert_type="billable_metric_current_usage_units",
        metric=factories.MetricFactory(),
    ),
    "alert_has_its_metric": lambda: factories.UsageAlertFactory(
        alert_type="billable_metric_current_usage_units"
    ),
    "late_usage_settled_once": lambda: twice(factories.LateSettlementFactory, "fee"),
    "late_settlement_policy_is_known": lambda: factories.LateSettlementFactory(policy="forget"),
    "late_settlement_outcome_is_known": lambda: factories.LateSettlementFactory(outcome="forgotten"),
    "late_settlement_follows_its_policy": lambda: factories.LateSettlementFactory(policy="report"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_database_refuses_the_wrong_state(name):
    with refused_by(name):
        WRONG[name]()


def test_no_constraint_goes_unproven():
    assert WRONG.keys() - {"subscription_one_at_a_time"} == constraints_of("ingest") - TARGETS


def test_a_plan_has_one_fee_per_period_although_it_has_no_charge():
    fee = factories.FeeFactory(charge=None, kind="plan")
    with refused_by("fee_once_per_charge_and_period"):
        factories.FeeFactory(subscription=fee.subscription, charge=None, kind="plan")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([(1, 1), (9, 1)], [(9, 1), None]),
        ([(9, 1), None], [(1, 1), (9, 1)]),
        ([(1, 1), (3, 1)], [(5, 1), (7, 1)]),
    ],
)
def test_subscriptions_may_follow_one_another_under_one_external_id(first, second):
    overlap(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([(1, 1), (9, 2)], [(9, 1), (12, 1)]),
        ([(3, 1), (4, 1)], [(1, 1), (9, 1)]),
        ([(3, 1), None], [(1, 1), (9, 1)]),
        ([(1, 1), None], [(9, 1), None]),
        ([(1, 1), (2, 1)], [(1, 1), None]),
    ],
)
def test_an_event_never_belongs_to_two_subscriptions_at_once(first, second):
    with refused_by("subscription_one_at_a_time"):
        overlap(first, second)


def test_a_canceled_subscription_is_in_nobodys_way():
    customer, start = factories.CustomerFactory(), datetime(2026, 9, 1, tzinfo=UTC)
    for canceled_at in (start, start, None):
        factories.SubscriptionFactory(
            customer=customer, external_id="s", started_at=start, canceled_at=canceled_at
        )
    with refused_by("subscription_one_at_a_time"):
        factories.SubscriptionFactory(customer=customer, external_id="s", started_at=start)


@pytest.mark.parametrize(
    ("constraint", "make"),
    [
        (
            "ingest_subscription_customer_id_of_service",
            lambda other: factories.SubscriptionFactory(service=other, plan__service=other),
        ),
        (
            "ingest_subscription_plan_id_of_service",
            lambda other: factories.SubscriptionFactory(plan__service=other),
        ),
        ("ingest_charge_plan_id_of_service", lambda other: factories.ChargeFactory(service=other)),
        ("ingest_charge_metric_id_of_service", lambda other: factories.ChargeFactory(metric__service=other)),
    ],
)
def test_nothing_of_one_service_hangs_on_another(constraint, make):
    with refused_by(constraint):
        make(factories.ServiceFactory())


class TestAppendOnly:
    @pytest.mark.parametrize("factory", [factories.UsageEventFactory, factories.AuditRecordFactory])
    @pytest.mark.parametrize(
        "change",
        [
            lambda rows: rows.update(public_id="6f2a91d6-5b5c-4e3e-8a52-2f6f7f3f0a10"),
            lambda rows: rows._raw_delete("default"),
            lambda rows: rows.delete(),
        ],
        ids=["update", "raw delete", "delete"],
    )
    def test_evidence_is_neither_changed_nor_deleted(self, factory, change):
        row = factory()
        rows = type(row).objects.filter(pk=row.pk)
        before = rows.values().get()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change(rows)
        assert rows.values().get() == before

    def test_saving_an_event_again_is_refused_too(self):
        event = factories.UsageEventFactory()
        event.quantity = Decimal(99)
        with pytest.raises(IntegrityError, match="ingest_usageevent is append-only"), transaction.atomic():
            event.save()

    def test_events_and_audit_records_can_still_be_added(self):
        factories.UsageEventFactory()
        factories.AuditRecordFactory()
        assert (UsageEvent.objects.count(), AuditRecord.objects.count()) == (1, 1)


class TestEventsCountOnce:
    def test_the_same_transaction_of_another_subscription_or_service_is_another_event(self):
        event = factories.UsageEventFactory()
        factories.UsageEventFactory(
            service=event.service, transaction_id=event.transaction_id, external_subscription_id="b"
        )
        factories.UsageEventFactory(transaction_id=event.transaction_id)
        assert UsageEvent.objects.count() == 3

    def test_events_without_a_subscription_never_collide(self):
        service = factories.ServiceFactory()
        for _ in range(2):
            factories.UsageEventFactory(service=service, external_subscription_id=None, transaction_id="t")
        assert UsageEvent.objects.count() == 2


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ('"5"', "5"),
        ("5", "5"),
        ("5e3", "5000"),
        ('"5e3"', None),
        ('"٥"', None),
        ('"5\\n"', None),
        ('" 5"', None),
        ("null", None),
        ("true", None),
        ('"' + "9" * 1001 + '"', None),
    ],
)
def test_the_database_reads_a_number_as_the_pure_room_does(value, number):
    with connection.cursor() as cursor:
        cursor.execute("SELECT numeric_property(%s::jsonb, 'value')", ['{"value": ' + value + "}"])
        assert cursor.fetchone()[0] == (number and Decimal(number))
