"""Amounts of invoices, credit notes and orders: by line, to the cent, and never by an invoice's date alone."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.errors import DomainError
from ingest.models import AuditRecord
from reconciliation import unattributed
from reconciliation.billed_amounts import store_billed
from reconciliation.models import (
    Amount,
    AmountLine,
    LineState,
    OdooInvoice,
    OdooInvoiceLine,
    RunKind,
    SourceDocument,
    Strategy,
    UnattributedLine,
)
from reconciliation.runs import perform, start_run
from reconciliation.strategies import choose_strategy, read_strategy
from reconciliation.work import do_work
from tests import factories
from tests.reconciliation.mirrored import confirmed_order

LABEL = factories.PERIOD_LABEL
PARTNER, PLAN_PRODUCT, OTHER_PRODUCT = 501, 601, 999
SEPTEMBER = {"deferred_from": date(2026, 9, 1), "deferred_to": date(2026, 9, 30)}

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    plan = factories.PlanFactory(odoo_product_id=PLAN_PRODUCT, code="pro")
    customer = factories.CustomerFactory(service=plan.service, odoo_partner_id=PARTNER)
    factories.SubscriptionFactory(customer=customer, plan=plan, odoo_order_id=701)
    return customer


@pytest.fixture
def fee(customer):
    return factories.FeeFactory(subscription=customer.subscriptions.get(), amount=Decimal("30.86"))


def fetch(customer, strategy=Strategy.INVOICE):
    return store_billed(service=customer.service, strategy=strategy, fetched_at=timezone.now())


def invoice(untaxed="100.00", tax="13.00", **values):
    total = Decimal(untaxed) + Decimal(tax)
    return factories.OdooInvoiceFactory(
        partner_id=PARTNER, untaxed=Decimal(untaxed), tax=Decimal(tax), total=total, **values
    )


def line(move, untaxed="100.00", tax="13.00", **values):
    figures = {"untaxed": Decimal(untaxed), "total": Decimal(untaxed) + Decimal(tax)}
    return factories.OdooInvoiceLineFactory(move_id=move.odoo_id, **(figures | values))


def of_fee(fee):
    return {"external_id": f"__billing_console__.usage_x__{fee.public_id.hex}"}


def amounts():
    rows = Amount.objects.filter(is_current=True).order_by("untaxed")
    return [(row.period_label, str(row.untaxed), str(row.tax), str(row.total), row.currency) for row in rows]


class TestOfAPeriod:
    def test_a_line_of_ours_is_of_its_fees_period_whenever_it_was_invoiced(self, customer, fee):
        line(invoice(invoice_date=date(2026, 12, 24)), **of_fee(fee))
        assert fetch(customer) == {"documents": 1, "changed": 1, "gone": 0, "unattributed": 0}
        assert amounts() == [(fee.period_label, "100.00", "13.00", "113.00", "CAD")]
        kept = AmountLine.objects.get()
        assert (kept.code, kept.kind, kept.untaxed, kept.tax) == (
            fee.charge.metric.code,
            "usage",
            100,
            13,
        )

    def test_our_mark_on_the_order_line_that_is_billed_does_as_well(self, customer, fee):
        sold = factories.OdooOrderLineFactory(order_id=1, **of_fee(fee))
        line(invoice(), sale_line_ids=[sold.odoo_id])
        fetch(customer)
        assert [row[0] for row in amounts()] == [fee.period_label]

    def test_a_correction_is_of_the_period_of_the_row_that_it_corrects(self, customer):
        row = factories.ReconciliationFactory(customer=customer)
        note = invoice("-10.00", "-1.30", move_type="out_refund")
        external_id = f"__billing_console__.correction_{row.public_id.hex}_3__line"
        line(note, "10.00", "1.30", product_id=OTHER_PRODUCT, external_id=external_id)
        fetch(customer)
        assert amounts() == [(row.period_label, "-10.00", "-1.30", "-11.30", "CAD")]

    def test_deferred_dates_say_it_where_there_is_no_mark(self, customer):
        line(invoice(invoice_date=date(2026, 8, 28)), product_id=PLAN_PRODUCT, **SEPTEMBER)
        fetch(customer)
        assert amounts() == [(LABEL, "100.00", "13.00", "113.00", "CAD")]
        kept = AmountLine.objects.get()
        assert (kept.code, kept.kind, kept.is_priced_by_odoo) == ("pro", "plan", True)

    def test_one_invoice_of_two_periods_is_two_amounts_that_add_up_to_it(self, customer, fee):
        move = invoice("130.86", "17.01", currency="USD")
        line(move, "99.00", "12.87", product_id=PLAN_PRODUCT, **SEPTEMBER)
        october = {"deferred_from": date(2026, 10, 1), "deferred_to": date(2026, 10, 31)}
        line(move, "31.86", "4.14", product_id=PLAN_PRODUCT, **october)
        fetch(customer)
        assert amounts() == [
            ("2026-10", "31.86", "4.14", "36.00", "USD"),
            (LABEL, "99.00", "12.87", "111.87", "USD"),
        ]

    def test_a_refund_is_negative(self, customer, fee):
        note = invoice("-30.86", "-4.01", move_type="out_refund")
        line(note, "30.86", "4.01", balance=Decimal("30.86"), **of_fee(fee))
        fetch(customer)
        assert amounts() == [(fee.period_label, "-30.86", "-4.01", "-34.87", "CAD")]

    def test_the_header_is_trusted_over_an_edited_line(self, customer, fee):
        line(invoice("99.00", "12.87"), "5.00", "0.65", balance=Decimal("-99.00"), tax_ids=[7], **of_fee(fee))
        fetch(customer)
        assert amounts() == [(fee.period_label, "99.00", "12.87", "111.87", "CAD")]

    def test_an_invoice_to_an_address_of_the_partner_is_the_partners(self, customer):
        factories.OdooPartnerFactory(odoo_id=502, parent_id=PARTNER, address_type="invoice")
        move = invoice()
        OdooInvoice.objects.update(partner_id=502)
        line(move, product_id=PLAN_PRODUCT, **SEPTEMBER)
        fetch(customer)
        assert len(amounts()) == 1

    def test_lines_of_no_service_and_of_another_one_count_nowhere(self, customer):
        elsewhere = factories.FeeFactory()
        move = invoice("300.00", "39.00")
        line(move, product_id=OTHER_PRODUCT)
        line(move, product_id=PLAN_PRODUCT, **of_fee(elsewhere))
        line(move, product_id=PLAN_PRODUCT, **SEPTEMBER)
        assert fetch(customer)["unattributed"] == 0
        assert amounts() == [(LABEL, "100.00", "13.00", "113.00", "CAD")]


class TestDocuments:
    def test_the_raw_record_is_kept_with_its_digest_and_what_was_made_of_each_line(self, customer):
        move = invoice(name="INV/1", raw={"id": 9, "amount_total": "113.0"})
        line(move, product_id=PLAN_PRODUCT, raw={"id": 10}, **SEPTEMBER)
        fetch(customer)
        document = SourceDocument.objects.get()
        assert (document.number, document.content["amount_total"], len(document.digest)) == (
            "INV/1",
            "113.0",
            64,
        )
        (kept,) = document.content["lines"]
        assert (kept["id"], kept["attributed"]["period"], kept["attributed"]["by"]) == (
            10,
            LABEL,
            "deferred dates",
        )

    def test_the_same_again_is_no_new_version(self, customer):
        line(invoice(), product_id=PLAN_PRODUCT, **SEPTEMBER)
        fetch(customer)
        before = SourceDocument.objects.get().fetched_at
        assert fetch(customer) == {"documents": 1, "changed": 0, "gone": 0, "unattributed": 0}
        document = SourceDocument.objects.get()
        assert (document.version, document.fetched_at > before) == (1, True)
        assert Amount.objects.get().fetched_at == document.fetched_at

    @pytest.mark.parametrize("values", [{"state": "cancel"}, {"gone_at": timezone.now()}])
    def test_what_is_cancelled_or_gone_no_longer_counts_and_is_kept(self, customer, values):
        line(invoice(), product_id=PLAN_PRODUCT, **SEPTEMBER)
        fetch(customer)
        OdooInvoice.objects.update(**values)
        assert fetch(customer)["gone"] == 1
        assert (amounts(), Amount.objects.count()) == ([], 1)

    def test_what_changed_is_a_new_version(self, customer):
        move = invoice(state="draft")
        line(move, product_id=PLAN_PRODUCT, **SEPTEMBER)
        fetch(customer)
        OdooInvoice.objects.update(state="posted", raw={"state": "posted"})
        assert fetch(customer)["changed"] == 1
        assert [row.state for row in Amount.objects.filter(is_current=True)] == ["posted"]
        assert SourceDocument.objects.count() == 2

    def test_statements_do_not_grow_with_invoices_that_did_not_change(self, customer, fee):
        def count(more):
            for _ in range(more):
                move = invoice("200.00", "26.00")
                line(move, product_id=PLAN_PRODUCT, **SEPTEMBER)
                line(move, **of_fee(fee))
            fetch(customer)
            with CaptureQueriesContext(connection) as queries:
                fetch(customer)
            return len(queries)

        assert count(1) == count(20) <= 25


class TestWorklist:
    def open_line(self, customer, **values):
        line(invoice(invoice_date=date(2026, 9, 15)), product_id=PLAN_PRODUCT, **values)
        fetch(customer)
        return UnattributedLine.objects.get()

    def assign(self, row, customer, actor, **values):
        given = {"period_label": LABEL, "reason": "As the contract says.", **values}
        return unattributed.assign_line(line_id=row.pk, customer=customer, actor=actor, **given)

    def test_a_line_that_says_nothing_waits_for_a_person_and_counts_nowhere(self, customer):
        row = self.open_line(customer)
        assert (row.state, row.untaxed, row.currency) == (LineState.OPEN, 100, "CAD")
        assert row.why == "It has neither an external id of ours nor deferred dates."
        assert amounts() == []

    def test_a_partner_of_several_customers_is_not_guessed_at(self, customer):
        factories.CustomerFactory(service=customer.service, odoo_partner_id=PARTNER)
        assert "Several customers" in self.open_line(customer, **SEPTEMBER).why

    def test_days_of_two_periods_are_not_split(self, customer):
        dates = {"deferred_from": date(2026, 9, 15), "deferred_to": date(2026, 10, 14)}
        assert "is not one billing period" in self.open_line(customer, **dates).why

    def test_what_a_person_assigns_counts_from_the_next_fetch_on_and_is_audited(self, customer, finance):
        row = self.open_line(customer)
        self.assign(row, customer, finance)
        assert fetch(customer)["unattributed"] == 0
        assert amounts() == [(LABEL, "100.00", "13.00", "113.00", "CAD")]
        record = AuditRecord.objects.get(action="line.attribute")
        assert (record.actor, record.reason, record.after["period"]) == (
            finance,
            "As the contract says.",
            LABEL,
        )
        assert UnattributedLine.objects.get().state == LineState.ASSIGNED

    def test_what_a_person_leaves_out_is_not_asked_again(self, customer, finance):
        row = self.open_line(customer)
        unattributed.leave_out(line_id=row.pk, reason="A one-off.", actor=finance)
        assert fetch(customer)["unattributed"] == 0
        assert amounts() == []

    def test_a_line_that_says_it_now_is_settled(self, customer):
        self.open_line(customer)
        OdooInvoiceLine.objects.update(**SEPTEMBER)
        assert fetch(customer)["unattributed"] == 0
        assert UnattributedLine.objects.get().state == LineState.SETTLED

    def test_refusals_change_nothing(self, customer, finance, auditor):
        row = self.open_line(customer)
        elsewhere = factories.CustomerFactory()
        for code, wrong in {
            "reason_required": {"reason": " "},
            "unknown_period": {"period_label": "2026-W05"},
        }.items():
            with pytest.raises(DomainError) as caught:
                self.assign(row, customer, finance, **wrong)
            assert caught.value.code == code
        with pytest.raises(DomainError, match="not a customer of"):
            self.assign(row, elsewhere, finance)
        with pytest.raises(DomainError) as caught:
            self.assign(row, customer, auditor)
        assert caught.value.code == "permission_denied"
        UnattributedLine.objects.update(state=LineState.SETTLED)
        with pytest.raises(DomainError, match="no longer needs"):
            self.assign(row, customer, finance)
        assert not AuditRecord.objects.filter(action="line.attribute").exists()


class TestOrders:
    @pytest.fixture
    def order(self, customer):
        return factories.OdooOrderFactory(
            odoo_id=701, state="sale", partner_id=PARTNER, next_invoice_date=date(2026, 9, 1)
        )

    def test_what_is_to_invoice_is_of_the_period_that_begins_on_the_next_invoice_date(self, customer, order):
        factories.OdooOrderLineFactory(order_id=701, product_id=PLAN_PRODUCT)
        fetch(customer, Strategy.ORDER)
        assert amounts() == [(LABEL, "100.00", "13.00", "113.00", "CAD")]

    def test_our_usage_on_the_order_is_of_its_fees_period_without_a_tax_that_odoo_does_not_tell(
        self, customer, order, fee
    ):
        nothing_ordered = {"untaxed": Decimal(0), "total": Decimal(0)}
        usage = nothing_ordered | {"untaxed_to_invoice": Decimal("30.86")}
        factories.OdooOrderLineFactory(order_id=701, **usage, **of_fee(fee))
        fetch(customer, Strategy.ORDER)
        assert amounts() == [(fee.period_label, "30.86", "None", "None", "CAD")]

    def test_another_day_than_a_periods_first_waits_for_a_person_for_this_occasion(
        self, customer, order, finance
    ):
        factories.OdooOrderLineFactory(order_id=701, product_id=PLAN_PRODUCT)
        order.next_invoice_date = date(2026, 9, 12)
        order.save()
        assert fetch(customer, Strategy.ORDER)["unattributed"] == 1
        row = UnattributedLine.objects.get()
        unattributed.assign_line(
            line_id=row.pk, customer=customer, period_label=LABEL, reason="Late start.", actor=finance
        )
        fetch(customer, Strategy.ORDER)
        assert len(amounts()) == 1
        order.next_invoice_date = date(2026, 10, 12)
        order.save()
        assert fetch(customer, Strategy.ORDER)["unattributed"] == 1


class TestOneStrategyAtATime:
    def test_quotations_are_read_unless_another_was_chosen(self, customer):
        assert read_strategy(customer.service) == Strategy.QUOTATION

    def test_choosing_another_retires_what_the_former_read(self, customer, operator):
        choose_strategy(service=customer.service, strategy=Strategy.INVOICE, actor=operator)
        line(invoice(), product_id=PLAN_PRODUCT, **SEPTEMBER)
        fetch(customer)
        assert choose_strategy(service=customer.service, strategy=Strategy.ORDER, actor=operator)
        assert amounts() == []
        record = AuditRecord.objects.latest("pk")
        assert (record.action, record.before) == (
            "service.choose_strategy",
            {"strategy": "invoice", "documents": 1},
        )
        assert not choose_strategy(service=customer.service, strategy=Strategy.ORDER, actor=operator)

    def test_only_operators_choose(self, customer, finance):
        with pytest.raises(DomainError) as caught:
            choose_strategy(service=customer.service, strategy=Strategy.INVOICE, actor=finance)
        assert caught.value.code == "permission_denied"


class TestFetching:
    """The whole way, from a subscription order in the stand-in to an amount here."""

    @pytest.fixture
    def ordered(self, world, operator):
        customer = world.make_customer()
        order = confirmed_order(world, start_date="2026-09-01")
        world.office.call("sale.order", "write", [order], {"next_invoice_date": "2026-09-01"})
        customer.subscriptions.update(odoo_order_id=order)
        choose_strategy(service=world.service, strategy=Strategy.ORDER, actor=operator)
        return customer

    def fetch(self, world):
        return perform(start_run(kind=RunKind.FETCH, service=world.service, period_label=LABEL), do_work)

    def test_what_an_order_has_to_invoice_comes_back(self, world, ordered):
        assert self.fetch(world).status == "succeeded"
        assert amounts() == [(LABEL, "99.00", "12.87", "111.87", "CAD")]

    @pytest.mark.parametrize("model", ["sale.order", "account.move.line"])
    def test_a_failed_fetch_changes_nothing_and_is_never_a_zero(self, world, ordered, model):
        self.fetch(world)
        before = list(Amount.objects.values())
        (line_id,) = world.office.find("sale.order.line", ["order_id", "!=", False])
        world.office.call("sale.order.line", "write", [line_id], {"product_uom_qty": 3})
        world.stand_in.set_fault("bad_gateway", method=f"{model}.search_read")
        assert self.fetch(world).status == "failed"
        assert list(Amount.objects.values()) == before
        assert self.fetch(world).status == "succeeded"
        assert [row[1] for row in amounts()] == ["297.00"]

    def test_a_user_who_may_not_read_invoices_is_told_so_and_nothing_is_zero(
        self, world, ordered, monkeypatch
    ):
        self.fetch(world)
        before = amounts()
        monkeypatch.delitem(world.stand_in.application.registry.models, "account.move")
        run = self.fetch(world)
        assert (run.status, amounts()) == ("failed", before)
        assert "Invoices were not read" in run.message
        assert timezone.now() - run.finished_at < timedelta(minutes=1)
