"""Keeping what the outside said: whole, in versions, each counted once and none forgotten."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from reconciliation.documents import (
    NewAmount,
    NewDocument,
    NewLine,
    digest_of,
    retire_document,
    store_document,
    store_documents,
)
from reconciliation.models import Amount, AmountLine, LineKind, Side, Source, SourceDocument
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.SEEN_AT
HOUR = timedelta(hours=1)


@pytest.fixture
def customer():
    return factories.CustomerFactory()


def amount_of(customer, untaxed="100.00", **values):
    new = NewAmount(
        customer=customer,
        currency="CAD",
        period_start=factories.PERIOD_START,
        period_end=factories.PERIOD_END,
        period_label=factories.PERIOD_LABEL,
        untaxed=Decimal(untaxed),
        tax=None,
        total=None,
    )
    return replace(new, **values)


def store(customer, untaxed="100.00", at=NOW, **values):
    return store_document(
        **{
            "service": customer.service,
            "source": Source.FILE,
            "side": Side.EXTERNAL,
            "reference": "september.csv",
            "content": {"rows": [untaxed]},
            "amounts": [amount_of(customer, untaxed)],
            "fetched_at": at,
            **values,
        }
    )


def retire(customer, at=NOW):
    return retire_document(
        service=customer.service, source=Source.FILE, reference="september.csv", fetched_at=at
    )


def current():
    return list(Amount.objects.filter(is_current=True).values_list("untaxed", flat=True))


class TestStoring:
    def test_a_document_is_kept_whole_with_its_amounts_and_lines(self, customer):
        run = factories.RunFactory(service=customer.service)
        line = NewLine(
            code="api",
            description="API calls",
            untaxed=Decimal("100.00"),
            kind=LineKind.USAGE,
            quantity=Decimal("0.1") ** 30,
            unit_price=Decimal(7) * 10**200,
        )
        amounts = [amount_of(customer, tax=Decimal("13"), total=Decimal("113"), state="draft", lines=[line])]
        assert store(customer, amounts=amounts, content={"a": [1, "ü"]}, run=run)
        document = SourceDocument.objects.get()
        assert (document.content, document.version, document.is_current) == ({"a": [1, "ü"]}, 1, True)
        assert (document.run, document.fetched_at, document.digest) == (run, NOW, digest_of({"a": [1, "ü"]}))
        amount = document.amounts.get()
        assert (amount.untaxed, amount.tax, amount.total, amount.state) == (100, 13, 113, "draft")
        assert (amount.side, amount.customer, amount.fetched_at) == ("external", customer, NOW)
        kept = amount.lines.get()
        assert (kept.position, kept.code, kept.kind) == (1, "api", "usage")
        assert (kept.quantity, kept.unit_price) == (line.quantity, line.unit_price)

    def test_the_same_content_again_is_only_fetched_again(self, customer):
        store(customer)
        assert store(customer, at=NOW + HOUR) is False
        document = SourceDocument.objects.get()
        assert (document.version, document.fetched_at) == (1, NOW + HOUR)
        assert Amount.objects.get().fetched_at == NOW + HOUR

    def test_other_content_is_a_new_version_and_the_old_one_no_longer_counts(self, customer):
        store(customer)
        assert store(customer, "90.00", at=NOW + HOUR)
        versions = SourceDocument.objects.order_by("version").values_list("version", "is_current")
        assert list(versions) == [(1, False), (2, True)]
        assert current() == [90]
        assert Amount.objects.get(is_current=False).untaxed == 100

    def test_content_that_comes_back_is_a_third_version(self, customer):
        for hours, untaxed in enumerate(("100.00", "90.00", "100.00")):
            assert store(customer, untaxed, at=NOW + hours * HOUR)
        assert SourceDocument.objects.get(is_current=True).version == 3
        assert current() == [100]

    def test_a_reading_that_began_before_the_kept_one_changes_nothing(self, customer):
        store(customer, "90.00", at=NOW + HOUR)
        before = list(SourceDocument.objects.values())
        assert store(customer, "100.00", at=NOW) is False
        assert store(customer, "90.00", at=NOW) is False
        assert list(SourceDocument.objects.values()) == before
        assert current() == [90]

    def test_the_same_reference_of_another_source_or_service_is_another_document(self, customer):
        store(customer)
        store(customer, "90.00", source=Source.ODOO_INVOICE, side=Side.ODOO)
        other = factories.CustomerFactory()
        store(other, "80.00")
        assert sorted(current()) == [80, 90, 100]

    def test_a_document_may_bill_many_customers_and_periods(self, customer):
        other = factories.CustomerFactory(service=customer.service)
        later = amount_of(
            customer,
            period_start=factories.PERIOD_END,
            period_end=factories.PERIOD_END + timedelta(days=31),
            period_label="2026-10",
        )
        store(customer, amounts=[amount_of(customer), amount_of(other), later])
        assert SourceDocument.objects.get().amounts.count() == 3

    def test_texts_that_are_too_long_are_cut_and_the_content_has_them(self, customer):
        line = NewLine(code="c" * 300, description="d" * 2000, untaxed=Decimal(1))
        store(customer, amounts=[amount_of(customer, lines=[line])], content={"d": "d" * 2000})
        kept = AmountLine.objects.get()
        assert (len(kept.code), len(kept.description)) == (255, 1024)
        assert len(SourceDocument.objects.get().content["d"]) == 2000

    def test_an_amount_that_the_database_refuses_leaves_nothing_of_its_document(self, customer):
        store(customer)
        wrong = [amount_of(customer, tax=Decimal(13), total=Decimal(112))]
        with pytest.raises(IntegrityError), transaction.atomic():
            store(customer, "90.00", amounts=wrong, at=NOW + HOUR)
        assert SourceDocument.objects.get().is_current
        assert current() == [100]


class TestRetiring:
    def test_a_document_that_is_gone_is_kept_and_no_longer_counts(self, customer):
        store(customer)
        assert retire(customer, NOW + HOUR) is True
        assert current() == []
        assert SourceDocument.objects.get().content == {"rows": ["100.00"]}

    def test_it_comes_back_as_a_new_version(self, customer):
        store(customer)
        retire(customer, NOW + HOUR)
        assert store(customer, at=NOW + 2 * HOUR)
        assert SourceDocument.objects.get(is_current=True).version == 2
        assert current() == [100]

    def test_what_is_not_there_is_not_retired(self, customer):
        assert retire(customer) is False
        store(customer)
        retire(customer)
        assert retire(customer) is False

    def test_an_absence_that_was_seen_before_the_document_changes_nothing(self, customer):
        store(customer, at=NOW + HOUR)
        assert retire(customer, NOW) is False
        assert current() == [100]


def test_the_digest_is_that_of_the_content_whatever_the_order_of_its_names():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert digest_of({"a": [1, 2]}) != digest_of({"a": [2, 1]})
    assert digest_of({"a": "1"}) != digest_of({"a": 1})


@pytest.mark.django_db(transaction=True)
def test_two_readings_at_once_leave_one_current_version():
    customer = factories.CustomerFactory()
    barrier, failures = Barrier(2), []

    def work(untaxed):
        try:
            barrier.wait()
            store(customer, untaxed)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work, args=[untaxed]) for untaxed in ("100.00", "90.00")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert failures == []
    assert SourceDocument.objects.filter(is_current=True).count() == 1
    assert len(current()) == 1


def test_documents_stored_together_are_kept_letter_by_letter(customer):
    contents = [{"text": text} for text in ('a "quote"', "a \\ and \\\\", "{braces, NULL}", "it's 5 % é €")]
    documents = [NewDocument(f"file-{place}", content, [], NOW) for place, content in enumerate(contents)]
    store_documents(service=customer.service, source=Source.FILE, side=Side.EXTERNAL, documents=documents)
    rows = SourceDocument.objects.order_by("reference")
    assert [row.content for row in rows] == contents
    assert [row.digest for row in rows] == list(map(digest_of, contents))
