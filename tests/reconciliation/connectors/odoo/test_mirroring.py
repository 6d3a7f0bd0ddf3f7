"""The readers against a running stand-in: every field filled from what somebody made there."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, RESTRICTED_LOGIN
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.invoices import INVOICE_LINES, INVOICES
from reconciliation.connectors.odoo.mirror import PARTNERS, PRICELISTS, PRODUCTS
from reconciliation.connectors.odoo.orders import ORDER_LINES, ORDERS
from reconciliation.connectors.odoo.taxes import FISCAL_POSITIONS, TAXES
from tests.reconciliation.connectors.odoo.conftest import SETTINGS
from tests.reconciliation.connectors.odoo.drafting import Shop


def connect(stand_in, **changes):
    values = {
        "url": stand_in.url,
        "database": SETTINGS.database,
        "login": SETTINGS.login,
        "api_key": SETTINGS.key,
        "company_id": 1,
    }
    return OdooConnector.connect(**(values | changes), read_billers=dict.fromkeys)


@pytest.fixture
def order(back_office):
    """A running subscription: a plan at 99 and a metered product at 0.0025, nothing delivered yet."""
    plan = back_office.create("sale.subscription.plan", name="Monthly")
    fee = back_office.product("Pro plan", 99)
    calls = back_office.product("API calls", 0.0025, invoice_policy="delivery")
    number = back_office.create(
        "sale.order",
        partner_id=back_office.customer(),
        client_order_ref="sub_1",
        is_subscription=True,
        plan_id=plan,
        start_date="2026-11-01",
        order_line=[
            [0, 0, {"product_id": fee, "product_uom_qty": 1}],
            [0, 0, {"product_id": calls, "product_uom_qty": 0, "price_unit": 0.0025}],
        ],
    )
    back_office.call("sale.order", "action_confirm", [number])
    return number


def invoice(back_office, order):
    """Bill what there is to bill, and return the draft."""
    context = {"active_model": "sale.order", "active_ids": [order]}
    values = [{"advance_payment_method": "delivered"}]
    wizard = back_office.call("sale.advance.payment.inv", "create", values, context=context)
    return back_office.call("sale.advance.payment.inv", "create_invoices", wizard, context=context)["res_id"]


def refund(back_office, move):
    context = {"active_model": "account.move", "active_ids": [move]}
    (journal,) = back_office.find("account.journal")
    values = [{"journal_id": journal, "reason": "usage correction"}]
    wizard = back_office.call("account.move.reversal", "create", values, context=context)
    return back_office.call("account.move.reversal", "refund_moves", wizard, context=context)["res_id"]


class TestConnection:
    def test_a_probe_finds_version_login_and_company(self, connector):
        probe = connector.probe()
        assert (probe.version, probe.login) == ("19.0", SETTINGS.login)
        assert probe.company.currency == "CAD"
        assert probe.company.rounding_method == "round_globally"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"api_key": "wrong"}, "authentication"),
            ({"database": "nosuchdb"}, "transient"),
            ({"company_id": 77}, "permission"),
        ],
    )
    def test_what_is_wrong_with_a_connection_is_said(self, stand_in, changes, code):
        with pytest.raises(ConnectorError) as caught:
            connect(stand_in, **changes).probe()
        assert caught.value.code == code

    def test_a_user_without_rights_gets_a_permission_error(self, stand_in):
        with pytest.raises(ConnectorError) as caught:
            connect(stand_in, login=RESTRICTED_LOGIN, api_key=RESTRICTED_KEY).read_page(INVOICES)
        assert caught.value.code == "permission"


class TestPartnersProductsPricelists:
    def test_a_partner_has_its_province(self, connector, back_office):
        number = back_office.customer("Acme", "QC", ref="cust_1", email="a@acme.example", vat="CA1")
        found = {partner.id: partner for partner in connector.read_all(PARTNERS)}[number]
        assert (found.name, found.ref, found.email, found.vat) == ("Acme", "cust_1", "a@acme.example", "CA1")
        assert (found.country_code, found.state_code) == ("CA", "QC")
        assert found.is_active

    def test_a_partner_without_anything_is_read(self, connector, back_office):
        number = back_office.customer("Bare", province=None)
        found = {partner.id: partner for partner in connector.read_all(PARTNERS)}[number]
        assert (found.ref, found.email, found.country_code, found.state_code, found.parent_id) == (None,) * 5

    def test_an_archived_partner_is_read_as_such(self, connector, back_office):
        number = back_office.customer()
        back_office.call("res.partner", "write", [number], {"active": False})
        assert [partner.is_active for partner in connector.read_all(PARTNERS) if partner.id == number] == [
            False
        ]

    def test_more_than_a_page_comes_whole_and_once(self, connector, back_office):
        rows = [{"name": f"Customer {number}"} for number in range(1100)]
        numbers = back_office.call("res.partner", "create", rows)
        found = [partner.id for partner in connector.read_all(PARTNERS)]
        assert found == sorted(found)
        assert set(numbers) <= set(found)
        assert len(set(found)) == len(found)

    def test_since_looks_back_and_no_further_than_needed(self, connector, back_office):
        number = back_office.customer()
        now = datetime.now(UTC)
        assert number in [
            partner.id for partner in connector.read_all(PARTNERS, since=now + timedelta(minutes=4))
        ]
        assert list(connector.read_all(PARTNERS, since=now + timedelta(minutes=6))) == []

    def test_a_product_has_an_exact_price(self, connector, back_office):
        number = back_office.product("API calls", 0.0025, default_code="api_calls")
        (found,) = (product for product in connector.read_all(PRODUCTS) if product.id == number)
        assert (found.default_code, found.list_price, found.is_active) == (
            "api_calls",
            Decimal("0.0025"),
            True,
        )

    def test_pricelists_have_currencies(self, connector):
        assert {pricelist.currency for pricelist in connector.read_all(PRICELISTS)} == {"CAD", "USD"}


class TestTaxes:
    def test_the_recorded_tax_is_read_with_its_digits(self, connector):
        found = {tax.name: tax for tax in connector.read_all(TAXES)}
        assert (str(found["13% HST"].amount), str(found["9.975% QST"].amount)) == ("13.0", "9.975")
        hst, qst = found["13% HST"], found["9.975% QST"]
        assert (hst.amount_type, hst.use, hst.is_price_included, hst.affects_base) == (
            "percent",
            "sale",
            False,
            False,
        )
        assert (qst.original_ids, qst.child_ids, qst.company_id) == ((hst.id,), (), 1)

    def test_a_group_has_children_and_a_price_may_include_its_tax(self, connector, back_office):
        parts = [tax.id for tax in connector.read_all(TAXES) if tax.name in {"5% GST", "9.975% QST"}]
        back_office.create(
            "account.tax", name="Both", amount=100, amount_type="group", children_tax_ids=[[6, 0, parts]]
        )
        back_office.create("account.tax", name="In it", amount=5, price_include_override="tax_included")
        found = {tax.name: tax for tax in connector.read_all(TAXES)}
        assert (found["Both"].amount_type, sorted(found["Both"].child_ids)) == ("group", sorted(parts))
        assert found["In it"].is_price_included

    def test_an_archived_tax_is_read_as_such(self, connector, back_office):
        number = back_office.create("account.tax", name="Old", amount=3, active=False)
        assert [tax.is_active for tax in connector.read_all(TAXES) if tax.id == number] == [False]

    def test_a_position_names_its_taxes_and_where_it_is_detected(self, connector, back_office):
        found = {position.name: position for position in connector.read_all(FISCAL_POSITIONS)}
        names = {tax.id: tax.name for tax in connector.read_all(TAXES)}
        quebec, abroad = found["Quebec (QC)"], found["International (INTL)"]
        assert [names[tax] for tax in quebec.tax_ids] == ["5% GST", "9.975% QST"]
        assert (quebec.is_automatic, quebec.is_conditional, len(quebec.state_ids)) == (True, False, 1)
        assert (abroad.tax_ids, abroad.country_id, abroad.state_ids) == ((), None, ())

    @pytest.mark.parametrize("condition", [{"vat_required": True}, {"zip_from": "1", "zip_to": "2"}])
    def test_a_position_that_asks_for_more_says_so(self, connector, back_office, condition):
        number = back_office.create("account.fiscal.position", name="Odd", **condition)
        (odd,) = (each for each in connector.read_all(FISCAL_POSITIONS) if each.id == number)
        assert odd.is_conditional

    def test_a_partner_has_the_position_it_was_given_and_a_product_its_taxes(self, connector, back_office):
        (position,) = back_office.find("account.fiscal.position", ["name", "=", "Quebec (QC)"])
        number = back_office.customer(property_account_position_id=position, type="delivery")
        (found,) = (partner for partner in connector.read_all(PARTNERS) if partner.id == number)
        assert (found.fiscal_position_id, found.address_type) == (position, "delivery")
        product = back_office.product("API calls", 1)
        (found,) = (each for each in connector.read_all(PRODUCTS) if each.id == product)
        assert list(found.tax_ids) == back_office.find("account.tax", ["name", "=", "13% HST"])


class TestSubscriptionOrders:
    def test_an_order_has_plan_state_amounts_and_lines(self, connector, order):
        (found,) = connector.read_all(ORDERS)
        assert (found.id, found.state, found.client_order_ref, found.currency) == (
            order,
            "sale",
            "sub_1",
            "CAD",
        )
        assert (found.plan[1], found.subscription_state) == ("Monthly", "3_progress")
        assert found.start_date == date(2026, 11, 1)
        assert [str(each) for each in (found.untaxed, found.tax, found.total)] == ["99.00", "12.87", "111.87"]
        lines = list(connector.read_all(ORDER_LINES))
        assert [line.price_unit for line in lines] == [Decimal(99), Decimal("0.0025")]
        assert [line.untaxed_to_invoice for line in lines] == [99, 0]

    def test_a_shadow_quotation_is_no_subscription(self, connector, back_office, order):
        connector.write_quotations([Shop(back_office).usual()])
        assert [each.id for each in connector.read_all(ORDERS)] == [order]


class TestInvoices:
    def test_nothing_billed_is_nothing(self, connector, order):
        assert list(connector.read_all(INVOICES)) == []

    def test_a_draft_is_read_with_its_lines_their_order_and_their_taxes(self, connector, back_office, order):
        move = invoice(back_office, order)
        (found,) = connector.read_all(INVOICES)
        assert (found.id, found.name, found.state) == (move, None, "draft")
        assert [str(each) for each in (found.untaxed, found.tax, found.total)] == ["99.00", "12.87", "111.87"]
        billed, tax = connector.read_all(INVOICE_LINES)
        (ordered,) = (line for line in connector.read_all(ORDER_LINES) if line.quantity)
        assert (billed.name, billed.untaxed, billed.balance) == ("Pro plan", 99, -99)
        assert (billed.move_id, billed.sale_line_ids) == (move, (ordered.id,))
        assert (tax.display_type, tax.name, tax.balance) == ("tax", "13% HST", Decimal("-12.87"))

    def test_a_credit_note_is_negative_and_names_what_it_reverses(self, connector, back_office, order):
        move = invoice(back_office, order)
        back_office.call("account.move", "action_post", [move])
        note = refund(back_office, move)
        posted, credit = connector.read_all(INVOICES)
        assert (posted.id, posted.state, posted.payment_state) == (move, "posted", "not_paid")
        assert posted.name
        assert posted.invoice_date
        assert (credit.id, credit.move_type, credit.reversed_id) == (note, "out_refund", move)
        assert [str(each) for each in (credit.untaxed, credit.tax, credit.total)] == [
            "-99.00",
            "-12.87",
            "-111.87",
        ]
