"""`load()`: upsert by external id, insert-only, all or nothing, and errors that are messages."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

FIELDS = ["id", "order_id/.id", "product_id/.id", "name", "product_uom_qty", "qty_delivered", "price_unit"]
INSERT_ONLY = {"mode": "update", "noupdate": True}
NAME = "__billing_console__.sub_1__2026_11__api_calls"

ORDER_FIELDS = [
    "id",
    "partner_id/.id",
    "pricelist_id/.id",
    "client_order_ref",
    "require_payment",
    "order_line/id",
    "order_line/product_id/.id",
    "order_line/name",
    "order_line/product_uom_qty",
    "order_line/price_unit",
]


@pytest.fixture
def order(make_order):
    return make_order()


@pytest.fixture
def load_line(odoo, order, usage):
    """Return a function that loads one usage line at a price and returns its answer."""

    def load(price, name=NAME, product=usage, context=None):
        row = [name, str(order), str(product), "API calls 2026-11", "1", "1", str(price)]
        return odoo.execute("sale.order.line", "load", FIELDS, [row], context=context or {})

    return load


def count_lines(odoo, order):
    return odoo.execute("sale.order.line", "search_count", [["order_id", "=", order]])


def test_the_same_external_id_updates_in_place(odoo, order, load_line):
    first, second = load_line("30.86"), load_line("31.07")

    assert first == {"ids": first["ids"], "messages": [], "nextrow": 0}
    assert second["ids"] == first["ids"]
    assert count_lines(odoo, order) == 1
    assert odoo.read("sale.order.line", first["ids"][0], "price_unit") == 31.07


@pytest.mark.parametrize(
    ("first", "second", "price"),
    [
        (INSERT_ONLY, INSERT_ONLY, 1.0),
        ({}, INSERT_ONLY, 2.0),
        (INSERT_ONLY, {}, 2.0),
        (INSERT_ONLY, {"mode": "update"}, 1.0),
        (INSERT_ONLY, {"noupdate": True}, 2.0),
    ],
)
def test_insert_only_protects_what_was_first_created_so(odoo, load_line, first, second, price):
    created = load_line(1, context=first)
    again = load_line(2, context=second)

    assert again["ids"] == created["ids"]
    assert odoo.read("sale.order.line", created["ids"][0], "price_unit") == price


def test_one_bad_row_keeps_nothing_of_the_call(odoo, order, usage):
    rows = [
        ["__b__.good", str(order), str(usage), "Good", "1", "1", "30.86"],
        ["__b__.bad", str(order), "99999999", "Bad", "1", "1", "30.86"],
    ]

    answer = odoo.execute("sale.order.line", "load", FIELDS, rows)

    assert answer["ids"] is False
    (message,) = answer["messages"]
    assert (message["type"], message["record"], message["field"]) == ("error", 1, "product_id")
    assert count_lines(odoo, order) == 0
    with pytest.raises(Exception, match="External ID not found"):
        odoo.execute("ir.model.data", "check_object_reference", "__b__", "good")


BAD_CELLS = [
    ("price_unit", "thirty", "'thirty' does not seem to be a number for field 'Unit Price'"),
    ("order_id/id", "__b__.nowhere", "No matching record found for external id '__b__.nowhere'"),
    ("tax_ids", "99 % VAT", "No matching record found for name '99 % VAT' in field 'Taxes'"),
    ("product_id/.id", "x", "Invalid database id 'x'"),
    ("id", "__b__.two.dots", "must contain maximum one dot"),
]


@pytest.mark.parametrize("bad", BAD_CELLS)
def test_a_bad_cell_is_a_message_that_says_where(odoo, order, usage, bad):
    column, cell, words = bad
    row = {"id": "__b__.line", "order_id/.id": str(order), "product_id/.id": str(usage)}
    row = {name: value for name, value in row.items() if name.split("/")[0] != column.split("/")[0]}
    row[column] = cell

    answer = odoo.execute("sale.order.line", "load", list(row), [list(row.values())])

    assert answer["ids"] is False
    assert words in answer["messages"][0]["message"]


def test_a_missing_required_value_is_a_message(odoo, usage):
    answer = odoo.execute("sale.order.line", "load", ["id", "product_id/.id"], [["__b__.line", str(usage)]])

    assert answer["ids"] is False
    assert "Missing required value for the field 'Order Reference'" in answer["messages"][0]["message"]


def test_a_column_that_does_not_exist_is_an_error_of_the_call(odoo):
    with pytest.raises(Exception, match=r"builtins.KeyError: nosuchfield"):
        odoo.execute("res.partner", "load", ["id", "nosuchfield"], [["__b__.x", "1"]])


def test_a_deleted_record_is_created_anew_under_its_external_id(odoo, order, load_line):
    (first,) = load_line(1)["ids"]
    odoo.execute("sale.order.line", "unlink", [first])

    (second,) = load_line(1)["ids"]

    assert second > first
    reference = odoo.execute("ir.model.data", "check_object_reference", *NAME.split("."))
    assert reference == ["sale.order.line", second]


def test_an_external_id_belongs_to_one_model(odoo, load_line):
    load_line(1)

    answer = odoo.execute("crm.tag", "load", ["id", "name"], [[NAME, "Shadow"]])

    assert answer["ids"] is False
    assert "found record of different model sale.order.line" in answer["messages"][0]["message"]


def test_an_external_id_without_a_module_gets_the_imports(odoo):
    (tag,) = odoo.execute("crm.tag", "load", ["id", "name"], [["tag", "Shadow"]])["ids"]

    assert odoo.execute("crm.tag", "get_external_id", [tag]) == {str(tag): "__import__.tag"}


def test_a_record_without_an_external_id_has_an_empty_one(odoo, partner):
    assert odoo.execute("res.partner", "get_external_id", [partner]) == {str(partner): ""}


def test_numbers_and_ids_may_be_json_numbers(odoo, order, usage):
    row = [NAME, order, usage, "API calls", 1, 1, 30.86]

    answer = odoo.execute("sale.order.line", "load", FIELDS, [row])

    assert odoo.read("sale.order.line", answer["ids"][0], "price_unit") == 30.86


def test_a_row_with_only_line_cells_carries_on_the_order_above_it(odoo, partner, usage):
    cad = odoo.find("product.pricelist", name="CAD")
    rows = [
        ["__b__.one", partner, cad, "One", "False", "__b__.one_a", usage, "A", "1", "30.86"],
        ["", "", "", "", "", "__b__.one_b", usage, "B", "1", "4.10"],
        ["__b__.two", partner, cad, "Two", "False", "__b__.two_a", usage, "A", "1", "1.00"],
    ]

    first = odoo.execute("sale.order", "load", ORDER_FIELDS, rows)
    rows[1][-1] = "5.10"
    again = odoo.execute("sale.order", "load", ORDER_FIELDS, rows)

    assert again == first
    orders = odoo.execute("sale.order", "read", first["ids"], ["amount_untaxed", "order_line"])
    assert [(order["amount_untaxed"], len(order["order_line"])) for order in orders] == [(35.96, 2), (1.0, 1)]
    reference = odoo.execute("ir.model.data", "check_object_reference", "__b__", "one_b")
    assert reference == ["sale.order.line", orders[0]["order_line"][1]]


def test_a_bad_line_of_an_order_is_named_by_its_path(odoo, partner):
    row = ["__b__.one", partner, "", "One", "False", "__b__.one_a", "99999999", "A", "1", "1"]

    answer = odoo.execute("sale.order", "load", ORDER_FIELDS, [row])

    (message,) = answer["messages"]
    assert message["field"] == "order_line"
    assert message["message"].endswith("in field 'Order Lines/Product'")
    assert odoo.execute("sale.order", "search_count", []) == 0


def test_one_external_id_for_two_lines_is_refused(odoo, partner, usage):
    rows = [
        ["__b__.one", partner, "", "One", "False", "__b__.one_a", usage, "A", "1", "1"],
        ["", "", "", "", "", "__b__.one_a", usage, "B", "1", "1"],
    ]

    answer = odoo.execute("sale.order", "load", ORDER_FIELDS, rows)

    assert answer["ids"] is False
    assert "is another record's external id" in answer["messages"][0]["message"]
    assert odoo.execute("sale.order", "search_count", []) == 0


def test_the_same_new_external_id_from_several_threads_makes_one_record(odoo, order, load_line):
    with ThreadPoolExecutor(max_workers=6) as threads:
        answers = list(threads.map(load_line, ["1.00"] * 6))

    assert count_lines(odoo, order) == 1
    assert len({answer["ids"][0] for answer in answers}) == 1


def test_lines_left_out_of_a_later_load_stay(odoo, partner, usage):
    rows = [
        ["__b__.one", partner, "", "One", "False", "__b__.one_a", usage, "A", "1", "1"],
        ["", "", "", "", "", "__b__.one_b", usage, "B", "1", "1"],
    ]
    (order,) = odoo.execute("sale.order", "load", ORDER_FIELDS, rows)["ids"]

    odoo.execute("sale.order", "load", ORDER_FIELDS, rows[:1])

    assert count_lines(odoo, order) == 2


def test_a_line_without_a_price_is_priced_again_by_each_load(odoo, order, plan_fee):
    fields = ["id", "order_id/.id", "product_id/.id", "name", "product_uom_qty"]
    row = ["__b__.plan", order, plan_fee, "Pro plan 2026-11", "1"]
    (line,) = odoo.execute("sale.order.line", "load", fields, [row])["ids"]
    odoo.execute("product.product", "write", [plan_fee], {"list_price": 109})

    odoo.execute("sale.order.line", "load", fields, [row])

    assert odoo.read("sale.order.line", line, "price_unit") == 109.0


def test_a_hundred_orders_of_three_lines_load_in_under_two_seconds(odoo, partner, usage):
    rows = []
    for order in range(100):
        own = [f"__b__.{order}", partner, "", f"Order {order}", "False"]
        for line in range(3):
            head = own if line == 0 else [""] * 5
            rows.append([*head, f"__b__.{order}_{line}", usage, "Usage", "1", "1.10"])

    started = time.monotonic()
    answer = odoo.execute("sale.order", "load", ORDER_FIELDS, rows)

    assert time.monotonic() - started < 2
    assert len(answer["ids"]) == 100
    orders = odoo.execute("sale.order", "search_read", [], fields=["amount_untaxed"])
    assert {order["amount_untaxed"] for order in orders} == {3.3}
