"""The checks of a connection: each line as it should be, and what it says where it is not. Nothing is written."""

from collections import Counter

import pytest

from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, RESTRICTED_LOGIN
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.checks import FUSION_MODELS, Expected, Level
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.inspection import CHECKS
from tests.reconciliation.connectors.odoo.conftest import BOTH, CountingTransport, open_stand_in
from tests.reconciliation.connectors.odoo.recordings import FakeTransport

WRITES = {"create", "write", "unlink", "load"}


def inspect(connector, **expected):
    return {
        line.code: line
        for line in connector.inspect(Expected(**{"url": "https://odoo.example.com", **expected}))
    }


def levels(lines):
    return Counter(line.level for line in lines.values())


@pytest.fixture
def expected(back_office):
    """What a service with one plan and one charge asks for."""
    return {
        "usage_products": frozenset({back_office.product("API calls", 0.0025)}),
        "plan_products": frozenset({back_office.product("Pro", 99, recurring_invoice=True)}),
        "currencies": frozenset({"CAD", "USD"}),
    }


def test_a_server_as_it_should_be_has_no_line_that_failed_and_nothing_was_written(
    connector, transport, expected
):
    lines = inspect(connector, **expected)
    assert list(lines) == [check.code for check in CHECKS]
    assert levels(lines) == {Level.OK: len(CHECKS) - 1, Level.ADVICE: 1}
    assert lines["stripe"].message == "Odoo takes no online payments."
    assert lines["version"].message.startswith("Odoo 19.0, spoken with over ")
    assert lines["precision"].message.startswith("Quantities keep 2 digits")
    assert lines["rounding"].message.startswith("Once per document")
    assert lines["currencies"].message == "CAD, USD, each with a pricelist."
    assert lines["fusion"].message == "Not installed, and not needed."
    assert not {name.rpartition(".")[2] for name in transport.calls} & WRITES
    assert len(transport.calls) < 70


@pytest.mark.parametrize("kind", BOTH)
def test_a_user_without_rights_is_told_which_and_the_rest_goes_on(kind, stand_in):
    way = CountingTransport(open_stand_in(kind, stand_in, login=RESTRICTED_LOGIN, api_key=RESTRICTED_KEY))
    lines = inspect(OdooConnector(way, company_id=1))
    assert lines["rights"].level is Level.FAILED
    assert "create orders" in lines["rights"].message
    assert "All Documents" in lines["rights"].advice
    assert lines["taxes"].level is Level.FAILED
    assert Level.SKIPPED not in levels(lines)


@pytest.mark.parametrize(
    ("account", "line", "words"),
    [
        ({"api_key": "wrong"}, "version", "refused the login or the API key"),
        ({"database": "other"}, "version", "database"),
        ({"url": "http://127.0.0.1:9"}, "version", "cannot be reached"),
    ],
)
def test_what_nothing_gets_past_is_told_once_and_the_rest_is_not_asked(stand_in, account, line, words):
    lines = inspect(OdooConnector(open_stand_in("auto", stand_in, **account), company_id=1))
    assert words in lines[line].message
    assert lines[line].advice
    assert levels(lines) == {Level.OK: 1, Level.FAILED: 1, Level.SKIPPED: len(CHECKS) - 2}


def test_a_key_that_is_revoked_in_the_middle_ends_it_there(connector, transport, stand_in):
    transport.before["ir.model.data.check_object_reference"] = stand_in.revoke_key
    lines = inspect(connector)
    assert lines["rights"].level is Level.OK
    assert "make a key" in lines["external_ids"].message
    assert {lines[code].level for code in ("fields", "stripe")} == {Level.SKIPPED}


def test_another_users_key_is_seen_although_it_would_work_over_json2(stand_in):
    way = open_stand_in("json2", stand_in, login="somebody@example.com")
    lines = inspect(OdooConnector(way, company_id=1))
    assert lines["login"].message == "The key is console's, not somebody@example.com's."


def test_a_company_that_the_user_does_not_see_is_told(stand_in):
    lines = inspect(OdooConnector(open_stand_in("jsonrpc", stand_in), company_id=99))
    assert lines["login"].message == "The user may not work in company 99."
    assert "set another company" in lines["login"].advice
    lines = inspect(answering(res_company_search_read=[]))
    assert lines["company"].message == "The user may not work in company 1."
    assert lines["rights"].level is Level.SKIPPED


class TestProducts:
    def test_each_thing_wrong_with_a_product_is_named(self, connector, back_office):
        recurring = back_office.product("Monthly", 1, recurring_invoice=True)
        archived = back_office.product("Old", 1, active=False)
        lines = inspect(connector, usage_products=frozenset({recurring, archived, 99999999}))
        line = lines["usage_products"]
        assert line.level is Level.FAILED
        for words in ("“Monthly”", "recurs", "“Old”", "is archived", "product 99999999 is not there"):
            assert words in line.message

    def test_a_plan_on_a_product_that_does_not_recur_is_advice(self, connector, back_office):
        lines = inspect(connector, plan_products=frozenset({back_office.product("Pro", 99)}))
        assert lines["plan_products"].level is Level.ADVICE

    def test_prices_without_a_product_are_counted(self, connector):
        assert "3 plans or charges" in inspect(connector, unlinked_prices=3)["usage_products"].message


def test_a_currency_that_is_not_active_and_one_without_a_pricelist_are_told(connector, back_office):
    assert inspect(connector, currencies=frozenset({"EUR"}))["currencies"].message == "Not active: EUR."
    back_office.call("product.pricelist", "unlink", [back_office.pricelist("USD")])
    lines = inspect(connector, currencies=frozenset({"CAD", "USD"}))
    assert lines["currencies"].message == "No pricelist in USD."


def answering(**answers):
    """A connector whose Odoo answers some calls as the test says, by method or `model.method` with “_” for dots."""

    def answer(model, method, args, kwargs):
        for name in (f"{model}.{method}".replace(".", "_"), method):
            if name in answers:
                found = answers[name]
                if isinstance(found, Exception):
                    raise found
                return found
        return usual(model, method)

    return OdooConnector(FakeTransport(answer), company_id=1)


USUAL = {
    "context_get": {"uid": 2},
    "fields_get": {},
    "has_access": True,
    "search_count": 1,
    "check_object_reference": ["crm.tag", 7],
}
RECORDS = {
    "res.users": [{"id": 2, "login": "console"}],
    "res.company": [
        {
            "id": 1,
            "name": "Nexa",
            "currency_id": [3, "CAD"],
            "tax_calculation_rounding_method": "round_per_line",
        }
    ],
}


def usual(model, method):
    return USUAL[method] if method in USUAL else RECORDS.get(model, [])


class TestWhatARealServerTells:
    def test_the_login_is_the_keys_owners(self):
        assert inspect(answering())["login"].message == "Logged in as console."
        line = inspect(answering(res_users_read=[{"id": 2, "login": "ann"}]))["login"]
        assert (line.level, line.message) == (Level.FAILED, "The key is ann's, not console's.")

    def test_models_that_are_missing_are_named(self):
        missing = ConnectorError("permanent", "Object x doesn't exist", "odoo")
        lines = inspect(answering(fields_get=missing))
        assert "sale.order" in lines["fields"].message
        assert "sale_subscription" in lines["subscriptions"].advice
        assert lines["fusion"].message == "Not installed, and not needed."

    def test_the_optional_module_is_told_model_by_model(self):
        assert all(model in inspect(answering())["fusion"].message for model in FUSION_MODELS)

    @pytest.mark.parametrize(
        ("digits", "level"),
        [([16, 1], Level.FAILED), ([16, 2], Level.OK), ([16, 6], Level.OK), (False, Level.OK)],
    )
    def test_the_precision_of_quantities_decides(self, digits, level):
        described = {"product_uom_qty": {"digits": digits}, "price_unit": {"digits": False}}
        assert inspect(answering(sale_order_line_fields_get=described))["precision"].level is level

    @pytest.mark.parametrize(
        ("provider", "level", "words"),
        [
            (
                {"stripe_publishable_key": "pk_live_51AbCdEfGhIjKlMnOpqrstuv"},
                Level.OK,
                "shared Stripe account",
            ),
            ({"stripe_publishable_key": "pk_test_51AbCdEfGhIjKlMnOpqrstuv"}, Level.ADVICE, "test mode"),
            ({"stripe_publishable_key": "pk_live_51ZzZzZzZzZzZzZzZzqrstuv"}, Level.FAILED, "another account"),
            ({"stripe_publishable_key": "pk_live_TYooMQauvdEDq54NiTphI7jx"}, Level.ADVICE, "cannot be told"),
            ({"stripe_publishable_key": False}, Level.ADVICE, "cannot be told"),
            ({"state": "disabled"}, Level.ADVICE, "No Stripe provider is enabled"),
        ],
    )
    def test_whose_cards_odoo_charges_is_told_from_the_publishable_key(self, provider, level, words):
        row = {"id": 1, "code": "stripe", "state": "enabled", "company_id": [1, "Nexa"], **provider}
        described = {name: {} for name in ("code", "state", "company_id", "stripe_publishable_key")}
        connector = answering(payment_provider_search_read=[row], payment_provider_fields_get=described)
        line = inspect(connector, stripe_account="acct_1AbCdEfGhIjKlMnO")["stripe"]
        assert (line.level, words in line.message) == (level, True)

    def test_an_answer_of_another_shape_is_a_line_and_not_the_end(self):
        lines = inspect(answering(res_company_read=[]))
        assert "not understood" in lines["rounding"].message
        assert lines["taxes"].level is Level.OK

    def test_a_user_who_may_not_see_the_providers_is_told_how_to_compare(self):
        forbidden = ConnectorError("permission", "You may not.", "odoo")
        answers = {
            "payment_provider_search_read": forbidden,
            "payment_provider_fields_get": {"code": {}, "state": {}},
        }
        line = inspect(answering(**answers))["stripe"]
        assert (line.level, "compare the publishable key" in line.advice) == (Level.ADVICE, True)

    @pytest.mark.parametrize(
        ("url", "level"),
        [
            ("https://odoo.example.com", Level.OK),
            ("http://127.0.0.1:8069", Level.OK),
            ("http://odoo.example.com", Level.ADVICE),
        ],
    )
    def test_a_key_in_clear_is_told(self, url, level):
        assert inspect(answering(), url=url)["encryption"].level is level
