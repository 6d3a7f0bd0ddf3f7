"""The mirror of Odoo: equal to it whatever changed there, and complete also after a sync that was cut off."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, RESTRICTED_LOGIN
from reconciliation import mirror
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.mirror_rows import BILLED, SHELVES
from reconciliation.models import (
    MirrorCursor,
    OdooFiscalPosition,
    OdooInvoice,
    OdooInvoiceLine,
    OdooOrder,
    OdooOrderLine,
    OdooPartner,
    OdooPricelist,
    OdooProduct,
    OdooTax,
    Run,
)
from tests.reconciliation.connectors.odoo.conftest import CountingTransport
from tests.reconciliation.mirrored import (
    assert_equal,
    before_storing,
    confirmed_order,
    in_pages_of,
    kill,
    make_invoices,
    sync,
)


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
        line = OdooOrderLine.objects.get()
        assert (line.order_id, line.untaxed, line.untaxed_to_invoice, line.to_invoice) == (order, 99, 99, 1)

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
        gone = OdooTax.objects.get(is_active=False)
        assert (gone.odoo_id, gone.gone_at is not None) == (tax, True)

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
        assert (run.stage, run.done, run.total) == ("Mirroring invoice lines", 0, 0)
        assert run.summary.keys() == {shelf.name for shelf in SHELVES} | {"gone", "refused"}

    def test_how_many_are_still_to_come_is_told_when_one_page_does_not_hold_them(self, world):
        for number in range(5):
            world.office.customer(f"Customer {number}")
        told = []
        watch = type("Watch", (), {"report": lambda _, *each: told.append(each)})()
        mirror.forget_passes(company_id=1)
        mirror.sync(connector=world.connector, shelves=in_pages_of(2)[:1], progress=watch)
        assert told == [("Mirroring partners", done, 6) for done in (2, 4, 6, 6)]

    def test_a_text_that_is_too_long_for_its_column_does_not_stop_the_mirror(self, world):
        long = "Ü" * 600
        world.office.call("res.partner", "write", [world.partner], {"name": long, "ref": long, "email": long})
        assert sync(world).status == "succeeded"
        partner = OdooPartner.objects.get(odoo_id=world.partner)
        assert (len(partner.name), len(partner.ref), len(partner.email)) == (512, 255, 255)
        assert partner.raw["name"] == long


class TestGoingOn:
    """Each kind knows by itself from where to go on."""

    def cursor(self, kind="partners"):
        return MirrorCursor.objects.get(kind=kind)

    def test_the_next_pass_reads_from_the_newest_record_with_room_for_late_commits(self, world):
        sync(world)
        partner = OdooPartner.objects.latest("written_at")
        assert self.cursor().since == partner.written_at - mirror.OVERLAP
        assert (self.cursor().after_id, self.cursor().started_at) == (0, None)

    def test_what_was_written_long_ago_is_not_read_again(self, world):
        sync(world)
        MirrorCursor.objects.update(since=timezone.now() + timedelta(hours=2))
        world.office.call("res.partner", "write", [world.partner], {"ref": "A-1"})
        mirror.sync(connector=world.connector)
        assert OdooPartner.objects.get(odoo_id=world.partner).ref == ""

    def test_a_pass_that_was_cut_off_for_days_reads_from_where_it_began(self, world):
        """What changed behind it in the meantime is older than the newest record that it met."""
        began = timezone.now() - timedelta(days=3)
        MirrorCursor.objects.create(company_id=1, kind="orders", started_at=began)
        confirmed_order(world)
        sync(world)
        assert self.cursor("orders").since == began - mirror.OVERLAP

    def test_a_pass_goes_on_after_its_last_stored_page(self, world):
        for number in range(6):
            world.office.customer(f"Customer {number}")
        mirror.forget_passes(company_id=1)
        transport = CountingTransport(world.transport())
        connector = OdooConnector(transport, company_id=1)
        transport.before[4] = kill  # counted: two pages, the codes of countries and provinces, and the count
        with pytest.raises(KeyboardInterrupt):
            mirror.sync(connector=connector, shelves=in_pages_of(2)[:1])
        stored = self.cursor().after_id
        assert stored == OdooPartner.objects.filter(name__startswith="Customer").earliest("odoo_id").odoo_id
        asked = CountingTransport(world.transport())
        mirror.sync(connector=OdooConnector(asked, company_id=1), shelves=in_pages_of(2)[:1])
        assert asked.counts()["res.partner.search_read"] == 3
        assert_equal(world.connector)

    def test_a_worker_that_is_killed_in_the_middle_of_a_page_has_stored_none_of_it(self, world, monkeypatch):
        sync(world)
        make_invoices(world.stand_in, 5, partner=world.partner)
        monkeypatch.setattr(mirror, "_end_pass", lambda _cursor: kill())
        with pytest.raises(KeyboardInterrupt):
            mirror.sync(connector=world.connector, shelves=BILLED)
        assert (OdooInvoice.objects.count(), self.cursor("invoices").after_id) == (0, 0)
        assert self.cursor("invoices").started_at is not None
        monkeypatch.undo()
        sync(world)
        assert_equal(world.connector)

    def test_a_page_that_another_worker_stored_meanwhile_is_dropped(self, world, monkeypatch):
        """Between the reading and the storing of a page, another sync reads a newer state and stores it."""
        mirror.forget_passes(company_id=1)

        def overtake():
            world.office.call("res.partner", "write", [world.partner], {"name": "Newer"})
            mirror.sync(connector=world.connector, shelves=SHELVES[:1])

        before_storing(monkeypatch, 0, overtake)
        mirror.sync(connector=world.connector, shelves=SHELVES[:1])
        assert OdooPartner.objects.get(odoo_id=world.partner).name == "Newer"

    def test_companies_go_on_each_by_itself(self, world):
        sync(world)
        company = world.office.create("res.company", name="Second")
        other = OdooConnector(world.transport(), company_id=company)
        mirror.sync(connector=other, shelves=SHELVES[:1])
        assert MirrorCursor.objects.filter(kind="partners").count() == 2


class TestWhatIsGone:
    def test_deleted_merged_and_archived_records_say_so_and_stay(self, world):
        merged, archived = (world.office.customer(name) for name in ("Merged", "Archived"))
        sync(world)
        world.office.call("res.partner", "unlink", [merged])
        world.office.call("res.partner", "write", [archived], {"active": False})
        run = sync(world)
        assert run.summary["gone"] == 1
        gone = OdooPartner.objects.get(odoo_id=merged)
        assert (gone.name, gone.gone_at is not None) == ("Merged", True)
        kept = OdooPartner.objects.get(odoo_id=archived)
        assert (kept.is_active, kept.gone_at) == (False, None)
        assert sync(world).summary["gone"] == 0

    def test_what_no_write_date_tells_of_is_found_by_its_id(self, world):
        """An order that becomes a subscription brings lines that were written long before."""
        order = confirmed_order(world)
        world.office.call("sale.order", "write", [order], {"is_subscription": False})
        sync(world)
        assert not OdooOrderLine.objects.exists()
        MirrorCursor.objects.filter(kind="order lines").update(since=timezone.now() + timedelta(days=1))
        world.office.call("sale.order", "write", [order], {"is_subscription": True})
        sync(world)
        assert OdooOrderLine.objects.get().order_id == order
        world.office.call("sale.order", "write", [order], {"is_subscription": False})
        assert sync(world).summary["gone"] == 2

    def test_a_line_changes_without_its_order(self, world):
        order = confirmed_order(world)
        sync(world)
        before = OdooOrder.objects.get().written_at
        (line,) = world.office.find("sale.order.line", ["order_id", "=", order])
        world.office.call("sale.order.line", "write", [line], {"qty_delivered": 7})
        sync(world)
        assert (OdooOrderLine.objects.get().delivered, OdooOrder.objects.get().written_at) == (7, before)


class TestRefusals:
    def test_models_that_the_user_may_not_read_leave_the_others_their_turn(self, world, settings):
        settings.ODOO_LOGIN, settings.ODOO_API_KEY = RESTRICTED_LOGIN, RESTRICTED_KEY
        OdooPartner.objects.all().delete()
        run = sync(world)
        assert (run.status, run.summary["refused"]) == ("partial", 7)
        assert "Invoices were not read: Odoo does not allow this user to do that." in run.message
        assert OdooPartner.objects.exists()
        assert "not allowed" in MirrorCursor.objects.get(kind="invoices").error
        settings.ODOO_LOGIN, settings.ODOO_API_KEY = (
            world.stand_in.settings.login,
            world.stand_in.settings.key,
        )
        assert sync(world).status == "succeeded"
        assert MirrorCursor.objects.get(kind="invoices").error == ""

    def test_a_server_without_subscriptions_leaves_nothing_undone(self, world, monkeypatch):
        monkeypatch.delitem(world.stand_in.application.registry.models, "sale.subscription.plan")
        run = sync(world)
        assert (run.status, run.summary["refused"], run.summary["plans"]) == ("succeeded", 0, 0)
        assert run.message.startswith("Plans were not read")

    @pytest.mark.parametrize("fault", ["bad_gateway", "reset", "serialization_failure"])
    def test_a_server_that_fails_ends_the_run_and_keeps_what_is_known(self, world, fault):
        sync(world)
        before = list(OdooProduct.objects.values("odoo_id", "name"))
        world.office.call("res.partner", "write", [world.partner], {"name": "Changed"})
        world.stand_in.set_fault(fault, method="product.product.search_read")
        run = sync(world)
        assert (run.status, list(OdooProduct.objects.values("odoo_id", "name"))) == ("failed", before)
        assert OdooPartner.objects.get(odoo_id=world.partner).name == "Changed"
        assert sync(world).status == "succeeded"


class TestInvoices:
    @pytest.fixture
    def order(self, world):
        order = confirmed_order(world)
        sync(world)
        return order

    def invoice(self, world, order):
        context = {"active_model": "sale.order", "active_ids": [order]}
        values = {"advance_payment_method": "delivered"}
        wizard = world.office.call("sale.advance.payment.inv", "create", values, context=context)
        world.office.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
        return world.office.find("account.move", ["move_type", "=", "out_invoice"])[0]

    def test_draft_and_posted_invoices_are_kept_with_their_lines_and_taxes(self, world, order):
        move = self.invoice(world, order)
        sync(world)
        draft = OdooInvoice.objects.get()
        assert (draft.odoo_id, draft.state) == (move, "draft")
        assert [str(figure) for figure in (draft.untaxed, draft.tax, draft.total)] == [
            "99.00",
            "12.87",
            "111.87",
        ]
        billed, tax = OdooInvoiceLine.objects.order_by("odoo_id")
        assert (billed.move_id, billed.sale_line_ids) == (move, [OdooOrderLine.objects.get().odoo_id])
        assert (tax.display_type, tax.name, tax.balance) == ("tax", "13% HST", Decimal("-12.87"))
        world.office.call("account.move", "action_post", [move])
        sync(world)
        posted = OdooInvoice.objects.get()
        assert (posted.state, posted.payment_state, posted.name[:4]) == ("posted", "not_paid", "INV/")

    def test_a_draft_that_is_deleted_is_gone_with_its_lines(self, world, order):
        move = self.invoice(world, order)
        sync(world)
        world.office.call("account.move", "unlink", [move])
        assert sync(world).summary["gone"] == 3


def test_a_sync_run_names_no_service_unless_it_was_asked_for_one(world):
    sync(world)
    assert Run.objects.get().service is None
