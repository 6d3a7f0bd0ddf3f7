"""Searching: operators, prefix logic, dotted paths, order and pages, and what a search refuses."""

import pytest


@pytest.fixture
def people(odoo):
    """Three contacts; the last one is archived."""
    values = [
        {"name": "Anna", "ref": "A_1", "email": "anna@acme.example"},
        {"name": "Bert", "ref": "B_1", "is_company": True},
        {"name": "Carl", "ref": "C_1", "active": False},
    ]
    return odoo.execute("res.partner", "create", values)


def names(odoo, domain, **keywords):
    keywords.setdefault("order", "name")
    found = odoo.execute("res.partner", "search_read", domain, fields=["name"], **keywords)
    return [record["name"] for record in found]


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ([], ["Anna", "Bert"]),
        ([["name", "=", "Anna"]], ["Anna"]),
        ([["name", "!=", "Anna"]], ["Bert"]),
        ([["name", "in", ["Anna", "Carl"]]], ["Anna"]),
        ([["name", "not in", ["Anna"]]], ["Bert"]),
        ([["name", "like", "nn"]], ["Anna"]),
        ([["name", "like", "ANN"]], []),
        ([["name", "ilike", "ANN"]], ["Anna"]),
        ([["name", "=like", "A%"]], ["Anna"]),
        ([["name", "=like", "a%"]], []),
        ([["name", "=ilike", "a%"]], ["Anna"]),
        ([["ref", "like", "A_1"]], ["Anna"]),
        ([["name", "not ilike", "ann"]], ["Bert"]),
        ([["email", "=", False]], ["Bert"]),
        ([["email", "!=", False]], ["Anna"]),
        ([["is_company", "=", False]], ["Anna"]),
        ([["is_company", "=", True]], ["Bert"]),
        (["|", ["name", "=", "Anna"], ["name", "=", "Bert"]], ["Anna", "Bert"]),
        (["!", ["name", "=", "Anna"]], ["Bert"]),
        (["&", ["name", "=", "Anna"], ["ref", "=", "B_1"]], []),
        (["|", "&", ["name", "=", "Anna"], ["ref", "=", "A_1"], ["name", "=", "Bert"]], ["Anna", "Bert"]),
        ([["active", "=", False]], ["Carl"]),
        ([["active", "in", [True, False]]], ["Anna", "Bert", "Carl"]),
    ],
)
def test_a_domain_finds(odoo, people, domain, expected):
    assert names(odoo, domain) == expected


def test_archived_records_are_found_only_when_asked_for(odoo, people):
    assert names(odoo, [], context={"active_test": False}) == ["Anna", "Bert", "Carl"]


def test_order_limit_and_offset_make_a_page(odoo, people):
    assert names(odoo, [], order="name desc") == ["Bert", "Anna"]
    assert names(odoo, [], order="name", offset=1) == ["Bert"]
    assert names(odoo, [], order="is_company desc, name", limit=1) == ["Bert"]
    assert odoo.execute("res.partner", "search_count", []) == 2


def test_numbers_compare_as_numbers(odoo):
    domain = [["amount", ">", 13], ["amount", "<=", "15"]]

    found = odoo.execute("account.tax", "search_read", domain, fields=["amount"], order="amount")

    assert [tax["amount"] for tax in found] == [14.0, 15.0]


def test_a_reference_is_found_by_id_and_by_name(odoo):
    canada = odoo.find("res.country", code="CA")
    by_id = odoo.execute("res.country.state", "search", [["country_id", "=", canada]])

    assert len(by_id) == 13
    assert odoo.execute("res.country.state", "search", [["country_id", "ilike", "canad"]]) == by_id
    assert odoo.execute("res.country.state", "search", [["country_id.code", "=", "CA"]]) == by_id
    assert odoo.execute("res.country.state", "search", [["country_id", "=", False]]) == []


def test_a_path_leads_through_many_records(odoo, make_order, usage, plan_fee):
    order = make_order({"product_id": usage}, {"product_id": plan_fee})
    make_order({"product_id": usage})

    assert odoo.execute("sale.order", "search", [["order_line.product_id.name", "=", "Pro plan"]]) == [order]
    (line,) = odoo.execute("sale.order.line", "search", [["product_id", "=", plan_fee]])
    assert odoo.execute("sale.order", "search", [["order_line", "in", [line]]]) == [order]


def test_a_moment_matches_its_whole_second(odoo, partner):
    moment = odoo.read("res.partner", partner, "write_date")

    assert len(moment) == len("2026-11-22 20:11:16")
    assert odoo.execute("res.partner", "search", [["write_date", "=", moment]]) == [partner]
    assert odoo.execute("res.partner", "search", [["write_date", ">=", moment]]) == [partner]
    assert odoo.execute("res.partner", "search", [["write_date", ">", moment]]) == []


def test_a_batch_carries_one_moment(odoo):
    ids = odoo.execute("res.partner", "create", [{"name": str(number)} for number in range(20)])

    moments = odoo.execute("res.partner", "read", ids, ["write_date"])

    assert len({record["write_date"] for record in moments}) == 1


@pytest.mark.parametrize(
    "moment",
    ["2026-11-22T00:00:00", "2026-11-22T00:00:00Z", "2026-11-22 00:00:00+00:00", "2026-11-22 00:00:00.5"],
)
def test_a_moment_in_another_form_is_refused(odoo, moment):
    with pytest.raises(Exception, match=r"builtins\.ValueError"):
        odoo.execute("res.partner", "search", [["write_date", ">=", moment]])


@pytest.mark.parametrize(
    ("method", "arguments", "keywords"),
    [
        ("search", [[["nosuchfield", "=", 1]]], {}),
        ("search", [[["name", "~", "x"]]], {}),
        ("search", [["name"]], {}),
        ("search", [["|", ["name", "=", "x"]]], {}),
        ("search", [[["name.code", "=", "x"]]], {}),
        ("search_read", [[]], {"fields": ["nosuchfield"]}),
        ("search", [[]], {"order": "nosuchfield"}),
        ("create", [[{"nosuchfield": 1}]], {}),
        ("create", [[{"name": "x", "country_id": "Canada"}]], {}),
    ],
)
def test_what_does_not_exist_is_a_value_error(odoo, method, arguments, keywords):
    with pytest.raises(Exception, match=r"builtins\.ValueError"):
        odoo.execute("res.partner", method, *arguments, **keywords)


def test_bare_ids_are_answered_when_the_classic_read_is_not_wanted(odoo, partner):
    canada = odoo.find("res.country", code="CA")

    assert odoo.read("res.partner", partner, "country_id") == [canada, "Canada"]
    assert odoo.execute("res.partner", "read", [partner], ["country_id"], load=None) == [
        {"id": partner, "country_id": canada}
    ]
