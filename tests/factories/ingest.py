"""Factories of what services sell and what was used."""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from django.contrib.auth import get_user_model
from factory.django import DjangoModelFactory

from ingest import models as ingest
from tests.factories.base import PERIOD_END, PERIOD_LABEL, SEEN_AT, PeriodFactory, make_digest
from tests.repricing import PRICE, reprice, reprice_plan


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda n: f"person{n}")
    is_staff = True


# --- ingest ------------------------------------------------------------------------------------------------


class ServiceFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Service

    code = factory.Sequence(lambda n: f"service{n}")
    name = factory.Sequence(lambda n: f"Service {n}")
    phase = ingest.Phase.DUAL_RUN


class ApiKeyFactory(DjangoModelFactory):
    class Meta:
        model = ingest.ApiKey

    service = factory.SubFactory(ServiceFactory)
    name = "production"
    prefix = "bc_4f2a91"
    digest = factory.Sequence(make_digest)


class RateWindowFactory(DjangoModelFactory):
    class Meta:
        model = ingest.RateWindow

    key = factory.SubFactory(ApiKeyFactory, rate_limit=100)
    started_at = SEEN_AT
    used = 1


class ResendFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Resend

    key = factory.SubFactory(ApiKeyFactory)
    day = SEEN_AT.date()
    refused = 1


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Customer

    service = factory.SubFactory(ServiceFactory)
    external_id = factory.Sequence(lambda n: f"cust-{n}")
    name = factory.Sequence(lambda n: f"Customer {n}")
    odoo_partner_id = factory.Sequence(lambda n: 1000 + n)


class LagoIdFactory(DjangoModelFactory):
    class Meta:
        model = ingest.LagoId

    service = factory.SubFactory(ServiceFactory)
    kind = ingest.LagoKind.CUSTOMER
    lago_id = factory.Faker("uuid4")
    public_id = factory.Faker("uuid4")


class MetricFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Metric

    service = factory.SubFactory(ServiceFactory)
    code = factory.Sequence(lambda n: f"metric_{n}")
    name = factory.Sequence(lambda n: f"Metric {n}")
    aggregation = ingest.Aggregation.SUM
    field_name = "value"


class PlanFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Plan

    service = factory.SubFactory(ServiceFactory)
    code = factory.Sequence(lambda n: f"plan_{n}")
    name = factory.Sequence(lambda n: f"Plan {n}")
    currency = "CAD"
    odoo_product_id = 11

    @classmethod
    def _create(cls, model_class, *args, amount=Decimal("99.00"), **values):
        """A plan and what it costs: its first version."""
        plan = super()._create(model_class, *args, **values)
        reprice_plan(plan, amount=amount)
        return plan


class ChargeFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Charge

    plan = factory.SubFactory(PlanFactory)
    service = factory.SelfAttribute("plan.service")
    metric = factory.SubFactory(MetricFactory, service=factory.SelfAttribute("..service"))
    odoo_product_id = 12

    @classmethod
    def _create(cls, model_class, *args, **values):
        """A charge and how it is priced: its first version."""
        price = {name: values.pop(name) for name in PRICE if name in values}
        charge = super()._create(model_class, *args, **values)
        reprice(charge, **price)
        return charge


class PlanVersionFactory(DjangoModelFactory):
    class Meta:
        model = ingest.PlanVersion

    plan = factory.SubFactory(PlanFactory)
    number = factory.Sequence(lambda n: n + 2)


class ChargeVersionFactory(DjangoModelFactory):
    class Meta:
        model = ingest.ChargeVersion

    charge = factory.SubFactory(ChargeFactory)
    number = factory.Sequence(lambda n: n + 2)
    model = ingest.ChargeModel.STANDARD
    properties = factory.LazyFunction(lambda: {"amount": "0.05"})


class SubscriptionFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Subscription

    customer = factory.SubFactory(CustomerFactory)
    service = factory.SelfAttribute("customer.service")
    plan = factory.SubFactory(PlanFactory, service=factory.SelfAttribute("..service"))
    external_id = factory.Sequence(lambda n: f"sub-{n}")
    started_at = datetime(2026, 1, 1, tzinfo=UTC)


class BillerTermFactory(DjangoModelFactory):
    class Meta:
        model = ingest.BillerTerm

    subscription = factory.SubFactory(SubscriptionFactory)
    biller = ingest.Biller.ODOO
    starts_at = PERIOD_END


class UsageEventFactory(DjangoModelFactory):
    class Meta:
        model = ingest.UsageEvent

    service = factory.SubFactory(ServiceFactory)
    external_subscription_id = "sub-1"
    transaction_id = factory.Sequence(lambda n: f"event-{n}")
    code = "metric_1"
    timestamp = datetime(2026, 9, 10, 8, tzinfo=UTC)
    properties = factory.LazyFunction(lambda: {"value": "2.5"})
    quantity = Decimal("2.5")
    received_at = factory.SelfAttribute("timestamp")


class RatedPeriodFactory(DjangoModelFactory):
    class Meta:
        model = ingest.RatedPeriod

    service = factory.SubFactory(ServiceFactory)
    period_label = PERIOD_LABEL
    rated_at = SEEN_AT


class UsageFactory(PeriodFactory):
    class Meta:
        model = ingest.Usage

    subscription = factory.SubFactory(SubscriptionFactory)
    charge = factory.SubFactory(ChargeFactory, plan=factory.SelfAttribute("..subscription.plan"))
    quantity = Decimal("1200.5")
    events_count = 42
    computed_at = SEEN_AT


class FeeFactory(PeriodFactory):
    """A fee of usage; `kind="plan", charge=None` makes a plan's base amount."""

    class Meta:
        model = ingest.Fee

    subscription = factory.SubFactory(SubscriptionFactory)
    kind = ingest.FeeKind.USAGE
    charge = factory.SubFactory(ChargeFactory, plan=factory.SelfAttribute("..subscription.plan"))
    currency = "CAD"
    quantity = Decimal("1200.5")
    events_count = 42
    exact_amount = Decimal("60.025")
    amount = Decimal("60.03")
    rated_at = SEEN_AT


class LateSettlementFactory(DjangoModelFactory):
    """A late amount that was carried into the period after its own."""

    class Meta:
        model = ingest.LateSettlement

    fee = factory.SubFactory(FeeFactory)
    period_start = PERIOD_END
    period_end = datetime(2026, 11, 1, tzinfo=UTC)
    period_label = "2026-10"
    policy = ingest.LateUsagePolicy.NEXT_PERIOD
    outcome = ingest.LateOutcome.CARRIED
    amount = Decimal("2.00")
    settled_at = SEEN_AT


class AuditRecordFactory(DjangoModelFactory):
    class Meta:
        model = ingest.AuditRecord

    actor = factory.SubFactory(UserFactory)
    actor_label = factory.SelfAttribute("actor.username")
    action = "reconciliation.resolved"
    object_type = "reconciliation.reconciliation"
    object_id = factory.Sequence(str)
    object_label = "a row"


# --- reconciliation ----------------------------------------------------------------------------------------


class UsageAlertFactory(DjangoModelFactory):
    class Meta:
        model = ingest.UsageAlert

    service = factory.SubFactory(ServiceFactory)
    external_subscription_id = "sub-1"
    code = factory.Sequence(lambda n: f"alert-{n}")
    alert_type = ingest.AlertType.CURRENT_AMOUNT
    thresholds = factory.LazyFunction(lambda: [{"code": None, "value": "1000", "recurring": False}])


class TriggeredAlertFactory(DjangoModelFactory):
    class Meta:
        model = ingest.TriggeredAlert

    subscription = factory.SubFactory(SubscriptionFactory)
    alert = factory.SubFactory(UsageAlertFactory, service=factory.SelfAttribute("..subscription.service"))
    current_value = 1200
    previous_value = 900
    crossed_thresholds = factory.LazyFunction(lambda: [{"code": None, "value": "1000", "recurring": False}])
    triggered_at = SEEN_AT
