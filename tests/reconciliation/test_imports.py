"""Importing what a service billed: each bill counts once, whatever file says so, and none is lost."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection

from ingest.models import AuditRecord, Customer
from reconciliation import file_documents
from reconciliation.imports import Imported, ImportRefused, import_amounts
from reconciliation.models import Amount, AmountLine, Run, SourceDocument
from reconciliation.statements import StatementKey
from tests import factories
from tests.reconciliation.files import write_csv, write_focus
from tests.reconciliation.sides import judge, odoo, row_of

pytestmark = pytest.mark.django_db

DAYS = (date(2026, 9, 1), date(2026, 10, 1))


@pytest.fixture
def service():
    return factories.ServiceFactory()


@pytest.fixture
def take(service, tmp_path):
    """Imports a CSV of the given rows; each is a bill of acme for September with other cells."""

    def take(*rows, **options):
        return import_amounts(service=service, path=write_csv(tmp_path / "bills.csv", *rows), **options)

    return take


@pytest.fixture
def refused(take):
    """The errors of a CSV that must be refused, and that nothing changed by it."""

    def refused(*rows, **options):
        before = stored()
        with pytest.raises(ImportRefused) as refusal:
            take(*rows, **options)
        assert stored() == before
        return [(error.row, error.column, error.code) for error in refusal.value.errors], refusal.value.errors

    return refused


def stored():
    return [
        list(model.objects.order_by("pk").values())
        for model in (SourceDocument, Amount, AmountLine, Customer, AuditRecord)
    ]


def current(*figures):
    """The amounts that count, by their documents' titles."""
    rows = Amount.objects.filter(is_current=True).order_by("pk")
    return [tuple(row) for row in rows.values_list(*(figures or ("document__number", "untaxed")))]


class TestIdentity:
    def test_the_same_file_twice_changes_nothing(self, take):
        assert take({}, {"document": "", "customer": "other"}) == Imported(2, 2, 2, 2, 0)
        documents = list(SourceDocument.objects.order_by("pk").values_list("pk", "digest", "is_current"))
        assert take({}, {"document": "", "customer": "other"}) == Imported(2, 2, 0, 0, 0)
        assert (
            list(SourceDocument.objects.order_by("pk").values_list("pk", "digest", "is_current")) == documents
        )

    def test_a_changed_bill_is_a_new_version_and_counts_alone(self, take):
        take({"document": "INV-1"})
        assert take({"document": "INV-1", "untaxed": "90"}).changed == 1
        assert current() == [("INV-1", 90)]
        assert SourceDocument.objects.get(is_current=True).version == 2

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"customer": "1 x", "document": "INV"}, {"customer": "x", "document": "INV 1"}),
            ({"customer": "x", "document": "INV x"}, {"customer": "x x", "document": "INV"}),
            ({"customer": 'x","y', "document": "z"}, {"customer": "x", "document": 'y","z'}),
        ],
    )
    def test_bills_whose_parts_join_to_the_same_text_are_two(self, take, first, second):
        take({**first, "untaxed": "100"})
        take({**second, "untaxed": "50"})
        assert [untaxed for _, untaxed in current()] == [100, 50]
        take({**first, "untaxed": "70"}, {**second, "untaxed": "50"})
        assert sorted(untaxed for _, untaxed in current()) == [50, 70]

    def test_a_bill_that_is_called_statement_is_none_without_a_number(self):
        keys = [StatementKey("acme", "CAD", *DAYS, number) for number in ("", "statement")]
        assert len({key.reference for key in keys}) == 2

    def test_the_longest_customer_and_number_fit(self, take):
        longest = {"customer": "ü" * 255, "document": "東" * 255}
        assert take(longest).changed == 1
        document = SourceDocument.objects.get()
        assert len(document.reference) == 64
        assert document.title == f"{'東' * 255} {'ü' * 255} CAD 2026-09-01/2026-10-01"
        assert take(longest).changed == 0


class TestNumbers:
    def test_the_same_bill_with_a_number_is_refused_and_both_are_named(self, take, refused):
        take({"document": ""})
        places, [error] = refused({"document": "INV-7"})
        assert places == [(2, "document", "other_numbering")]
        assert "“INV-7 acme CAD 2026-09-01/2026-10-01”" in error.message
        assert "“statement acme CAD 2026-09-01/2026-10-01”" in error.message
        assert current() == [("", 100)]

    def test_a_bill_without_a_number_is_refused_beside_numbered_ones(self, take, refused):
        take({"document": "INV-7"}, {"document": "INV-8"})
        places, [error] = refused({"document": ""})
        assert places == [(2, "document", "other_numbering")]
        assert "“INV-7 acme CAD 2026-09-01/2026-10-01” and 1 more" in error.message

    def test_a_dry_run_refuses_it_too(self, take, refused):
        take({"document": ""})
        places, _ = refused({"document": "INV-7"}, is_dry=True)
        assert places == [(2, "document", "other_numbering")]

    def test_rows_with_and_without_a_number_in_one_period_of_a_file_are_refused(self, refused):
        places, [error] = refused(
            {"document": "INV-7"}, {"document": ""}, {"document": "", "customer": "other"}
        )
        assert places == [(3, "document", "mixed_numbering")]
        assert "row 2" in error.message
        assert "INV-7" in error.message

    @pytest.mark.parametrize(
        "other",
        [
            {"customer": "other"},
            {"currency": "USD"},
            {"period_start": "2026-08-01", "period_end": "2026-09-01"},
            {"period_end": "2026-09-15"},
        ],
    )
    def test_another_customer_currency_or_period_is_no_conflict(self, take, other):
        take({"document": ""})
        assert take({**other, "document": "INV-7"}).changed == 1
        assert len(current()) == 2

    def test_another_service_is_no_conflict(self, take, tmp_path):
        take({"document": ""})
        path = write_csv(tmp_path / "other.csv", {"document": "INV-7"})
        assert import_amounts(service=factories.ServiceFactory(), path=path).changed == 1

    def test_more_numbered_bills_add_to_those_that_are_there(self, take):
        take({"document": "INV-7"})
        assert take({"document": "INV-8", "untaxed": "5"}) == Imported(1, 1, 1, 0, 0)
        assert current() == [("INV-7", 100), ("INV-8", 5)]

    def test_replacing_lets_numbered_bills_take_the_place_of_the_one_without(self, take):
        take({"document": ""})
        kept = SourceDocument.objects.get()
        bills = [{"document": "INV-7", "untaxed": "60"}, {"document": "INV-8", "untaxed": "40"}]
        assert take(*bills, is_replacing=True) == Imported(2, 2, 2, 0, 1)
        assert current() == [("INV-7", 60), ("INV-8", 40)]
        record = AuditRecord.objects.get(action="document.replace")
        assert (record.object_id, record.evidence_digest) == (str(kept.public_id), kept.digest)
        assert SourceDocument.objects.get(pk=kept.pk).content == kept.content
        assert take(*bills) == Imported(2, 2, 0, 0, 0)

    def test_and_the_other_way_round(self, take):
        take({"document": "INV-7", "untaxed": "60"}, {"document": "INV-8", "untaxed": "40"})
        assert take({"document": ""}, is_replacing=True).replaced == 2
        assert current() == [("", 100)]

    def test_a_dry_run_says_what_would_be_replaced_and_replaces_nothing(self, take):
        take({"document": ""})
        before = stored()
        assert take({"document": "INV-7"}, is_replacing=True, is_dry=True) == Imported(1, 1, 0, 0, 1)
        assert stored() == before

    def test_replacing_leaves_what_has_the_same_numbering(self, take):
        take({"document": "INV-7"})
        assert take({"document": "INV-8"}, is_replacing=True).replaced == 0
        assert current() == [("INV-7", 100), ("INV-8", 100)]

    def test_what_was_read_later_by_another_clock_is_replaced_too(self, take):
        take({"document": ""})
        later = factories.SEEN_AT.replace(year=2100)
        SourceDocument.objects.update(fetched_at=later)
        take({"document": "INV-7"}, is_replacing=True)
        assert current() == [("INV-7", 100)]

    def test_only_the_chosen_period_is_judged(self, take):
        take({"document": ""})
        august = {"period_start": "2026-08-01", "period_end": "2026-09-01", "document": "INV-6"}
        assert take({"document": "INV-7"}, august, period_label="2026-08").changed == 1


class TestSums:
    ONLY_TOTAL = {"document": "INV-7", "untaxed": "", "total": "113"}
    ONLY_UNTAXED = {"document": "INV-8"}
    BOTH = {"document": "INV-9", "tax": "13"}

    @pytest.mark.parametrize(
        ("kept", "new", "column"),
        [(ONLY_TOTAL, ONLY_UNTAXED, "total"), (ONLY_UNTAXED, ONLY_TOTAL, "untaxed")],
    )
    def test_a_total_alone_beside_an_untaxed_amount_alone_is_refused(self, take, refused, kept, new, column):
        take(kept)
        places, [error] = refused(new)
        assert places == [(2, column, "mixed_amounts")]
        assert f"“{kept['document']} acme CAD 2026-09-01/2026-10-01”" in error.message
        assert "no sum" in error.message

    def test_in_one_file_both_are_located(self, refused):
        places, _ = refused(self.ONLY_TOTAL, self.BOTH, self.ONLY_UNTAXED)
        assert places == [(2, "untaxed", "mixed_amounts"), (4, "total", "mixed_amounts")]

    @pytest.mark.parametrize("kept", [ONLY_TOTAL, ONLY_UNTAXED])
    def test_a_bill_that_states_all_three_goes_with_either(self, take, kept):
        take(kept)
        assert take(self.BOTH).changed == 1

    def test_a_bill_restated_by_the_file_is_judged_as_the_file_has_it(self, take):
        take(self.ONLY_TOTAL)
        take({**self.ONLY_TOTAL, "total": "", "untaxed": "100"}, self.ONLY_UNTAXED)
        assert current() == [("INV-7", 100), ("INV-8", 100)]

    def test_what_is_replaced_is_not_summed(self, take):
        take({"document": "", "untaxed": "", "total": "113"})
        take(self.ONLY_UNTAXED, is_replacing=True)
        assert current() == [("INV-8", 100)]


class TestTax:
    FIGURES = ("untaxed", "tax", "total")

    def take_focus(self, service, path, *rows):
        return import_amounts(service=service, path=write_focus(path / "focus.csv", *rows))

    def test_tax_rows_of_focus_are_the_statements_tax(self, service, tmp_path):
        tax = {"ChargeCategory": "Tax", "BilledCost": "13.00"}
        self.take_focus(service, tmp_path, {}, {"BilledCost": "50"}, tax, {**tax, "BilledCost": "-0.5"})
        assert current(*self.FIGURES) == [(150, Decimal("12.5"), Decimal("162.5"))]

    def test_a_statement_without_tax_rows_leaves_tax_unsaid(self, service, tmp_path):
        rows = [
            {},
            {"SubAccountId": "other"},
            {"SubAccountId": "other", "ChargeCategory": "Tax", "BilledCost": "0"},
        ]
        self.take_focus(service, tmp_path, *rows)
        assert current("customer__external_id", *self.FIGURES) == [
            ("acme", 100, None, None),
            ("other", 100, 0, 100),
        ]

    def test_the_row_is_compared_on_totals_and_explained_by_tax(self, service, tmp_path):
        customer = factories.CustomerFactory(service=service, external_id="acme", odoo_partner_id=1)
        self.take_focus(service, tmp_path, {}, {"ChargeCategory": "Tax", "BilledCost": "12"})
        factories.AmountLineFactory(amount=odoo(customer, "100.00", "13.00"), code="usage:none")
        judge(service)
        row = row_of(customer)
        assert (row.basis, row.external_untaxed, row.external_tax, row.external_total) == (
            "total",
            100,
            12,
            112,
        )
        assert (row.outcome, row.delta, row.cause) == ("compared", 1, "tax")

    def test_a_csv_states_tax_in_rows_of_their_own_too(self, take):
        take({}, {"kind": "tax", "untaxed": "", "tax": "13"})
        assert current(*self.FIGURES) == [(100, 13, 113)]

    @pytest.mark.parametrize("line", [{"tax": "13"}, {"untaxed": "", "total": "113"}])
    def test_tax_within_the_rows_and_in_a_row_of_its_own_is_refused(self, refused, line):
        places, [error] = refused(line, {"kind": "tax", "untaxed": "", "tax": "13"})
        assert places == [(2, "tax", "tax_twice")]
        assert "row 3" in error.message


class TestCustomers:
    def test_an_unknown_customer_is_created_once_and_audited(self, take):
        take({"customer_name": "Acme Inc"}, {"document": "INV-2", "customer_name": "Other name"})
        customer = Customer.objects.get()
        assert (customer.external_id, customer.name, customer.is_linked) == ("acme", "Acme Inc", False)
        assert AuditRecord.objects.get(action="customer.create").object_id == str(customer.public_id)

    def test_one_that_a_person_created_meanwhile_is_taken(self, take, service, monkeypatch):
        add = file_documents.add_customers

        def add_too_late(*arguments, **named):
            factories.CustomerFactory(service=service, external_id="acme")
            return add(*arguments, **named)

        monkeypatch.setattr(file_documents, "add_customers", add_too_late)
        assert take({}).changed == 1
        assert Customer.objects.count() == 1
        assert not AuditRecord.objects.filter(action="customer.create").exists()


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_of_the_same_unknown_customer_make_one(tmp_path):
    service = factories.ServiceFactory()
    rows = [{"customer": f"customer {number}"} for number in range(20)]
    path = write_csv(tmp_path / "bills.csv", *rows)
    barrier, failures, brought = Barrier(2), [], []

    def work():
        try:
            barrier.wait()
            brought.append(import_amounts(service=service, path=path))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert sorted(result.new_customers for result in brought) == [0, 20]
    assert (Customer.objects.count(), Amount.objects.filter(is_current=True).count()) == (20, 20)
    assert not Run.objects.exists()
