"""Odoo's side comes back as Odoo computed it: changed, gone, confirmed, in another currency or not at all."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ingest.models import AuditRecord, Fee
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import Alarm, Amount, AmountLine, Push, Reconciliation, SourceDocument, Strategy
from reconciliation.odoo_amounts import fetch_amounts
from reconciliation.strategies import choose_strategy
from tests import factories
from tests.reconciliation.sides import external, judge

LABEL = factories.PERIOD_LABEL


@pytest.fixture
def customer(world):
    """A customer whose 30.86 of API calls and full plan fee are in Odoo."""
    customer = world.make_customer()
    world.rate(customer, api="30.86", plan_days=30)
    world.push_now()
    return customer


def fetch(world, **values):
    given = {"connector": world.connector, "unread_since": timezone.now(), **values}
    return fetch_amounts(service=world.service, period_label=LABEL, **given)


def write(world, customer, **values):
    world.office.call("sale.order", "write", [world.latest(customer).odoo_id], values)


def delete(world, customer):
    world.office.call("sale.order", "unlink", [world.latest(customer).odoo_id])


def totals():
    return [str(amount.total) for amount in Amount.objects.filter(is_current=True)]


class TestFetching:
    def test_nothing_changed_is_a_fetch_without_a_new_version(self, world, customer):
        before = SourceDocument.objects.get().fetched_at
        assert fetch(world) == {"quotations": 1, "changed": 0, "gone": 0}
        document = SourceDocument.objects.get()
        assert (document.version, document.fetched_at > before) == (1, True)

    def test_what_was_read_since_is_not_read_again(self, world, customer):
        before = SourceDocument.objects.get().fetched_at
        assert fetch(world, unread_since=before) == {"quotations": 0, "changed": 0, "gone": 0}
        assert SourceDocument.objects.get().fetched_at == before

    def test_a_price_that_changed_in_odoo_is_a_new_version(self, world, customer):
        (line,) = world.office.find("sale.order.line", ["name", "like", "Pro"])
        world.office.call("sale.order.line", "write", [line], {"price_unit": 80})
        assert fetch(world)["changed"] == 1
        assert totals() == ["125.27"]
        assert SourceDocument.objects.count() == 2
        plan = AmountLine.objects.get(amount__is_current=True, kind="plan")
        assert (plan.unit_price, plan.untaxed, plan.is_priced_by_odoo) == (80, 80, True)

    def test_two_taxes_on_one_base_come_back_summed(self, world):
        customer = world.make_customer()
        customer.odoo_partner_id = world.office.customer("Québec Inc", province="QC")
        customer.save()
        world.rate(customer, api="133.96")
        world.push_now()
        amount = Amount.objects.get(customer=customer)
        assert [str(figure) for figure in (amount.untaxed, amount.tax, amount.total)] == [
            "133.96",
            "20.06",
            "154.02",
        ]

    def test_a_quotation_in_another_currency_keeps_its_own(self, world, customer):
        write(world, customer, pricelist_id=world.office.pricelist("USD"))
        fetch(world)
        amount = Amount.objects.get(is_current=True)
        assert amount.currency == "USD"
        external(customer, "129.86")
        judge(world.service, now=timezone.now())
        assert set(Reconciliation.objects.values_list("outcome", flat=True)) == {"other_currency"}

    def test_only_the_chosen_customers_and_the_period_are_read(self, world, customer):
        other = world.make_customer()
        world.rate(other, api="1.00")
        world.push_now()
        assert fetch(world, customers=[other.pk])["quotations"] == 1
        Push.objects.update(period_label="2026-08")
        assert fetch(world) == {"quotations": 0, "changed": 0, "gone": 0}

    def test_many_are_read_in_batches_with_progress(self, world, monkeypatch):
        monkeypatch.setattr("reconciliation.odoo_amounts.BATCH", 2)
        for each in world.make_customers(5):
            world.rate(each, api="1.00")
        world.push_now()
        reports = []

        class Watch:
            def report(self, stage, done, total):
                reports.append((done, total))

        assert fetch(world, progress=Watch())["quotations"] == 5
        assert reports == [(2, 5), (4, 5), (5, 5)]

    def test_the_number_of_calls_does_not_grow_with_the_customers(self, world):
        def count_calls(customers):
            for each in world.make_customers(customers):
                world.rate(each, api="1.00")
            world.push_now()
            before = sum(world.stand_in.state["calls"].values())
            fetch(world)
            return sum(world.stand_in.state["calls"].values()) - before

        assert count_calls(2) == count_calls(40) <= 7


class TestFailing:
    @pytest.mark.parametrize("fault", ["bad_gateway", "reset", "drop_answer_after_commit"])
    def test_a_failed_fetch_changes_nothing_and_is_never_a_zero(self, world, customer, fault):
        before = (
            list(Amount.objects.values()),
            list(SourceDocument.objects.values()),
            list(Push.objects.values()),
        )
        world.stand_in.set_fault(fault, method="sale.order.search_read")
        with pytest.raises(ConnectorError):
            fetch(world)
        after = (
            list(Amount.objects.values()),
            list(SourceDocument.objects.values()),
            list(Push.objects.values()),
        )
        assert after == before

    def test_odoo_being_down_changes_nothing(self, world, customer):
        connector = world.connector
        world.stand_in.stop()
        with pytest.raises(ConnectorError):
            fetch(world, connector=connector)
        assert totals() == ["146.74"]


class TestGone:
    def test_a_deleted_quotation_no_longer_counts_and_its_push_has_failed(self, world, customer):
        delete(world, customer)
        assert fetch(world) == {"quotations": 0, "changed": 0, "gone": 1}
        assert totals() == []
        row = world.latest(customer)
        assert (row.status, row.error_code) == ("failed", "gone")
        assert SourceDocument.objects.get().content["name"].startswith("S")

    def test_the_next_push_writes_it_again(self, world, customer):
        delete(world, customer)
        fetch(world)
        assert world.push_now() == {"done": 1}
        assert totals() == ["146.74"]
        assert world.quotations() == (1, 2)

    def test_it_is_told_once(self, world, customer):
        delete(world, customer)
        fetch(world)
        assert fetch(world)["gone"] == 0

    def test_older_versions_do_not_pretend_that_odoo_holds_them(self, world, customer):
        world.rate(customer, api="31.07")
        world.push_now()
        delete(world, customer)
        fetch(world)
        versions = Push.objects.order_by("version").values_list("status", flat=True)
        assert list(versions) == ["superseded", "failed"]

    def test_a_row_says_that_its_odoo_side_is_missing(self, world, customer):
        external(customer, "129.86")
        judge(world.service, now=timezone.now())
        delete(world, customer)
        fetch(world)
        judge(world.service, now=timezone.now())
        row = Reconciliation.objects.get()
        assert (row.outcome, row.odoo_amount, row.delta) == ("missing_odoo", None, None)


class TestConfirmed:
    def confirm(self, world, customer):
        world.office.call("sale.order", "action_confirm", [world.latest(customer).odoo_id])

    def test_a_confirmed_quotation_raises_one_alarm_and_its_amounts_still_count(self, world, customer):
        self.confirm(world, customer)
        fetch(world)
        fetch(world)
        alarm = Alarm.objects.get()
        assert (alarm.kind, alarm.reference) == ("quotation_not_draft", world.latest(customer).key)
        assert "Cancel it in Odoo" in alarm.message
        assert Amount.objects.get(is_current=True).state == "sale"
        assert AuditRecord.objects.filter(action="alarm.raise").count() == 1

    def test_the_alarm_is_cleared_when_it_is_a_draft_again(self, world, customer):
        self.confirm(world, customer)
        fetch(world)
        write(world, customer, state="draft")
        fetch(world)
        assert Alarm.objects.get().cleared_at is not None

    def test_the_alarm_is_cleared_when_the_quotation_is_gone(self, world, customer):
        self.confirm(world, customer)
        fetch(world)
        write(world, customer, state="cancel")
        delete(world, customer)
        fetch(world)
        assert Alarm.objects.get().cleared_at is not None

    def test_it_is_watched_for_although_a_newer_version_failed_on_it(self, world, customer):
        self.confirm(world, customer)
        for amount in ("31.07", "32.00"):
            world.rate(customer, api=amount)
            world.push_now()
        write(world, customer, state="draft")
        assert fetch(world)["quotations"] == 1
        assert Alarm.objects.get().cleared_at is not None

    def test_a_second_confirmation_is_a_second_alarm(self, world, customer):
        for _ in range(2):
            self.confirm(world, customer)
            fetch(world)
            write(world, customer, state="draft")
            fetch(world)
        assert Alarm.objects.count() == 2


def test_the_quantity_that_a_line_shows_is_the_usage_not_the_one_piece_in_odoo(world, customer):
    line = AmountLine.objects.get(kind="usage")
    assert (line.quantity, line.unit_price) == (Decimal("1200.5"), None)
    assert Fee.objects.get(charge__isnull=False).quantity == line.quantity


def test_what_was_fetched_says_when_the_reading_began(world, customer):
    before = timezone.now()
    fetch(world)
    assert before <= Amount.objects.get().fetched_at <= timezone.now()
    assert Amount.objects.get().fetched_at - before < timedelta(minutes=1)


def test_a_quotation_counts_beside_nothing_else(world, operator):
    choose_strategy(service=world.service, strategy=Strategy.INVOICE, actor=operator)
    customer = world.make_customer()
    world.rate(customer, api="30.86")
    world.push_now()
    assert world.latest(customer).status == "done"
    write(world, customer, state="sent")
    fetch(world)
    assert not Amount.objects.exists()
    assert Alarm.objects.filter(kind="quotation_not_draft", cleared_at=None).exists()
