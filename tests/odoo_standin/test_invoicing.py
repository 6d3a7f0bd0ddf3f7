"""Invoices: the wizard, drafts and posted documents, credit notes, and the traps measured on a real server."""

import pytest

NOTHING_LEFT = "UserError: Cannot create an invoice. No items are available"


@pytest.fixture
def confirm(odoo, make_order):
    """Return a function that makes and confirms an order of these lines."""

    def confirm(*lines, **values):
        order = make_order(*lines, **values)
        odoo.execute("sale.order", "action_confirm", [order])
        return order

    return confirm


@pytest.fixture
def invoice(odoo):
    """Return a function that runs the wizard on orders and returns its window action."""

    def invoice(*orders, **values):
        context = {"active_model": "sale.order", "active_ids": list(orders)}
        wizard = odoo.execute("sale.advance.payment.inv", "create", [values], context=context)
        return odoo.execute("sale.advance.payment.inv", "create_invoices", wizard, context=context)

    return invoice


@pytest.fixture
def credit(odoo):
    """Return a function that makes the draft credit note of an invoice and returns its id."""

    def credit(move):
        context = {"active_model": "account.move", "active_ids": [move]}
        wizard = odoo.execute("account.move.reversal", "create", [{"reason": "usage"}], context=context)
        return odoo.execute("account.move.reversal", "refund_moves", wizard)["res_id"]

    return credit


@pytest.fixture
def delivered(usage):
    """A usage line of which 1,000 were delivered: 2.50."""
    return {"product_id": usage, "product_uom_qty": 0, "qty_delivered": 1000}


def find_line(odoo, order):
    return odoo.find("sale.order.line", order_id=order)


def test_a_quotation_and_an_invoiced_order_have_nothing_to_invoice(
    odoo, make_order, confirm, invoice, delivered
):
    with pytest.raises(Exception, match=NOTHING_LEFT):
        invoice(make_order(delivered))
    order = confirm(delivered)
    assert odoo.read("sale.order", order, "invoice_status") == "to invoice"

    invoice(order)

    with pytest.raises(Exception, match=NOTHING_LEFT):
        invoice(order)
    assert odoo.read("sale.order", order, "invoice_status") == "invoiced"
    assert odoo.execute("account.move", "search_count", []) == 1


def test_more_delivered_later_is_invoiced_as_the_difference(odoo, confirm, invoice, delivered):
    order = confirm(delivered)
    invoice(order)
    odoo.execute("sale.order.line", "write", [find_line(odoo, order)], {"qty_delivered": 1800})

    move = invoice(order)["res_id"]

    assert odoo.read("account.move", move, "amount_untaxed") == 2.0


def test_less_delivered_than_invoiced_makes_a_credit_note_linked_to_nothing(
    odoo, confirm, invoice, delivered
):
    order = confirm(delivered)
    invoice(order)
    odoo.execute("sale.order.line", "write", [find_line(odoo, order)], {"qty_delivered": 600})

    note = odoo.read("account.move", invoice(order)["res_id"], "move_type", "amount_total_signed")

    assert (note["move_type"], note["amount_total_signed"]) == ("out_refund", -1.13)
    assert odoo.read("account.move", note["id"], "reversed_entry_id") is False


def test_deleting_a_draft_gives_the_quantity_back(odoo, confirm, invoice, delivered):
    order = confirm(delivered)
    move = invoice(order)["res_id"]

    odoo.execute("account.move", "unlink", [move])

    assert odoo.read("sale.order.line", find_line(odoo, order), "qty_to_invoice") == 1000.0
    assert odoo.execute("account.move.line", "search", []) == []


def test_orders_of_one_customer_become_one_invoice(odoo, confirm, invoice, delivered):
    orders = [confirm(delivered, client_order_ref=ref) for ref in ("subA", "subB")]

    move = odoo.read("account.move", invoice(*orders)["res_id"], "ref", "invoice_origin")

    assert move["ref"] == "subA, subB"
    assert move["invoice_origin"] == ", ".join(f"S{order:05}" for order in orders)


def test_orders_become_an_invoice_each_when_not_consolidated(odoo, confirm, invoice, delivered):
    action = invoice(confirm(delivered), confirm(delivered), consolidated_billing=False)

    assert action["domain"] == [["id", "in", odoo.execute("account.move", "search", [], order="id")]]
    assert len(action["domain"][0][2]) == 2


def test_an_invoice_in_dollars_is_kept_in_both_currencies(odoo, confirm, invoice, usage):
    usd = odoo.find("product.pricelist", name="USD")
    line = {"product_id": usage, "product_uom_qty": 0, "qty_delivered": 1, "price_unit": 33.30}

    move = odoo.read(
        "account.move",
        invoice(confirm(line, pricelist_id=usd))["res_id"],
        "currency_id",
        "amount_total",
        "amount_total_signed",
        "invoice_currency_rate",
    )

    assert move["currency_id"][1] == "USD"
    assert (move["amount_total"], move["amount_total_signed"]) == (37.63, 52.26)
    assert move["invoice_currency_rate"] == 0.72


def test_the_lines_of_an_entry_balance(odoo, make_partner, confirm, invoice, usage):
    line = {"product_id": usage, "product_uom_qty": 0, "qty_delivered": 1, "price_unit": 0.004}
    order = confirm(*[line] * 10, partner_id=make_partner("QC"))

    move = invoice(order)["res_id"]

    lines = odoo.execute(
        "account.move.line", "search_read", [["move_id", "=", move]], fields=["display_type", "balance"]
    )
    assert round(sum(each["balance"] for each in lines), 2) == 0
    assert [each["balance"] for each in lines if each["display_type"] == "payment_term"] == [0.04]
    assert odoo.read("account.move", move, "amount_untaxed", "amount_total")["amount_total"] == 0.04


def test_posting_numbers_and_dates_a_draft(odoo, confirm, invoice, delivered):
    moves = [invoice(confirm(delivered))["res_id"] for _ in range(2)]

    assert odoo.execute("account.move", "action_post", moves) is False

    posted = odoo.execute(
        "account.move", "read", moves, ["name", "state", "invoice_date", "payment_reference"]
    )
    year = posted[0]["invoice_date"][:4]
    assert [move["name"] for move in posted] == [f"INV/{year}/00001", f"INV/{year}/00002"]
    assert {move["state"] for move in posted} == {"posted"}
    assert posted[0]["payment_reference"] == posted[0]["name"]


def test_a_posted_invoice_is_reset_and_cancelled_with_its_name_but_not_deleted(
    odoo, confirm, invoice, delivered
):
    move = invoice(confirm(delivered))["res_id"]
    odoo.execute("account.move", "action_post", [move])
    name = odoo.read("account.move", move, "name")

    with pytest.raises(Exception, match="UserError: A posted document cannot be deleted"):
        odoo.execute("account.move", "unlink", [move])
    odoo.execute("account.move", "button_cancel", [move])
    assert odoo.read("account.move", move, "state", "name") == {"id": move, "state": "cancel", "name": name}
    odoo.execute("account.move", "button_draft", [move])
    assert odoo.read("account.move", move, "state", "name") == {"id": move, "state": "draft", "name": name}
    with pytest.raises(Exception, match="UserError"):
        odoo.execute("account.move", "button_draft", [move])


def test_a_posted_invoice_is_not_modified_by_load(odoo, confirm, invoice, delivered, partner):
    move = invoice(confirm(delivered))["res_id"]
    odoo.execute("account.move", "action_post", [move])

    answer = odoo.execute("account.move", "load", [".id", "partner_id/.id"], [[str(move), str(partner)]])

    assert answer["ids"] is False
    assert "on a posted move" in answer["messages"][0]["message"]


def test_a_price_written_on_a_posted_line_leaves_the_header(odoo, confirm, invoice, delivered):
    move = invoice(confirm(delivered))["res_id"]
    odoo.execute("account.move", "action_post", [move])
    line = odoo.find("account.move.line", move_id=move, display_type="product")

    odoo.execute("account.move.line", "write", [line], {"price_unit": 0.005})

    read = odoo.read("account.move.line", line, "price_subtotal", "balance")
    assert (read["price_subtotal"], read["balance"]) == (5.0, -2.5)
    assert odoo.read("account.move", move, "amount_untaxed") == 2.5


def test_a_price_written_on_a_draft_line_moves_the_header(odoo, confirm, invoice, delivered):
    move = invoice(confirm(delivered))["res_id"]
    line = odoo.find("account.move.line", move_id=move, display_type="product")

    odoo.execute("account.move.line", "write", [line], {"price_unit": 0.005})

    assert odoo.read("account.move", move, "amount_untaxed") == 5.0


def test_a_credit_note_gives_the_quantity_back_as_a_draft_already(odoo, confirm, invoice, credit, delivered):
    order = confirm(delivered)
    move = invoice(order)["res_id"]
    odoo.execute("account.move", "action_post", [move])

    note = credit(move)

    assert odoo.read("account.move", note, "state", "move_type")["state"] == "draft"
    assert odoo.read("account.move", note, "reversed_entry_id")[0] == move
    assert odoo.read("sale.order.line", find_line(odoo, order), "qty_to_invoice") == 1000.0


def test_a_posted_credit_note_settles_what_it_reverses(odoo, confirm, invoice, credit, delivered):
    move = invoice(confirm(delivered))["res_id"]
    odoo.execute("account.move", "action_post", [move])
    note = credit(move)
    line = odoo.find("account.move.line", move_id=note, display_type="product")
    odoo.execute("account.move.line", "write", [line], {"quantity": 600})

    odoo.execute("account.move", "action_post", [note])
    assert odoo.read("account.move", note, "payment_state") == "paid"
    partly = odoo.read("account.move", move, "payment_state", "amount_residual")
    odoo.execute("account.move", "action_post", [credit_rest(odoo, credit, move)])
    fully = odoo.read("account.move", move, "payment_state", "amount_residual")

    assert (partly["payment_state"], partly["amount_residual"]) == ("partial", 1.13)
    assert (fully["payment_state"], fully["amount_residual"]) == ("reversed", 0.0)


def credit_rest(odoo, credit, move):
    note = credit(move)
    line = odoo.find("account.move.line", move_id=note, display_type="product")
    odoo.execute("account.move.line", "write", [line], {"quantity": 400})
    return note


def test_only_posted_invoices_are_reversed(odoo, confirm, invoice, credit, delivered):
    move = invoice(confirm(delivered))["res_id"]

    with pytest.raises(Exception, match="UserError: You can only reverse posted moves"):
        credit(move)


def test_an_invoice_is_made_without_an_order(odoo, partner, plan_fee):
    move = odoo.execute(
        "account.move",
        "create",
        {
            "move_type": "out_invoice",
            "partner_id": partner,
            "invoice_line_ids": [[0, 0, {"product_id": plan_fee, "quantity": 2}]],
        },
    )

    read = odoo.read("account.move", move, "amount_untaxed", "amount_tax", "amount_total")
    assert (read["amount_untaxed"], read["amount_tax"], read["amount_total"]) == (198.0, 25.74, 223.74)
