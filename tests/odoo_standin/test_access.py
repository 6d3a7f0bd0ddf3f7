"""Who is let in, what they may do, and the errors of a call that cannot be made at all."""

import pytest

from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, RESTRICTED_LOGIN
from tests.odoo_standin.client import Client, post


@pytest.fixture
def restricted(stand_in):
    return Client(stand_in, login=RESTRICTED_LOGIN, key=RESTRICTED_KEY)


def test_a_wrong_key_logs_nobody_in(odoo):
    assert odoo.login("console", "wrong") is False
    assert odoo.login("nobody", "demo-key") is False
    assert odoo.call("common", "authenticate", odoo.database, "console", "demo-key", {}) == odoo.uid


def test_the_version_is_told_to_everyone(odoo):
    assert odoo.call("common", "version")["server_version"] == "19.0"


def test_a_revoked_key_is_denied_until_it_is_given_back(odoo, stand_in):
    post(f"{stand_in.url}/standin/revoke_key", {})

    with pytest.raises(Exception, match=r"odoo\.exceptions\.AccessDenied: Access Denied"):
        odoo.execute("res.partner", "search", [])
    assert odoo.login("console", "demo-key") is False

    stand_in.revoke_key(is_revoked=False)
    assert odoo.execute("res.partner", "search", []) == []


@pytest.mark.parametrize("service", ["common", "object"])
def test_another_database_does_not_exist(odoo, service):
    odoo.database = "other"
    with pytest.raises(Exception, match=r'psycopg2\.OperationalError: .*"other" does not exist'):
        odoo.login("console", "demo-key") if service == "common" else odoo.execute(
            "res.partner", "search", []
        )


@pytest.mark.parametrize(
    ("model", "method", "arguments", "error"),
    [
        ("no.such.model", "search", [[]], "odoo.exceptions.UserError: Object no.such.model doesn't exist"),
        ("fusion.billing.service", "search", [[]], "odoo.exceptions.UserError"),
        ("res.partner", "no_such_method", [[1]], "builtins.AttributeError"),
        ("res.partner", "name_get", [[1]], "builtins.AttributeError"),
        ("res.partner", "_search", [[]], "odoo.exceptions.AccessError: Private methods"),
        ("res.partner", "search", [], "builtins.TypeError"),
        ("res.partner", "search", [[], 0, 1, "id", "more"], "builtins.TypeError"),
        ("ir.model.data", "search", [[]], "odoo.exceptions.AccessError"),
        ("res.users", "search", [[]], "odoo.exceptions.AccessError"),
        ("sale.order", "action_confirm", [[99999999]], "odoo.exceptions.MissingError"),
    ],
)
def test_a_call_that_cannot_be_made_is_an_error_of_its_class(odoo, model, method, arguments, error):
    with pytest.raises(Exception, match=error):
        odoo.execute(model, method, *arguments)


def test_a_user_without_groups_reads_contacts_and_changes_nothing(restricted, odoo, partner):
    assert restricted.execute("res.partner", "search", []) == [partner]
    for model, method, arguments in [
        ("account.move", "search_read", [[]]),
        ("res.partner", "write", [[partner], {"name": "x"}]),
        ("res.partner", "create", [{"name": "x"}]),
        ("sale.order", "action_confirm", [[1]]),
    ]:
        with pytest.raises(Exception, match=r"odoo\.exceptions\.AccessError"):
            restricted.execute(model, method, *arguments)


def test_a_load_without_rights_is_answered_as_a_message(restricted):
    answer = restricted.execute("crm.tag", "load", ["id", "name"], [["__b__.tag", "Shadow"]])

    assert answer["ids"] is False
    assert "You are not allowed to modify 'CRM Tag' (crm.tag) records." in answer["messages"][0]["message"]


def test_a_company_that_is_not_the_users_is_refused(odoo):
    for companies in ([99], [odoo.find("res.company"), 99]):
        with pytest.raises(Exception, match="AccessError: Access to unauthorized or invalid companies"):
            odoo.execute("sale.order", "search", [], context={"allowed_company_ids": companies})


def test_the_companies_asked_for_restrict_what_is_seen(odoo, make_order):
    home = odoo.find("res.company")
    other = odoo.execute("res.company", "create", {"name": "Other"})
    order = make_order()
    elsewhere = {"allowed_company_ids": [other]}

    assert odoo.execute("sale.order", "search", [], context=elsewhere) == []
    with pytest.raises(Exception, match="AccessError"):
        odoo.execute("sale.order", "read", [order], ["name"], context=elsewhere)
    with pytest.raises(Exception, match="AccessError"):
        odoo.execute("sale.order", "write", [order], {"note": "x"}, context=elsewhere)
    assert odoo.execute("sale.order", "search", [], context={"allowed_company_ids": [other, home]}) == [order]


def test_the_first_company_asked_for_owns_what_is_created(odoo, partner):
    home = odoo.find("res.company")
    other = odoo.execute("res.company", "create", {"name": "Other"})
    context = {"allowed_company_ids": [other, home]}

    order = odoo.execute("sale.order", "create", {"partner_id": partner}, context=context)

    assert odoo.read("sale.order", order, "company_id")[0] == other
