"""What the readers ask for, page by page, and what they make of the recorded records."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.invoices import INVOICE_LINES, INVOICES
from reconciliation.connectors.odoo.mirror import PARTNERS, PLANS, PRICELISTS, PRODUCTS
from reconciliation.connectors.odoo.orders import ORDER_LINES, ORDERS
from tests.reconciliation.connectors.odoo.recordings import (
    FakeTransport,
    recorded_call,
    recorded_result,
)

CURRENCIES = [{"id": 1, "rounding": 0.01}, {"id": 3, "rounding": 0.01}, {"id": 9, "rounding": 1.0}]
SUBSCRIPTIONS = ("is_subscription", "plan_id", "subscription_state", "start_date", "next_invoice_date")


class Tables:
    """Answers search_read by id from rows that a test gives, as many as the limit allows, and codes."""

    def __init__(self, fields=(), names=(), **rows):
        self.fields = fields
        self.names = dict(names)
        self.rows = {"res.currency": CURRENCIES} | {
            name.replace("__", "."): each for name, each in rows.items()
        }

    def __call__(self, model, method, args, kwargs):
        if method == "fields_get":
            return {name: {"type": "char"} for name in args[0] if name in self.fields}
        if method == "get_external_id":
            return {str(each): self.names.get(each, "") for each in args[0]}
        if method == "read":
            return [row for row in self.rows[model] if row["id"] in args[0]]
        after = next(
            (value for field, operator, value in _leaves(args[0]) if (field, operator) == ("id", ">")), 0
        )
        rows = sorted(
            (row for row in self.rows.get(model, []) if row["id"] > after), key=lambda row: row["id"]
        )
        return rows[: kwargs["limit"]]


def _leaves(domain):
    return (leaf for leaf in domain if not isinstance(leaf, str))


def connect(tables):
    transport = FakeTransport(tables)
    return OdooConnector(transport, company_id=1, language="en_CA"), transport


def partner(number, **values):
    return {
        "id": number,
        "name": f"Customer {number}",
        "ref": False,
        "email": False,
        "vat": False,
        "country_id": [38, "Canada"],
        "state_id": [541, "Ontario (CA)"],
        "parent_id": False,
        "type": "contact",
        "property_account_position_id": False,
        "active": True,
        "write_date": "2026-11-22 20:41:01",
    } | values


def partners(count):
    return Tables(
        res__partner=[partner(number) for number in range(1, count + 1)],
        res__country=[{"id": 38, "code": "CA"}],
        res__country__state=[{"id": 541, "code": "ON"}],
    )


def searches(transport, model):
    return [call for call in transport.calls if call[:2] == (model, "search_read")]


class TestPaging:
    @pytest.mark.parametrize(("count", "pages"), [(0, 1), (499, 1), (500, 2), (1100, 3)])
    def test_pages_of_500_begin_after_the_last_id(self, count, pages):
        connector, transport = connect(partners(count))
        assert [each.id for each in connector.read_all(PARTNERS)] == list(range(1, count + 1))
        calls = searches(transport, "res.partner")
        assert [call[2][0][-1] for call in calls] == [["id", ">", 500 * page] for page in range(pages)]
        assert all((call[3]["limit"], call[3]["order"]) == (500, "id") for call in calls)

    def test_the_lower_bound_stays_fixed_and_looks_back_five_minutes(self):
        connector, transport = connect(partners(1100))
        list(connector.read_all(PARTNERS, since=datetime(2026, 11, 22, 20, 41, 1, tzinfo=UTC)))
        bounds = {json.dumps(call[2][0][:-1]) for call in searches(transport, "res.partner")}
        assert bounds == {
            json.dumps([["company_id", "in", [False, 1]], ["write_date", ">=", "2026-11-22 20:36:01"]])
        }

    def test_a_page_is_asked_for_when_it_is_needed(self):
        connector, transport = connect(partners(1100))
        reading = connector.read_all(PARTNERS)
        assert transport.calls == []
        next(reading)
        assert len(searches(transport, "res.partner")) == 1

    def test_company_and_language_go_with_every_call(self):
        connector, transport = connect(partners(3))
        list(connector.read_all(PARTNERS))
        contexts = [call[3]["context"] for call in transport.calls]
        assert all(context["allowed_company_ids"] == [1] for context in contexts)
        assert all(context["lang"] == "en_CA" for context in contexts)

    def test_codes_are_looked_up_once(self):
        connector, transport = connect(partners(1100))
        assert {(each.country_code, each.state_code) for each in connector.read_all(PARTNERS)} == {
            ("CA", "ON")
        }
        assert [call[0] for call in transport.calls if call[1] == "read"] == [
            "res.country",
            "res.country.state",
        ]


class TestPartnersAndProducts:
    def test_the_recorded_partner_has_no_false_in_it(self):
        recorded = partner(7531, country_id=False, state_id=False) | recorded_result("partner_search_read")[0]
        connector, _ = connect(Tables(res__partner=[recorded]))
        (one,) = connector.read_all(PARTNERS)
        assert (one.id, one.name, one.ref) == (7531, "Acme Inc 204100", "cust_204100")
        assert (one.email, one.vat, one.country_code, one.parent_id) == (
            "billing@acme.example",
            None,
            None,
            None,
        )
        assert one.write_date == datetime(2026, 11, 22, 20, 41, 1, tzinfo=UTC)
        assert one.is_active

    def test_archived_ones_are_read_and_marked(self):
        connector, transport = connect(
            Tables(res__partner=[partner(1, active=False, state_id=False, country_id=False)])
        )
        assert [each.is_active for each in connector.read_all(PARTNERS)] == [False]
        assert searches(transport, "res.partner")[0][3]["context"]["active_test"] is False

    def test_a_products_price_keeps_its_digits(self):
        row = {
            "id": 3,
            "name": "API calls",
            "default_code": "api_calls",
            "list_price": 0.000123456789,
            "taxes_id": [7],
            "active": True,
            "write_date": "2026-11-22 20:41:01",
        }
        connector, _ = connect(Tables(product__product=[row]))
        (one,) = connector.read_all(PRODUCTS)
        assert one.list_price == Decimal("0.000123456789")
        assert one.raw["list_price"] == "0.000123456789"

    def test_the_recorded_pricelist_names_its_currency(self):
        told = {"active": True, "write_date": "2026-11-22 20:41:01"}
        rows = [row | told for row in recorded_result("pricelist_search")]
        connector, _ = connect(Tables(product__pricelist=rows))
        (one,) = connector.read_all(PRICELISTS)
        assert (one.id, one.name, one.currency, one.company_id) == (2, "USD", "USD", 1)

    @pytest.mark.parametrize(("fields", "is_recurring"), [((), None), (["recurring_invoice"], True)])
    def test_whether_a_product_recurs_is_known_where_subscriptions_are(self, fields, is_recurring):
        row = {
            "id": 4,
            "name": "Pro",
            "default_code": False,
            "list_price": 99.0,
            "taxes_id": [],
            "active": True,
            "write_date": "2026-11-22 20:41:01",
        } | dict.fromkeys(fields, True)
        connector, _ = connect(Tables(fields, product__product=[row]))
        assert [each.is_recurring for each in connector.read_all(PRODUCTS)] == [is_recurring]

    def test_a_recurring_plan_says_how_often(self):
        written = recorded_call("plan_create")[2][0][0] | {"id": 2, "write_date": "2026-11-22 20:41:01"}
        connector, _ = connect(Tables(sale__subscription__plan=[written]))
        assert [(each.name, each.every, each.unit) for each in connector.read_all(PLANS)] == [
            ("Monthly", 1, "month")
        ]

    def test_the_recorded_company_has_a_rounding_method(self):
        connector, _ = connect(Tables(res__company=recorded_result("company_read")))
        (one,) = connector.read_companies()
        assert (one.name, one.currency, one.rounding_method) == ("Company B", "CAD", "round_globally")


class TestSubscriptionOrders:
    def tables(self, fields):
        written = {"order_id": [35, "S00035"], "write_date": "2026-11-22 20:41:02"}
        lines = [{**line, **written} for line in recorded_result("lines_read")]
        order = {**recorded_result("order_read")[0], "pricelist_id": False, "start_date": "2026-11-01"}
        kept = {name: value for name, value in order.items() if name not in SUBSCRIPTIONS or name in fields}
        names = {2905: "__billing_console__.sub_204100__2026_11__api_calls"}
        return Tables(fields, names, sale__order=[kept], sale__order__line=lines)

    def test_the_recorded_order_has_its_plan_and_amounts(self):
        connector, _ = connect(self.tables(SUBSCRIPTIONS))
        (order,) = connector.read_all(ORDERS)
        assert (order.id, order.name, order.state, order.currency) == (35, "S00035", "sale", "CAD")
        assert (order.plan, order.subscription_state) == ((2, "Monthly"), "3_progress")
        assert (order.start_date, order.next_invoice_date) == (date(2026, 11, 1), date(2026, 11, 1))
        assert [str(each) for each in (order.untaxed, order.tax, order.total)] == ["99.00", "12.87", "111.87"]

    def test_the_recorded_lines_say_what_is_to_invoice_and_whose_they_are(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        plan, usage = connector.read_all(ORDER_LINES)
        assert (plan.order_id, plan.product_id, plan.quantity, plan.to_invoice) == (35, 4, 1, 1)
        assert (plan.price_unit, plan.untaxed, plan.total, plan.untaxed_to_invoice) == (
            99,
            99,
            Decimal("111.87"),
            99,
        )
        assert (usage.price_unit, usage.tax_ids, usage.external_id) == (Decimal("0.0025"), (7,), "")
        assert plan.external_id == "__billing_console__.sub_204100__2026_11__api_calls"
        assert [call[:2] for call in transport.calls].count(("sale.order.line", "get_external_id")) == 1

    def test_subscriptions_are_asked_for_where_the_server_knows_them(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        list(connector.read_all(ORDERS))
        (call,) = searches(transport, "sale.order")
        assert call[2][0][:-1] == [["company_id", "=", 1], ["is_subscription", "=", True]]
        assert set(SUBSCRIPTIONS) <= set(call[3]["fields"])

    def test_without_them_a_confirmed_order_with_a_reference_stands_for_one(self):
        connector, transport = connect(self.tables(()))
        (order,) = connector.read_all(ORDERS)
        assert (order.plan, order.subscription_state, order.start_date) == (None, None, None)
        assert order.client_order_ref == "sub_204100"
        (call,) = searches(transport, "sale.order")
        assert call[2][0][1:-1] == [["client_order_ref", "!=", False], ["state", "!=", "draft"]]
        assert not set(SUBSCRIPTIONS) & set(call[3]["fields"])

    def test_lines_are_asked_for_by_their_own_write_date(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        list(connector.read_all(ORDER_LINES, since=datetime(2026, 11, 22, 20, 41, 1, tzinfo=UTC)))
        (call,) = searches(transport, "sale.order.line")
        assert call[2][0][:-1] == [
            ["order_id.company_id", "=", 1],
            ["order_id.is_subscription", "=", True],
            ["write_date", ">=", "2026-11-22 20:36:01"],
        ]

    def test_the_fields_are_asked_for_once(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        list(connector.read_all(ORDERS))
        list(connector.read_all(ORDER_LINES))
        assert [call[1] for call in transport.calls].count("fields_get") == 1


class TestInvoices:
    def tables(self, header, fields=(), **values):
        told = {
            "move_id": [header["id"], ""],
            "display_type": "product",
            "balance": -99.0,
            "write_date": "2026-11-22 20:41:02",
        }
        lines = [line | told | values for line in recorded_result("invoice_lines")]
        return Tables(fields, account__move=[header], account__move__line=lines)

    def test_the_recorded_draft_has_no_name_and_no_date(self):
        connector, _ = connect(self.tables(recorded_result("invoice_read_draft")[0]))
        (invoice,) = connector.read_all(INVOICES)
        assert (invoice.name, invoice.state, invoice.invoice_date) == (None, "draft", None)
        assert (invoice.origin, invoice.ref, invoice.due_date) == (
            "S00035",
            "sub_204100",
            date(2026, 11, 22),
        )

    def test_the_recorded_posted_invoice_has_untaxed_tax_and_total(self):
        connector, _ = connect(self.tables(recorded_result("invoice_read_posted")[0]))
        (invoice,) = connector.read_all(INVOICES)
        assert (invoice.name, invoice.payment_state) == ("INV/2026/01110", "not_paid")
        assert [str(each) for each in (invoice.untaxed, invoice.tax, invoice.total)] == [
            "228.86",
            "29.75",
            "258.61",
        ]

    def test_the_recorded_lines_are_as_odoo_shows_them(self):
        connector, _ = connect(self.tables(recorded_result("invoice_read_posted")[0]))
        lines = list(connector.read_all(INVOICE_LINES))
        assert [line.untaxed for line in lines] == [99, Decimal("30.86"), 99]
        assert (lines[1].quantity, lines[1].total) == (Decimal("12345.68"), Decimal("34.87"))
        assert (lines[1].sale_line_ids, lines[1].tax_ids, lines[1].move_id) == ((2906,), (7,), 5354)
        assert (lines[1].deferred_from, lines[1].deferred_to) == (None, None)

    def test_deferred_dates_are_read_where_the_server_has_them(self):
        dates = {"deferred_start_date": "2026-10-01", "deferred_end_date": "2026-10-31"}
        header = recorded_result("invoice_read_posted")[0]
        connector, transport = connect(self.tables(header, tuple(dates), **dates))
        line = next(connector.read_all(INVOICE_LINES))
        assert (line.deferred_from, line.deferred_to) == (date(2026, 10, 1), date(2026, 10, 31))
        assert set(dates) <= set(searches(transport, "account.move.line")[0][3]["fields"])

    def test_the_recorded_credit_note_is_negative_and_names_its_invoice(self):
        connector, _ = connect(self.tables(recorded_result("credit_note_read")[0]))
        (refund,) = connector.read_all(INVOICES)
        assert (refund.move_type, refund.reversed_id) == ("out_refund", 5354)
        assert [str(each) for each in (refund.untaxed, refund.tax, refund.total)] == [
            "-228.86",
            "-29.75",
            "-258.61",
        ]

    def test_only_customer_documents_of_the_company_are_asked_for(self):
        connector, transport = connect(self.tables(recorded_result("invoice_read_posted")[0]))
        list(connector.read_all(INVOICES))
        list(connector.read_all(INVOICE_LINES))
        headers, lines = (
            searches(transport, model)[0][2][0][:-1] for model in ("account.move", "account.move.line")
        )
        assert headers == [["company_id", "=", 1], ["move_type", "in", ["out_invoice", "out_refund"]]]
        assert lines == [
            ["move_id.company_id", "=", 1],
            ["move_id.move_type", "in", ["out_invoice", "out_refund"]],
            ["display_type", "in", ["product", "tax"]],
        ]


class TestQuotations:
    KEY = "1795383880"
    NAMES = {
        559: f"__billing_console__.shadow_{KEY}",
        5195: f"__billing_console__.shadow_{KEY}__api",
        5196: f"__billing_console__.shadow_{KEY}__sto",
        5197: "__import__.somebody_elses",
    }

    def test_the_recorded_quotation_is_read_to_the_cent(self):
        header = {**recorded_result("shadow_quotation_read")[0], "partner_id": [7531, "Acme Inc 204100"]}
        lines = [{**line, "order_id": [559, "S00559"]} for line in recorded_result("shadow_lines_read")]
        tables = Tables(names=self.NAMES, sale__order=[header], sale__order__line=lines)
        connector, _ = connect(tables)
        quotation = connector.read_quotations([self.KEY], {self.KEY: 559})[self.KEY]
        assert (quotation.name, quotation.state, quotation.currency) == ("S00559", "draft", "CAD")
        assert (quotation.partner_id, quotation.company_id, quotation.pricelist_id) == (7531, 1, 3)
        assert [str(each) for each in (quotation.untaxed, quotation.tax, quotation.total)] == [
            "133.96",
            "17.41",
            "151.37",
        ]
        assert [(line.external_key, str(line.untaxed), str(line.tax)) for line in quotation.lines] == [
            ("api", "30.86", "4.01"),
            ("sto", "4.10", "0.53"),
            (None, "99.00", "12.87"),
        ]


class TestProbe:
    def test_it_tells_version_login_and_company(self):
        company = {**recorded_result("company_read")[0], "id": 1}
        connector, _ = connect(Tables(res__company=[company]))
        probe = connector.probe()
        assert (probe.version, probe.login, probe.company.name) == ("19.0", "console", "Company B")

    def test_a_company_that_the_user_does_not_see_is_a_permission_error(self):
        connector, _ = connect(Tables(res__company=recorded_result("company_read")))
        with pytest.raises(ConnectorError) as caught:
            connector.probe()
        assert caught.value.code == "permission"
