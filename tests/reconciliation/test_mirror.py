"""The mirror of Odoo: complete, also after a sync that failed half-way, and never longer than its columns."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from reconciliation import mirror
from reconciliation.connectors.errors import ConnectorError
from reconciliation.models import (
    OdooFiscalPosition,
    OdooInvoice,
    OdooOrder,
    OdooPartner,
    OdooPricelist,
    OdooProduct,
    OdooTax,
    Run,
    RunKind,
)
from reconciliation.runs import perform, start_run
from reconciliation.work import do_work
from tests import factories


def sync(world, service=None):
    """A sync as a run, so that the next one knows from where to go on."""
    return perform(start_run(kind=RunKind.SYNC, service=service), do_work)


def confirmed_order(world, **values):
    order = world.office.create(
        "sale.order",
        partner_id=world.partner,
        client_order_ref="NexaCloud",
        is_subscription=True,
        order_line=[[0, 0, {"product_id": world.plan.odoo_product_id, "product_uom_qty": 1}]],
        **values,
    )
    world.office.call("sale.order", "action_confirm", [order])
    return order


class TestSync:
    def test_partners_products_pricelists_and_orders_are_kept_with_their_raw_records(self, world):
        order = confirmed_order(world)
        assert sync(world).status == "succeeded"
        partner = OdooPartner.objects.get(odoo_id=world.partner)
        assert (partner.name, partner.raw["name"]) == ("Acme", "Acme")
        assert OdooProduct.objects.get(odoo_id=world.plan.odoo_product_id).list_price == 99
        assert set(OdooPricelist.objects.values_list("currency", flat=True)) == {"CAD", "USD"}
        kept = OdooOrder.objects.get()
        assert (kept.odoo_id, kept.state, kept.partner_id, kept.client_order_ref) == (
            order,
            "sale",
            world.partner,
            "NexaCloud",
        )
        assert (str(kept.untaxed), str(kept.total), kept.currency) == ("99.00", "111.87", "CAD")
        assert len(kept.raw["lines"]) == 1

    def test_what_decides_taxes_is_kept(self, world):
        exempt = world.office.create("account.fiscal.position", name="Exempt", auto_apply=False)
        changes = {"property_account_position_id": exempt, "type": "invoice"}
        world.office.call("res.partner", "write", [world.partner], changes)
        sync(world)
        hst = OdooTax.objects.get(name="13% HST")
        quebec = OdooFiscalPosition.objects.get(name="Quebec (QC)")
        names = OdooTax.objects.filter(odoo_id__in=quebec.tax_ids).values_list("name", flat=True)
        assert set(names) == {"5% GST", "9.975% QST"}
        assert OdooTax.objects.get(name="9.975% QST").percent == Decimal("9.975")
        assert OdooTax.objects.get(name="9.975% QST").original_ids == [hst.odoo_id]
        assert OdooProduct.objects.get(odoo_id=world.plan.odoo_product_id).tax_ids == [hst.odoo_id]
        partner = OdooPartner.objects.get(odoo_id=world.partner)
        assert (partner.company_id, partner.position_id, partner.address_type) == (1, exempt, "invoice")
        assert partner.country_id == quebec.country_id
        assert OdooFiscalPosition.objects.get(state_ids=[partner.state_id]).name == "Ontario (ON)"

    def test_a_tax_that_is_gone_in_odoo_is_set_inactive(self, world):
        tax = world.office.create("account.tax", name="Old", amount=3)
        sync(world)
        world.office.call("account.tax", "unlink", [tax])
        sync(world)
        assert OdooTax.objects.filter(is_active=False).get().odoo_id == tax

    def test_syncing_again_updates_in_place(self, world):
        sync(world)
        before = OdooPartner.objects.count()
        world.office.call(
            "res.partner", "write", [world.partner], {"name": "Acme Incorporated", "ref": "A-1"}
        )
        sync(world)
        partner = OdooPartner.objects.get(odoo_id=world.partner)
        assert (partner.name, partner.ref, OdooPartner.objects.count()) == (
            "Acme Incorporated",
            "A-1",
            before,
        )

    def test_progress_is_told_by_kind(self, world):
        run = sync(world)
        assert (run.stage, run.done, run.total) == ("Mirrored taxes", 6, 6)
        assert run.summary.keys() == {
            "partners",
            "products",
            "pricelists",
            "orders",
            "fiscal positions",
            "taxes",
        }

    def test_a_text_that_is_too_long_for_its_column_does_not_stop_the_mirror(self, world):
        long = "Ü" * 600
        world.office.call("res.partner", "write", [world.partner], {"name": long, "ref": long, "email": long})
        assert sync(world).status == "succeeded"
        partner = OdooPartner.objects.get(odoo_id=world.partner)
        assert (len(partner.name), len(partner.ref), len(partner.email)) == (512, 255, 255)
        assert partner.raw["name"] == long

    def test_more_records_than_a_batch_are_kept(self, world, monkeypatch):
        monkeypatch.setattr("reconciliation.mirror.BATCH", 3)
        for number in range(7):
            world.office.customer(f"Customer {number}")
        sync(world)
        assert OdooPartner.objects.filter(name__startswith="Customer").count() == 7


class TestWhereItGoesOn:
    def start(self, service=None):
        return mirror.find_start(start_run(kind=RunKind.SYNC, service=service))

    def done(self, at, **values):
        usual = {"kind": RunKind.SYNC, "status": "succeeded", "service": None}
        return factories.RunFactory(started_at=at, **(usual | values))

    @pytest.fixture
    def now(self, db):
        """A mirror that has the taxes of both companies."""
        for company in (1, 2):
            factories.OdooTaxFactory(company_id=company)
        return timezone.now()

    def test_the_first_sync_reads_everything(self, db):
        assert self.start() is None

    def test_the_next_one_reads_from_the_last_complete_one_with_room_for_late_commits(self, now):
        self.done(now - timedelta(days=9))
        self.done(now - timedelta(days=3))
        assert self.start() == now - timedelta(days=3) - mirror.OVERLAP

    @pytest.mark.parametrize("status", ["failed", "partial", "running"])
    def test_a_sync_that_did_not_end_well_counts_for_nothing(self, now, status):
        self.done(now, status=status, leased_until=now)
        assert self.start() is None

    def test_other_kinds_of_runs_count_for_nothing(self, now):
        self.done(now, kind=RunKind.FETCH)
        assert self.start() is None

    def test_another_companys_sync_counts_for_nothing(self, now):
        ours, theirs = (factories.ServiceFactory(odoo_company_id=company) for company in (None, 2))
        self.done(now, service=theirs)
        assert (self.start(), self.start(ours)) == (None, None)
        assert self.start(theirs) == now - mirror.OVERLAP

    def test_a_mirror_from_before_taxes_were_mirrored_is_read_whole_once_more(self, now):
        self.done(now - timedelta(days=3))
        OdooTax.objects.filter(company_id=1).delete()
        assert self.start() is None

    def test_what_a_failed_sync_missed_is_read_by_the_next_one(self, world, monkeypatch):
        """Partners come by id: the first page may hold the newest while older ones are still to come."""
        monkeypatch.setattr("reconciliation.mirror.BATCH", 1)
        missed = world.office.customer("Older by its date")
        OdooPartner.objects.all().delete()
        world.stand_in.set_fault("bad_gateway", method="product.product.search_read")
        assert sync(world).status == "failed"
        OdooPartner.objects.filter(odoo_id=missed).delete()
        OdooPartner.objects.update(written_at=timezone.now() + timedelta(days=30))
        assert sync(world).status == "succeeded"
        assert OdooPartner.objects.filter(odoo_id=missed).exists()


class TestInvoices:
    @pytest.fixture
    def order(self, world):
        order = confirmed_order(world)
        subscription = world.make_customer().subscriptions.get()
        subscription.odoo_order_id = order
        subscription.save()
        sync(world)
        return order

    def invoice(self, world, order):
        wizard = world.office.call(
            "sale.advance.payment.inv",
            "create",
            {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [order]]]},
        )
        world.office.call(
            "sale.advance.payment.inv",
            "create_invoices",
            [wizard],
            context={"active_model": "sale.order", "active_ids": [order]},
        )
        return world.office.find("account.move", ["move_type", "=", "out_invoice"])[0]

    def test_draft_and_posted_invoices_of_the_services_orders_are_kept(self, world, order):
        move = self.invoice(world, order)
        assert mirror.sync_invoices(service=world.service, connector=world.connector) == 1
        draft = OdooInvoice.objects.get()
        assert (draft.odoo_id, draft.state, draft.order.odoo_id) == (move, "draft", order)
        assert [str(figure) for figure in (draft.untaxed, draft.tax, draft.total)] == [
            "99.00",
            "12.87",
            "111.87",
        ]
        world.office.call("account.move", "action_post", [move])
        mirror.sync_invoices(service=world.service, connector=world.connector)
        posted = OdooInvoice.objects.get()
        assert (posted.state, posted.name.startswith("INV/")) == ("posted", True)

    def test_a_service_without_orders_asks_nothing(self, world):
        calls = sum(world.stand_in.state["calls"].values())
        assert mirror.sync_invoices(service=world.service, connector=world.connector) == 0
        assert sum(world.stand_in.state["calls"].values()) == calls

    def test_another_services_invoices_are_not_read(self, world, order):
        self.invoice(world, order)
        assert mirror.sync_invoices(service=factories.ServiceFactory(), connector=world.connector) == 0

    def test_a_failed_reading_keeps_what_is_known(self, world, order):
        self.invoice(world, order)
        mirror.sync_invoices(service=world.service, connector=world.connector)
        world.stand_in.set_fault("reset", method="account.move.search_read")
        with pytest.raises(ConnectorError):
            mirror.sync_invoices(service=world.service, connector=world.connector)
        assert OdooInvoice.objects.count() == 1


def test_a_sync_run_names_no_service_unless_it_was_asked_for_one(world):
    sync(world)
    assert Run.objects.get().service is None
