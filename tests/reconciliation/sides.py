"""Both sides of a period written down as a reader would: what Odoo says, what the service billed, what we expect."""

from decimal import Decimal

from django.db.models import Max

from ingest.models import Service
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.models import (
    Amount,
    OdooPricelist,
    Push,
    PushStatus,
    Reconciliation,
    Side,
    Source,
    SourceDocument,
)
from reconciliation.quotations import read_drafts
from reconciliation.reconcile import reconcile_period
from tests import factories

NOW = factories.SEEN_AT
LABEL = factories.PERIOD_LABEL


def decimal(text):
    return None if text is None else Decimal(text)


def bill(customer, side, untaxed=None, tax=None, total=None, **values):
    """One document of a side with one amount; an untaxed amount and a tax give their total."""
    if tax is not None and total is None:
        total = decimal(untaxed) + decimal(tax)
    source = Source.ODOO_QUOTATION if side == Side.ODOO else Source.FILE
    return factories.AmountFactory(
        customer=customer,
        side=side,
        document=factories.SourceDocumentFactory(service=customer.service, source=source),
        untaxed=decimal(untaxed),
        tax=decimal(tax),
        total=decimal(total),
        **values,
    )


def odoo(customer, untaxed="100.00", tax="0", **values):
    """Odoo always states all three."""
    return bill(customer, Side.ODOO, untaxed, tax, **values)


def external(customer, untaxed="100.00", tax=None, total=None, **values):
    return bill(customer, Side.EXTERNAL, untaxed, tax, total, **values)


def change(amount, untaxed):
    """The document says something else now: a new version, whose amount takes the old one's place."""
    document = amount.document
    SourceDocument.objects.filter(pk=document.pk).update(is_current=False)
    Amount.objects.filter(pk=amount.pk).update(is_current=False)
    version = factories.SourceDocumentFactory(
        service=document.service,
        source=document.source,
        reference=document.reference,
        version=document.version + 1,
    )
    taxes = {"tax": amount.tax, "total": Decimal(untaxed) + amount.tax} if amount.tax is not None else {}
    return factories.AmountFactory(
        customer=amount.customer,
        side=amount.side,
        document=version,
        currency=amount.currency,
        period_start=amount.period_start,
        period_end=amount.period_end,
        period_label=amount.period_label,
        untaxed=Decimal(untaxed),
        **taxes,
    )


def gone(amount):
    """The source no longer has the document."""
    SourceDocument.objects.filter(pk=amount.document_id).update(is_current=False)
    Amount.objects.filter(pk=amount.pk).update(is_current=False)


def expect(customer, amount="100.00", **values):
    """What our own rating says: a fee of usage on a subscription of the customer."""
    subscription = customer.subscriptions.first() or factories.SubscriptionFactory(customer=customer)
    return factories.FeeFactory(
        subscription=subscription, amount=Decimal(amount), exact_amount=Decimal(amount), **values
    )


def push_all(service, label=LABEL):
    """A settled push for each bill of the period as it stands now, as if Odoo had read it back equal."""
    if not OdooPricelist.objects.exists():
        factories.OdooPricelistFactory()
    drafts, _ = read_drafts(service=service, period_label=label)
    return [settled_push(bill, draft) for bill, draft in drafts]


def settled_push(bill, draft: QuotationDraft):
    last = Push.objects.filter(key=bill.key).aggregate(last=Max("version"))["last"] or 0
    return factories.PushFactory(
        customer=bill.customer,
        currency=bill.currency,
        period_start=bill.period_start,
        period_end=bill.period_end,
        period_label=bill.period_label,
        key=bill.key,
        version=last + 1,
        payload=draft.payload(),
        digest=draft.digest(),
        status=PushStatus.DONE,
        odoo_id=7,
        settled_at=NOW,
    )


def judge(service: Service, now=NOW, label=LABEL):
    """Reconciles the period; returns how many rows changed and how many reopened."""
    result = reconcile_period(service=service, period_label=label, now=now)
    return result.changed, result.reopened


def row_of(customer, currency="CAD"):
    return Reconciliation.objects.get(customer=customer, currency=currency)
