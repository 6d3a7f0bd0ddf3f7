"""Sale orders: what a quotation allows that a confirmed or locked order does not."""

import time

import pytest


def read_lines(odoo, order):
    return odoo.read("sale.order", order, "order_line")


def test_a_quotation_is_a_draft_with_a_number_and_nothing_to_invoice(odoo, make_order, usage):
    order = make_order({"product_id": usage, "price_unit": 5})

    read = odoo.read("sale.order", order, "name", "state", "invoice_status", "subscription_state")
    assert read == {
        "id": order,
        "name": f"S{order:05}",
        "state": "draft",
        "invoice_status": "no",
        "subscription_state": False,
    }


def test_a_line_of_a_quotation_can_be_deleted(odoo, make_order, usage):
    order = make_order({"product_id": usage, "price_unit": 5}, {"product_id": usage, "price_unit": 7})

    odoo.execute("sale.order.line", "unlink", read_lines(odoo, order)[:1])

    assert odoo.read("sale.order", order, "amount_untaxed") == 7.0


def test_a_line_of_a_confirmed_order_cannot(odoo, make_order, usage):
    order = make_order({"product_id": usage, "price_unit": 5})
    odoo.execute("sale.order", "action_confirm", [order])

    with pytest.raises(Exception, match="UserError: A line of a confirmed order"):
        odoo.execute("sale.order.line", "unlink", read_lines(odoo, order))

    assert len(read_lines(odoo, order)) == 1


def test_the_pricelist_of_a_confirmed_order_cannot_even_be_written_again(odoo, make_order, usage):
    order = make_order({"product_id": usage, "price_unit": 5})
    odoo.execute("sale.order", "write", [order], {"pricelist_id": 1})
    odoo.execute("sale.order", "action_confirm", [order])

    with pytest.raises(Exception, match="UserError: The pricelist of a confirmed order"):
        odoo.execute("sale.order", "write", [order], {"pricelist_id": 1})


def test_deleting_a_line_twice_is_no_error(odoo, make_order, usage):
    lines = read_lines(odoo, make_order({"product_id": usage, "price_unit": 5}))

    assert odoo.execute("sale.order.line", "unlink", lines) is True
    assert odoo.execute("sale.order.line", "unlink", lines) is True


def test_a_quotation_is_deleted_with_its_lines_and_external_ids(odoo, partner, usage):
    fields = ["id", "partner_id/.id", "order_line/id", "order_line/product_id/.id"]
    row = ["__b__.order", partner, "__b__.line", usage]
    (order,) = odoo.execute("sale.order", "load", fields, [row])["ids"]

    odoo.execute("sale.order", "unlink", [order])

    assert odoo.execute("sale.order.line", "search", []) == []
    for name in ("order", "line"):
        with pytest.raises(Exception, match="External ID not found"):
            odoo.execute("ir.model.data", "check_object_reference", "__b__", name)


def test_a_confirmed_order_cannot_be_deleted(odoo, make_order):
    order = make_order()
    odoo.execute("sale.order", "action_confirm", [order])

    with pytest.raises(Exception, match="UserError: A sent or confirmed order"):
        odoo.execute("sale.order", "unlink", [order])


def test_a_customer_with_orders_cannot_be_deleted(odoo, make_order, partner):
    make_order()

    with pytest.raises(Exception, match="ValidationError: The operation cannot be completed"):
        odoo.execute("res.partner", "unlink", [partner])


def test_a_locked_order_takes_delivered_quantities_and_no_prices(odoo, make_order, usage):
    order = make_order({"product_id": usage, "price_unit": 5})
    odoo.execute("sale.order", "action_confirm", [order])
    odoo.execute("sale.order", "write", [order], {"locked": True})
    lines = read_lines(odoo, order)

    odoo.execute("sale.order.line", "write", lines, {"qty_delivered": 3})
    with pytest.raises(Exception, match="UserError: These fields cannot be changed"):
        odoo.execute("sale.order.line", "write", lines, {"price_unit": 6})

    assert odoo.read("sale.order.line", lines[0], "price_unit", "qty_delivered")["price_unit"] == 5.0


def test_a_plan_starts_its_schedule_when_the_order_is_confirmed(odoo, make_order):
    plan = odoo.execute("sale.subscription.plan", "create", {"name": "Monthly"})
    order = make_order(plan_id=plan, start_date="2026-11-01")
    fields = ("is_subscription", "subscription_state", "next_invoice_date")
    before = odoo.read("sale.order", order, *fields)

    odoo.execute("sale.order", "action_confirm", [order])

    after = odoo.read("sale.order", order, *fields)
    assert [before[name] for name in fields] == [True, "1_draft", False]
    assert [after[name] for name in fields] == [True, "3_progress", "2026-11-01"]


def test_a_delivered_quantity_moves_the_line_and_not_the_order(odoo, make_order, usage):
    order = make_order({"product_id": usage, "price_unit": 5})
    (line,) = read_lines(odoo, order)
    order_before = odoo.read("sale.order", order, "write_date")
    line_before = odoo.read("sale.order.line", line, "write_date")
    wait_for_next_second()

    odoo.execute("sale.order.line", "write", [line], {"qty_delivered": 3})

    assert odoo.read("sale.order.line", line, "write_date") > line_before
    assert odoo.read("sale.order", order, "write_date") == order_before


def wait_for_next_second():
    time.sleep(1.001 - time.time() % 1)


def test_a_price_set_by_hand_stays_when_the_quantity_changes(odoo, make_order, plan_fee):
    (line,) = read_lines(odoo, make_order({"product_id": plan_fee}))
    odoo.execute("sale.order.line", "write", [line], {"price_unit": 80})

    odoo.execute("sale.order.line", "write", [line], {"product_uom_qty": 2})

    assert odoo.read("sale.order.line", line, "price_unit") == 80.0


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"partner_id": 99999999}, "ValidationError"),
        ({"name": "S1"}, "ValidationError: .* Missing required value for the field 'Customer'"),
    ],
)
def test_an_order_needs_a_customer_that_exists(odoo, values, error):
    with pytest.raises(Exception, match=error):
        odoo.execute("sale.order", "create", values)

    assert odoo.execute("sale.order", "search_count", []) == 0


def test_a_call_that_fails_keeps_nothing_of_its_writes(odoo, partner, usage):
    lines = [[0, 0, {"product_id": usage}], [0, 0, {"product_id": 99999999}]]

    with pytest.raises(Exception, match="ValidationError"):
        odoo.execute("sale.order", "create", {"partner_id": partner, "order_line": lines})

    assert odoo.execute("sale.order", "search_count", []) == 0
    assert odoo.execute("sale.order.line", "search_count", []) == 0


def test_a_tag_of_the_same_name_is_refused(odoo):
    odoo.execute("crm.tag", "create", {"name": "Shadow"})

    with pytest.raises(Exception, match="ValidationError"):
        odoo.execute("crm.tag", "create", {"name": "Shadow"})
