"""One factory per model: the smallest row that the constraints accept, for September 2026 in CAD."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal

import factory
from django.contrib.auth import get_user_model
from factory.django import DjangoModelFactory

from ingest import models as ingest
from reconciliation import models as reconciliation
from tests.odoo_factories import (  # noqa: F401 - every factory is found here
    OdooFiscalPositionFactory,
    OdooInvoiceFactory,
    OdooOrderFactory,
    OdooPartnerFactory,
    OdooPricelistFactory,
    OdooProductFactory,
    OdooTaxFactory,
)

PERIOD_START = datetime(2026, 9, 1, tzinfo=UTC)
PERIOD_END = datetime(2026, 10, 1, tzinfo=UTC)
PERIOD_LABEL = "2026-09"
SEEN_AT = datetime(2026, 10, 3, 12, tzinfo=UTC)


def make_digest(text):
    """The SHA-256 of a text, as the digest columns hold it."""
    return hashlib.sha256(str(text).encode()).hexdigest()


class PeriodFactory(DjangoModelFactory):
    """The base of rows that belong to a period."""

    class Meta:
        abstract = True

    period_start = PERIOD_START
    period_end = PERIOD_END
    period_label = PERIOD_LABEL


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


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Customer

    service = factory.SubFactory(ServiceFactory)
    external_id = factory.Sequence(lambda n: f"cust-{n}")
    name = factory.Sequence(lambda n: f"Customer {n}")
    odoo_partner_id = factory.Sequence(lambda n: 1000 + n)


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
    amount = Decimal("99.00")
    currency = "CAD"
    odoo_product_id = 11


class ChargeFactory(DjangoModelFactory):
    class Meta:
        model = ingest.Charge

    plan = factory.SubFactory(PlanFactory)
    service = factory.SelfAttribute("plan.service")
    metric = factory.SubFactory(MetricFactory, service=factory.SelfAttribute("..service"))
    model = ingest.ChargeModel.STANDARD
    properties = factory.LazyFunction(lambda: {"amount": "0.05"})
    odoo_product_id = 12


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


class UsageFactory(PeriodFactory):
    class Meta:
        model = ingest.Usage

    subscription = factory.SubFactory(SubscriptionFactory)
    metric = factory.SubFactory(MetricFactory, service=factory.SelfAttribute("..subscription.service"))
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


class RunFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.Run

    kind = reconciliation.RunKind.RECONCILE
    service = factory.SubFactory(ServiceFactory)
    period_label = PERIOD_LABEL


class SourceDocumentFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.SourceDocument

    service = factory.SubFactory(ServiceFactory)
    source = reconciliation.Source.FILE
    reference = factory.Sequence(lambda n: f"amounts-{n}.csv")
    digest = factory.LazyAttribute(lambda row: make_digest(row.reference))
    content = factory.LazyFunction(lambda: {"rows": []})
    fetched_at = SEEN_AT


class AmountFactory(PeriodFactory):
    class Meta:
        model = reconciliation.Amount

    customer = factory.SubFactory(CustomerFactory)
    service = factory.SelfAttribute("customer.service")
    document = factory.SubFactory(SourceDocumentFactory, service=factory.SelfAttribute("..service"))
    side = reconciliation.Side.EXTERNAL
    currency = "CAD"
    untaxed = Decimal("100.00")
    fetched_at = SEEN_AT


class AmountLineFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.AmountLine

    amount = factory.SubFactory(AmountFactory)
    position = factory.Sequence(lambda n: n)
    code = "metric_1"
    description = "Requests"
    untaxed = Decimal("100.00")


class ReconciliationFactory(PeriodFactory):
    """A compared row on the untaxed basis; everything follows `odoo_untaxed` and `external_untaxed`."""

    class Meta:
        model = reconciliation.Reconciliation

    customer = factory.SubFactory(CustomerFactory)
    service = factory.SelfAttribute("customer.service")
    currency = "CAD"
    basis = reconciliation.Basis.UNTAXED
    odoo_untaxed = Decimal("100.00")
    external_untaxed = Decimal("100.00")
    odoo_amount = factory.SelfAttribute("odoo_untaxed")
    external_amount = factory.SelfAttribute("external_untaxed")
    tolerance = Decimal("0.01")
    reconciled_at = SEEN_AT

    @factory.lazy_attribute
    def delta(self):
        if self.odoo_amount is None or self.external_amount is None:
            return None
        return self.odoo_amount - self.external_amount

    @factory.lazy_attribute
    def outcome(self):
        if self.odoo_amount is None:
            return reconciliation.Outcome.MISSING_ODOO
        if self.external_amount is None:
            return reconciliation.Outcome.MISSING_EXTERNAL
        return reconciliation.Outcome.COMPARED

    @factory.lazy_attribute
    def status(self):
        is_match = self.outcome == reconciliation.Outcome.COMPARED and abs(self.delta) <= self.tolerance
        return reconciliation.Status.MATCH if is_match else reconciliation.Status.DELTA


class ToleranceFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.Tolerance

    service = factory.SubFactory(ServiceFactory)
    currency = "CAD"


class PushFactory(PeriodFactory):
    class Meta:
        model = reconciliation.Push

    customer = factory.SubFactory(CustomerFactory)
    service = factory.SelfAttribute("customer.service")
    currency = "CAD"
    key = factory.Sequence(lambda n: f"shadow_{n}")
    payload = factory.LazyFunction(lambda: {"usage_lines": []})
    digest = factory.LazyAttribute(lambda row: make_digest(row.key))
    next_attempt_at = SEEN_AT


class CutoverRequestFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.CutoverRequest

    service = factory.SubFactory(ServiceFactory)
    effective_date = date(2027, 1, 1)
    comment = "Two clean periods."
    requested_by = factory.SubFactory(UserFactory)
    readiness = factory.LazyFunction(lambda: {"conditions": []})
    evidence_digest = factory.Sequence(make_digest)


class WebhookEndpointFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.WebhookEndpoint

    service = factory.SubFactory(ServiceFactory)
    url = factory.Sequence(lambda n: f"https://service.example/webhooks/{n}")
    secret = b"sealed"


class DeliveryFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.Delivery

    endpoint = factory.SubFactory(WebhookEndpointFactory)
    webhook_type = "cutover.approved"
    body = '{"webhook_type":"cutover.approved"}'
    next_attempt_at = SEEN_AT


class AlarmFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.Alarm

    kind = reconciliation.AlarmKind.QUOTATION_NOT_DRAFT
    service = factory.SubFactory(ServiceFactory)
    reference = factory.Sequence(lambda n: f"S{n:05}")
    message = "Quotation S00001 was confirmed by hand."
