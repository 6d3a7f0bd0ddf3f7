"""What the readers ask for, page by page, and what they make of the recorded records."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from tests.reconciliation.connectors.odoo.recordings import FakeTransport, recorded_result

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
        assert [each.id for each in connector.read_partners()] == list(range(1, count + 1))
        calls = searches(transport, "res.partner")
        assert [call[2][0][-1] for call in calls] == [["id", ">", 500 * page] for page in range(pages)]
        assert all((call[3]["limit"], call[3]["order"]) == (500, "id") for call in calls)

    def test_the_lower_bound_stays_fixed_and_looks_back_five_minutes(self):
        connector, transport = connect(partners(1100))
        list(connector.read_partners(since=datetime(2026, 11, 22, 20, 41, 1, tzinfo=UTC)))
        bounds = {json.dumps(call[2][0][:-1]) for call in searches(transport, "res.partner")}
        assert bounds == {
            json.dumps([["company_id", "in", [False, 1]], ["write_date", ">=", "2026-11-22 20:36:01"]])
        }

    def test_a_page_is_asked_for_when_it_is_needed(self):
        connector, transport = connect(partners(1100))
        reading = connector.read_partners()
        assert transport.calls == []
        next(reading)
        assert len(searches(transport, "res.partner")) == 1

    def test_company_and_language_go_with_every_call(self):
        connector, transport = connect(partners(3))
        list(connector.read_partners())
        contexts = [call[3]["context"] for call in transport.calls]
        assert all(context["allowed_company_ids"] == [1] for context in contexts)
        assert all(context["lang"] == "en_CA" for context in contexts)

    def test_codes_are_looked_up_once(self):
        connector, transport = connect(partners(1100))
        assert {(each.country_code, each.state_code) for each in connector.read_partners()} == {("CA", "ON")}
        assert [call[0] for call in transport.calls if call[1] == "read"] == [
            "res.country",
            "res.country.state",
        ]


class TestPartnersAndProducts:
    def test_the_recorded_partner_has_no_false_in_it(self):
        recorded = partner(7531, country_id=False, state_id=False) | recorded_result("partner_search_read")[0]
        connector, _ = connect(Tables(res__partner=[recorded]))
        (one,) = connector.read_partners()
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
        assert [each.is_active for each in connector.read_partners()] == [False]
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
        (one,) = connector.read_products()
        assert one.list_price == Decimal("0.000123456789")
        assert one.raw["list_price"] == "0.000123456789"

    def test_the_recorded_pricelist_names_its_currency(self):
        connector, _ = connect(Tables(product__pricelist=recorded_result("pricelist_search")))
        (one,) = connector.read_pricelists()
        assert (one.id, one.name, one.currency, one.company_id) == (2, "USD", "USD", 1)

    def test_the_recorded_company_has_a_rounding_method(self):
        connector, _ = connect(Tables(res__company=recorded_result("company_read")))
        (one,) = connector.read_companies()
        assert (one.name, one.currency, one.rounding_method) == ("Company B", "CAD", "round_globally")


class TestSubscriptionOrders:
    def tables(self, fields):
        lines = [{**line, "order_id": [35, "S00035"]} for line in recorded_result("lines_read")]
        order = {**recorded_result("order_read")[0], "pricelist_id": False, "start_date": "2026-11-01"}
        kept = {name: value for name, value in order.items() if name not in SUBSCRIPTIONS or name in fields}
        return Tables(fields, sale__order=[kept], sale__order__line=lines)

    def test_the_recorded_order_has_its_plan_and_lines(self):
        connector, _ = connect(self.tables(SUBSCRIPTIONS))
        (order,) = connector.read_subscription_orders()
        assert (order.id, order.name, order.state, order.currency) == (35, "S00035", "sale", "CAD")
        assert (order.plan, order.subscription_state) == ((2, "Monthly"), "3_progress")
        assert (order.start_date, order.next_invoice_date) == (date(2026, 11, 1), date(2026, 11, 1))
        assert [str(each) for each in (order.untaxed, order.tax, order.total)] == ["99.00", "12.87", "111.87"]
        assert [(line.product_id, line.price_unit) for line in order.lines] == [
            (4, Decimal("99.0")),
            (3, Decimal("0.0025")),
        ]

    def test_subscriptions_are_asked_for_where_the_server_knows_them(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        list(connector.read_subscription_orders())
        (call,) = searches(transport, "sale.order")
        assert call[2][0][:-1] == [["company_id", "=", 1], ["is_subscription", "=", True]]
        assert set(SUBSCRIPTIONS) <= set(call[3]["fields"])

    def test_without_them_a_confirmed_order_with_a_reference_stands_for_one(self):
        connector, transport = connect(self.tables(()))
        (order,) = connector.read_subscription_orders()
        assert (order.plan, order.subscription_state, order.start_date) == (None, None, None)
        assert order.client_order_ref == "sub_204100"
        (call,) = searches(transport, "sale.order")
        assert call[2][0][1:-1] == [["client_order_ref", "!=", False], ["state", "!=", "draft"]]
        assert not set(SUBSCRIPTIONS) & set(call[3]["fields"])

    def test_a_line_that_changed_alone_brings_its_order(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        list(connector.read_subscription_orders(since=datetime(2026, 11, 22, 20, 41, 1, tzinfo=UTC)))
        (call,) = searches(transport, "sale.order")
        assert call[2][0][2:-1] == [
            "|",
            ["write_date", ">=", "2026-11-22 20:36:01"],
            ["order_line.write_date", ">=", "2026-11-22 20:36:01"],
        ]

    def test_the_fields_are_asked_for_once(self):
        connector, transport = connect(self.tables(SUBSCRIPTIONS))
        list(connector.read_subscription_orders())
        list(connector.read_subscription_orders())
        assert [call[1] for call in transport.calls].count("fields_get") == 1


class TestInvoices:
    def tables(self, *headers, sale_lines=((2905, 35), (2906, 35), (2907, 36))):
        lines = [
            {**line, "move_id": [header["id"], ""], "id": line["id"] + position}
            for position, header in enumerate(headers)
            for line in recorded_result("invoice_lines")
        ]
        orders = [{"id": line, "order_id": [order, "S"]} for line, order in sale_lines]
        return Tables(account__move=list(headers), account__move__line=lines, sale__order__line=orders)

    def test_the_recorded_draft_has_no_name_and_no_date(self):
        connector, _ = connect(self.tables(recorded_result("invoice_read_draft")[0]))
        (invoice,) = connector.read_invoices(order_ids=[35])
        assert (invoice.name, invoice.state, invoice.invoice_date) == (None, "draft", None)
        assert invoice.order_ids == (35, 36)
        assert invoice.origin == "S00035"

    def test_the_recorded_posted_invoice_has_untaxed_tax_and_total(self):
        connector, _ = connect(self.tables(recorded_result("invoice_read_posted")[0]))
        (invoice,) = connector.read_invoices(order_ids=[35])
        assert (invoice.name, invoice.payment_state) == ("INV/2026/01110", "not_paid")
        assert [str(each) for each in (invoice.untaxed, invoice.tax, invoice.total)] == [
            "228.86",
            "29.75",
            "258.61",
        ]
        assert [str(line.untaxed) for line in invoice.lines] == ["99.00", "30.86", "99.00"]
        assert invoice.lines[1].quantity == Decimal("12345.68")
        assert invoice.lines[1].sale_line_ids == (2906,)

    def test_the_recorded_credit_note_is_negative(self):
        connector, _ = connect(self.tables(recorded_result("credit_note_read")[0]))
        (refund,) = connector.read_invoices(partner_ids=[7531])
        assert refund.move_type == "out_refund"
        assert [str(each) for each in (refund.untaxed, refund.tax, refund.total)] == [
            "-228.86",
            "-29.75",
            "-258.61",
        ]
        assert [str(line.untaxed) for line in refund.lines] == ["-99.00", "-30.86", "-99.00"]

    def test_only_customer_documents_of_the_company_are_asked_for(self):
        connector, transport = connect(self.tables())
        list(connector.read_invoices(order_ids=[36, 35, 35]))
        (call,) = searches(transport, "account.move")
        assert call[2][0][:-1] == [
            ["company_id", "=", 1],
            ["move_type", "in", ["out_invoice", "out_refund"]],
            ["line_ids.sale_line_ids.order_id", "in", [35, 36]],
        ]

    def test_an_invoice_that_both_questions_find_comes_once(self):
        connector, _ = connect(self.tables(recorded_result("invoice_read_posted")[0]))
        assert len(list(connector.read_invoices(order_ids=[35], partner_ids=[7531]))) == 1

    def test_many_orders_are_asked_for_in_batches(self):
        connector, transport = connect(self.tables())
        list(connector.read_invoices(order_ids=range(1, 1201)))
        assert [len(call[2][0][2][2]) for call in searches(transport, "account.move")] == [500, 500, 200]

    def test_no_ids_take_no_call(self):
        connector, transport = connect(self.tables())
        assert list(connector.read_invoices()) == []
        assert transport.calls == []


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
