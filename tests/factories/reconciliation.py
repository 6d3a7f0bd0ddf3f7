"""Factories of both sides' amounts and of what people decide."""

import uuid
from datetime import date
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from reconciliation import models as reconciliation
from reconciliation.secrets import encrypt
from tests.factories.base import PERIOD_LABEL, SEEN_AT, PeriodFactory, make_digest
from tests.factories.ingest import CustomerFactory, ServiceFactory, UserFactory


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


class SigningKeyFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.SigningKey

    purpose = factory.Sequence(lambda n: f"purpose-{n}")
    private_key = b"sealed"
    public_key = "-----BEGIN PUBLIC KEY-----"


class EventReportFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.EventReport

    service = factory.SubFactory(ServiceFactory)
    reported_until = SEEN_AT


class FactReportFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.FactReport

    service = factory.SubFactory(ServiceFactory)
    told_until = SEEN_AT


class ToldFactFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.ToldFact

    service = factory.SubFactory(ServiceFactory)
    webhook_type = "customer.created"
    key = factory.LazyFunction(uuid.uuid4)
    told_at = SEEN_AT


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


class OdooConnectionFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.OdooConnection

    name = factory.Sequence(lambda n: f"Odoo {n}")
    url = "https://odoo.example.com"
    database = "odoo19"
    login = "console"
    secret = factory.LazyFunction(lambda: encrypt("a-key-that-must-not-show"))


class ServiceConnectionFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.ServiceConnection

    service = factory.SubFactory(ServiceFactory)
    connection = factory.SubFactory(OdooConnectionFactory)


class ConnectionCheckFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.ConnectionCheck

    connection = factory.SubFactory(OdooConnectionFactory)
    version = "19.0"
    transport = "jsonrpc"
    lines = factory.LazyFunction(
        lambda: [
            {"code": "version", "title": "The server", "level": "ok", "message": "Odoo 19.0.", "advice": ""},
            {"code": "rights", "title": "Rights", "level": "failed", "message": "Too few.", "advice": "Ask."},
        ]
    )
    is_passed = False


class AmountStrategyFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.AmountStrategy

    service = factory.SubFactory(ServiceFactory)
    strategy = reconciliation.Strategy.INVOICE
    chosen_at = SEEN_AT


class UnattributedLineFactory(DjangoModelFactory):
    """A line of 100.00 that waits for a person."""

    class Meta:
        model = reconciliation.UnattributedLine

    service = factory.SubFactory(ServiceFactory)
    strategy = reconciliation.Strategy.INVOICE
    odoo_id = factory.Sequence(lambda n: 1000 + n)
    document = "INV/2026/00001"
    name = "Pro"
    partner_id = 1001
    untaxed = Decimal("100.00")
    currency = "CAD"
    why = "It has neither an external id of ours nor deferred dates."


class BillingSourceFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.BillingSource

    service = factory.SubFactory(ServiceFactory)
    kind = reconciliation.BillingKind.STRIPE_INVOICES
    starts_on = date(2026, 1, 1)
    reason = "As agreed."


class ClaimRulesFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.ClaimRules

    service = factory.SubFactory(ServiceFactory)
    version = 1
    rules = factory.LazyFunction(lambda: [{"fact": "product", "key": "", "value": "prod_cloud"}])
    reason = "As agreed."


class StripeRecordFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.StripeRecord

    account = "acct_1"
    kind = "invoices"
    stripe_id = factory.Sequence(lambda n: f"in_{n}")
    created = SEEN_AT
    currency = "CAD"
    amount = Decimal("113.00")
    state = reconciliation.RecordState.UNCLAIMED
    raw = factory.LazyFunction(dict)
    digest = factory.LazyAttribute(lambda row: make_digest(row.stripe_id))
    fetched_at = SEEN_AT


class StripeEventFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.StripeEvent

    event_id = factory.Sequence(lambda n: f"evt_{n}")
    event_type = "invoice.paid"
    object_kind = "invoice"
    object_id = "in_1"
    created = SEEN_AT
    received_at = SEEN_AT
    next_attempt_at = SEEN_AT
    body = "{}"


class StripeCursorFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.StripeCursor

    account = factory.Sequence(lambda n: f"acct_{n}")
    kind = "invoices"


class StripeCheckFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.StripeCheck

    account = "acct_1"
    is_live = False
    api_version = "2026-10-28.endive"
    api_base = "https://api.stripe.com"
    has_webhook_secret = True


class OdooTransactionFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.OdooTransaction

    odoo_id = factory.Sequence(lambda n: n + 1)
    reference = factory.Sequence(lambda n: f"INV/2026/{n:05}")
    state = "done"
    amount = Decimal("113.00")
    currency = "CAD"
    mirrored_at = SEEN_AT


class OdooTokenFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.OdooToken

    odoo_id = factory.Sequence(lambda n: n + 1)
    partner_id = 7
    stripe_customer = "cus_acme"
    payment_method = "pm_1"
    is_active = True
    mirrored_at = SEEN_AT


class FileMappingFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.FileMapping

    service = factory.SubFactory(ServiceFactory)
    name = factory.Sequence(lambda n: f"shop export {n}")
    columns = factory.LazyFunction(
        lambda: {"customer": "Customer", "period_start": "From", "period_end": "To", "untaxed": "Amount"}
    )
    currency = "CAD"


class BilledFileFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.BilledFile

    service = factory.SubFactory(ServiceFactory)
    name = factory.Sequence(lambda n: f"bills-{n}.csv")
    size = 3
    digest = factory.LazyAttribute(lambda row: make_digest(row.name))


class BilledFilePartFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.BilledFilePart

    file = factory.SubFactory(BilledFileFactory)
    number = factory.Sequence(lambda n: n)
    content = b"a,b"


class LagoConnectionFactory(DjangoModelFactory):
    class Meta:
        model = reconciliation.LagoConnection

    service = factory.SubFactory(ServiceFactory)
    url = "https://lago.example"
    key = b"encrypted"
