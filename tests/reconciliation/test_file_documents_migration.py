"""The upgrade of documents from files: they go on matching, none is lost, and stated tax counts."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from ingest.models import AuditRecord
from reconciliation.imports import import_amounts
from reconciliation.models import Amount, SourceDocument
from tests import factories
from tests.reconciliation.files import write_csv, write_focus

pytestmark = pytest.mark.django_db

upgrade = import_module("reconciliation.migrations.0005_file_documents")


@pytest.fixture
def service():
    return factories.ServiceFactory()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bills.csv"


def migrate():
    upgrade.rename(apps, None)
    with connection.cursor() as cursor:
        cursor.execute(upgrade.RESTORE)
        cursor.execute(upgrade.STATE_TAX)


def age():
    """Every document as it was kept until now: found by its parts with spaces between, its tax rows left out."""
    for document in SourceDocument.objects.all():
        document.reference, document.title, document.number = document.title, "", ""
        document.save()


def state():
    return (
        list(
            SourceDocument.objects.order_by("pk").values("pk", "reference", "title", "number", "is_current")
        ),
        list(Amount.objects.order_by("pk").values("pk", "untaxed", "tax", "total", "is_current")),
    )


CUSTOMERS = [
    {},
    {"document": "", "customer": " spaced  inside "},
    {"customer": 'quote " back \\ tab\tline\nend', "document": "東京 CAD 2026-09-01/2026-10-01"},
    {"customer": "other", "document": "statement"},
]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_csv(path, *CUSTOMERS),
        lambda path: write_focus(path, {"SubAccountId": " acme "}, {"SubAccountId": "other"}),
    ],
)
def test_the_same_file_changes_nothing_across_the_upgrade(service, path, write):
    write(path)
    import_amounts(service=service, path=path)
    fresh = state()
    age()
    migrate()
    assert state() == fresh
    assert import_amounts(service=service, path=path).changed == 0
    migrate()
    assert state() == fresh
    assert not AuditRecord.objects.filter(actor_label="upgrade").exists()


def test_documents_of_another_shape_and_of_other_sources_stay_as_they_are(service):
    factories.SourceDocumentFactory(service=service, reference="september.csv", content={"rows": []})
    odoo = {"reference": "statement acme CAD 2026-09-01/2026-10-01", "source": "odoo_quotation"}
    factories.SourceDocumentFactory(service=service, content={"rows": [{"customer": "acme"}]}, **odoo)
    factories.SourceDocumentFactory(
        service=service, reference="INV acme CAD 2026-09-01/2026-10-01", content={"rows": [{"customer": "x"}]}
    )
    before = state()
    migrate()
    assert state() == before


def keep(service, customer, number, *, version, untaxed, is_current):
    """A version under a reference that two bills shared."""
    at = factories.SEEN_AT + timedelta(hours=version)
    head = f"{number or 'statement'} {customer.external_id}"
    document = factories.SourceDocumentFactory(
        service=service,
        reference=f"{head} CAD 2026-09-01/2026-10-01",
        content={"rows": [{"customer": customer.external_id, "document": number}]},
        version=version,
        is_current=is_current,
        fetched_at=at,
    )
    return factories.AmountFactory(
        customer=customer, document=document, untaxed=Decimal(untaxed), is_current=is_current, fetched_at=at
    )


def test_bills_that_took_each_others_place_count_again(service):
    one = factories.CustomerFactory(service=service, external_id="1 x")
    other = factories.CustomerFactory(service=service, external_id="x")
    keep(service, one, "INV", version=1, untaxed="90", is_current=False)
    keep(service, one, "INV", version=2, untaxed="100", is_current=False)
    keep(service, other, "INV 1", version=3, untaxed="50", is_current=True)
    migrate()
    amounts = Amount.objects.filter(is_current=True, document__is_current=True)
    assert sorted(amounts.values_list("customer__external_id", "untaxed")) == [("1 x", 100), ("x", 50)]
    record = AuditRecord.objects.get(action="document.restore")
    assert record.object_id == str(SourceDocument.objects.get(version=2).public_id)


def test_a_statement_that_a_bill_named_statement_replaced_does_not_count_beside_it(service):
    customer = factories.CustomerFactory(service=service, external_id="x")
    keep(service, customer, "", version=1, untaxed="100", is_current=False)
    keep(service, customer, "statement", version=2, untaxed="100", is_current=True)
    migrate()
    assert Amount.objects.get(is_current=True).document.number == "statement"


def test_tax_that_rows_stated_counts_now(service, path):
    tax = {"ChargeCategory": "Tax", "BilledCost": "13"}
    write_focus(path, {}, tax, {**tax, "ChargeDescription": "QST"}, {"SubAccountId": "other"})
    import_amounts(service=service, path=path)
    Amount.objects.update(tax=None, total=None)
    age()
    migrate()
    amounts = Amount.objects.order_by("pk").values_list("untaxed", "tax", "total")
    assert list(amounts) == [(100, 26, 126), (100, None, None)]
    record = AuditRecord.objects.get(action="amount.state_tax")
    assert record.after == {"tax": "26", "total": "126"}
    assert import_amounts(service=service, path=path).changed == 0


def test_tax_that_may_be_stated_twice_stays_as_it_was(service):
    amount = factories.AmountFactory(customer__service=service)
    factories.AmountLineFactory(amount=amount, tax=Decimal(13), total=Decimal(113))
    factories.AmountLineFactory(amount=amount, untaxed=Decimal(0), tax=Decimal(13), kind="tax")
    migrate()
    assert Amount.objects.get().tax is None
