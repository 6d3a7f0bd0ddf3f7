"""One source at a time says what a service billed; the others are evidence, and changing it is a decision."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation.billing_sources import change_source, preview_change
from reconciliation.documents import NewAmount, NewDocument, store_documents
from reconciliation.models import Amount, BillingKind, BillingSource, Run, Side, Source
from tests import factories
from tests.reconciliation.sides import judge, odoo, row_of

pytestmark = pytest.mark.django_db

SEPTEMBER, OCTOBER, NOVEMBER = (datetime(2026, month, 1, 4, tzinfo=UTC) for month in (9, 10, 11))


@pytest.fixture
def customer():
    service = factories.ServiceFactory(phase="dual_run", timezone="America/Toronto")
    return factories.CustomerFactory(service=service, odoo_partner_id=7)


def store(customer, source, untaxed, period=(OCTOBER, NOVEMBER, "2026-10")):
    amount = NewAmount(customer, "CAD", *period, Decimal(untaxed), None, None)
    new = NewDocument(
        f"{source} {period[2]} {customer.pk}", {"untaxed": untaxed}, [amount], factories.SEEN_AT
    )
    store_documents(service=customer.service, source=source, side=Side.EXTERNAL, documents=[new])


def counted(customer):
    rows = Amount.objects.filter(customer=customer, is_current=True, side=Side.EXTERNAL)
    return list(rows.order_by("period_start", "pk").values_list("document__source", "untaxed"))


def change(customer, actor, kind=BillingKind.STRIPE_INVOICES, starts_on=date(2026, 10, 1), **values):
    wanted = {"service": customer.service, "kind": kind, "starts_on": starts_on}
    digest = values.pop("digest", None) or preview_change(**wanted).digest
    return change_source(
        **wanted, reason=values.pop("reason", "It bills by Stripe."), digest=digest, actor=actor
    )


def test_before_anybody_decided_files_count_and_everything_else_is_evidence(customer):
    store(customer, Source.FILE, "100")
    store(customer, Source.STRIPE_INVOICE, "113")
    store(customer, Source.LAGO_INVOICE, "100")
    assert counted(customer) == [("file", Decimal(100))]


def test_a_lago_bill_and_the_stripe_invoice_that_collects_it_are_one_bill(customer, finance):
    change(customer, finance, BillingKind.LAGO)
    store(customer, Source.LAGO_INVOICE, "100")
    store(customer, Source.STRIPE_INVOICE, "100")
    store(customer, Source.STRIPE_CHARGE, "100")
    odoo(customer, "100.00", period_start=OCTOBER, period_end=NOVEMBER, period_label="2026-10")
    judge(customer.service, now=datetime(2026, 11, 10, tzinfo=UTC), label="2026-10")
    assert row_of(customer).external_untaxed == 100


def test_a_change_shows_what_would_count_then_does_it_and_judges_anew(customer, finance):
    store(customer, Source.FILE, "90", (SEPTEMBER, OCTOBER, "2026-09"))
    store(customer, Source.FILE, "100")
    store(customer, Source.STRIPE_INVOICE, "110")
    store(customer, Source.STRIPE_CREDIT_NOTE, "-5")

    preview = preview_change(
        service=customer.service, kind=BillingKind.STRIPE_INVOICES, starts_on=date(2026, 10, 1)
    )
    (effect,) = preview.effects
    assert (effect.period_label, effect.documents_before, effect.before) == ("2026-10", 1, 100)
    assert (effect.documents_after, effect.after) == (2, 105)
    assert not BillingSource.objects.exists()

    row = change(customer, finance, digest=preview.digest)

    assert counted(customer) == [("file", 90), ("stripe_invoice", 110), ("stripe_credit_note", -5)]
    entry = AuditRecord.objects.get(action="billing_source.change")
    assert (entry.actor, entry.object_id) == (finance, str(row.public_id))
    assert entry.before == {"source": "file", "from": "2026-10-01"}
    assert entry.after["periods"] == [
        {"period": "2026-10", "currency": "CAD", "before": "100", "after": "105"}
    ]
    assert Run.objects.get().kind == "reconcile"


def test_a_day_is_the_customers_own(customer, finance):
    change(customer, finance)
    auckland = factories.CustomerFactory(service=customer.service, timezone="Pacific/Auckland")
    start, end = datetime(2026, 9, 30, 11, tzinfo=UTC), datetime(2026, 10, 31, 11, tzinfo=UTC)
    store(auckland, Source.STRIPE_INVOICE, "7", (start, end, "2026-10"))
    assert counted(auckland) == [("stripe_invoice", 7)]
    BillingSource.objects.all().delete()
    change(customer, finance)
    assert counted(auckland) == [("stripe_invoice", 7)]


def test_a_day_may_be_decided_anew_and_what_was_decided_before_is_kept(customer, finance):
    store(customer, Source.LAGO_INVOICE, "100")
    change(customer, finance)
    change(customer, finance, BillingKind.LAGO)
    change(customer, finance, BillingKind.FILE, date(2026, 12, 1))
    assert counted(customer) == [("lago_invoice", 100)]
    kept = BillingSource.objects.order_by("pk").values_list("kind", "is_current")
    assert list(kept) == [("stripe_invoices", False), ("lago", True), ("file", True)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"reason": " "}, "reason_required"),
        ({"kind": BillingKind.FILE}, "no_change"),
        ({"digest": "other"}, "preview_is_stale"),
    ],
)
def test_a_change_is_refused_and_leaves_nothing_behind(customer, finance, wrong, code):
    store(customer, Source.FILE, "100")
    with pytest.raises(DomainError) as refusal:
        change(customer, finance, **wrong)
    assert refusal.value.code == code
    assert not BillingSource.objects.exists()
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("person", ["manager", "operator", "auditor", "outsider"], indirect=True)
def test_only_finance_decides(customer, person):
    with pytest.raises(DomainError) as refusal:
        change(customer, person)
    assert refusal.value.code == "permission_denied"


@pytest.mark.parametrize("phase", ["approved", "live"])
def test_what_a_decision_to_go_live_rests_on_stays(customer, finance, phase):
    customer.service.phase = phase
    customer.service.save()
    with pytest.raises(DomainError) as refusal:
        change(customer, finance)
    assert refusal.value.code == "service_is_live"
