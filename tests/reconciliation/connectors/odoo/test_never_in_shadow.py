"""Hostile tries through the connector's own client, over both transports: nothing of them reaches Odoo."""

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.guard import (
    HEADER_COLUMNS,
    PLAN_COLUMNS,
    USAGE_COLUMNS,
    GuardedTransport,
)
from tests.reconciliation.connectors.odoo.conftest import BOTH, CountingTransport, open_stand_in
from tests.reconciliation.connectors.odoo.drafting import Shop
from tests.reconciliation.connectors.odoo.recordings import FakeTransport

SHADOW = "__billing_console__.shadow_k"
HEADER = [SHADOW, "7", "1", "3", "NexaCloud 2026-10", "False", "False", "1"]
USAGE = [f"{SHADOW}__api", "3", "API calls", "1", "30.86"]

TRIES = {
    "confirming": ("sale.order", "action_confirm", [[1]], {}),
    "writing the state": ("sale.order", "write", [[1], {"state": "sale"}], {}),
    "creating a confirmed one": ("sale.order", "create", [{"partner_id": 1, "state": "sale"}], {}),
    "loading the state": ("sale.order", "load", [["id", "state"], [[SHADOW, "sale"]]], {}),
    "a state by default": (
        "sale.order",
        "load",
        [list(HEADER_COLUMNS), [HEADER]],
        {"context": {"default_state": "sale"}},
    ),
    "asking for a payment": (
        "sale.order",
        "load",
        [list(HEADER_COLUMNS), [[*HEADER[:6], "True", "1"]]],
        {},
    ),
    "sending it": ("sale.order", "action_quotation_send", [[1]], {}),
    "a message": ("sale.order", "message_post", [[1]], {"body": "Pay!", "partner_ids": [1]}),
    "a message on an invoice": ("account.move", "message_post", [[1]], {"body": "Pay!"}),
    "mail by a context": (
        "crm.tag",
        "load",
        [["id", "name"], [["__billing_console__.tag_shadow", "x"]]],
        {"context": {"mail_notify_force_send": True}},
    ),
    "followers by a context": (
        "sale.order",
        "load",
        [list(HEADER_COLUMNS), [HEADER]],
        {"context": {"mail_post_autofollow": True}},
    ),
    "automatic invoices by a context": (
        "sale.order.line",
        "load",
        [list(PLAN_COLUMNS), [[f"{SHADOW}__base", SHADOW, "4", "Pro", "1"]]],
        {"context": {"default_invoice_status": "to invoice"}},
    ),
    "the invoice wizard": (
        "sale.advance.payment.inv",
        "create",
        [{"advance_payment_method": "delivered"}],
        {"context": {"active_model": "sale.order", "active_ids": [1]}},
    ),
    "running the wizard": ("sale.advance.payment.inv", "create_invoices", [[1]], {}),
    "posting": ("account.move", "action_post", [[1]], {}),
    "an invoice": ("account.move", "create", [{"move_type": "out_invoice", "partner_id": 1}], {}),
    "loading an invoice": ("account.move", "load", [["id", "state"], [[SHADOW, "posted"]]], {}),
    "reversing": ("account.move.reversal", "refund_moves", [[1]], {}),
    "a payment": ("account.payment", "create", [{"partner_id": 1, "amount": 1}], {}),
    "a charge": ("payment.transaction", "create", [{"amount": 1, "partner_id": 1}], {}),
    "sending a charge": ("payment.transaction", "_send_payment_request", [[1]], {}),
    "a card": ("payment.token", "create", [{"partner_id": 1}], {}),
    "a delivered quantity": ("sale.order.line", "write", [[1], {"qty_delivered": 5}], {}),
    "a line of an order that is not ours": (
        "sale.order.line",
        "load",
        [list(PLAN_COLUMNS), [[f"{SHADOW}__base", "sale.order_1", "4", "Pro", "1"]]],
        {},
    ),
    "a line that is not ours": (
        "sale.order",
        "load",
        [list(HEADER_COLUMNS + USAGE_COLUMNS), [[*HEADER, "__import__.l", *USAGE[1:]]]],
        {},
    ),
    "deleting a line that is not ours": ("sale.order.line", "unlink", [[1]], {}),
    "deleting an order": ("sale.order", "unlink", [[1]], {}),
    "deleting an external id": ("ir.model.data", "unlink", [[1]], {}),
    "a scheduled action": ("ir.cron", "method_direct_trigger", [[1]], {}),
    "a server action": ("ir.actions.server", "run", [[1]], {}),
    "a parameter": ("ir.config_parameter", "set_param", ["a", "b"], {}),
    "an administrator": ("res.users", "write", [[2], {"group_ids": [[4, 1]]}], {}),
    "passwords": ("res.users", "read", [[2], ["password"]], {}),
    "passwords by name": ("res.users", "read", [[2]], {"fields": ["login", "password"]}),
    "all of a user": ("res.users", "read", [[2]], {}),
    "secret keys": ("payment.provider", "search_read", [[]], {"fields": ["stripe_secret_key"]}),
    "a read method in capitals": ("sale.order", "READ", [[1]], {}),
    "another model's read": ("mail.message", "search_read", [[]], {}),
}


def refusal_of(client, model, method, args, kwargs):
    """The code of the error, and whether it is permanent; None when the call passed."""
    try:
        client.call(model, method, *args, **kwargs)
    except ConnectorError as error:
        return error.code, error.permanent
    return None


@pytest.mark.parametrize("kind", BOTH)
def test_no_hostile_try_reaches_odoo(kind, stand_in):
    way = CountingTransport(open_stand_in(kind, stand_in))
    client = OdooConnector(way, company_id=1)._client
    before = stand_in.state
    refused = {name: refusal_of(client, *attempt) for name, attempt in TRIES.items()}
    assert refused == dict.fromkeys(TRIES, ("refused_by_guard", True))
    assert way.calls == []
    assert stand_in.state == before


class TestBillers:
    """What a line bills decides too: the service's periods only, asked at the last moment."""

    LOADS = (
        ("sale.order", HEADER_COLUMNS + USAGE_COLUMNS, [HEADER + USAGE], {"api"}),
        ("sale.order.line", PLAN_COLUMNS, [[f"{SHADOW}__base", SHADOW, "4", "Pro", "1"]], {"base"}),
    )

    def guard(self, billers):
        transport = FakeTransport(lambda *_: {"ids": [1], "messages": []})
        asked = []

        def read(keys):
            asked.append(set(keys))
            return billers

        return GuardedTransport(transport, read), transport, asked

    @pytest.mark.parametrize(("model", "columns", "rows", "keys"), LOADS)
    def test_what_the_service_bills_is_written(self, model, columns, rows, keys):
        guard, transport, asked = self.guard(dict.fromkeys(keys, "service"))
        guard.execute(model, "load", [list(columns), rows], {})
        assert (len(transport.calls), asked) == (1, [keys])

    @pytest.mark.parametrize(
        ("biller", "code", "permanent"),
        [("odoo", "billed_by_odoo", False), (None, "refused_by_guard", True), ("", "billed_by_odoo", False)],
    )
    @pytest.mark.parametrize(("model", "columns", "rows", "keys"), LOADS)
    def test_what_odoo_bills_or_nobody_knows_is_not(  # noqa: PLR0917 two tables
        self, model, columns, rows, keys, biller, code, permanent
    ):
        guard, transport, _ = self.guard({} if biller is None else dict.fromkeys(keys, biller))
        with pytest.raises(ConnectorError) as caught:
            guard.execute(model, "load", [list(columns), rows], {})
        assert (caught.value.code, caught.value.permanent) == (code, permanent)
        assert transport.calls == []

    def test_each_line_below_a_header_is_asked_for_and_a_header_alone_is_nothing_to_ask(self):
        guard, _, asked = self.guard({"api": "service", "sto": "service"})
        second = [""] * len(HEADER_COLUMNS) + [f"{SHADOW}__sto", *USAGE[1:]]
        guard.execute(
            "sale.order", "load", [list(HEADER_COLUMNS + USAGE_COLUMNS), [HEADER + USAGE, second]], {}
        )
        guard.execute("sale.order", "load", [list(HEADER_COLUMNS), [HEADER]], {})
        assert asked == [{"api", "sto"}]

    def test_one_line_of_odoos_stops_the_whole_push_before_any_line_is_written(self, transport, back_office):
        shop = Shop(back_office)
        draft = shop.usual("k")
        billers = dict.fromkeys(draft.line_keys, "service")
        billers[min(billers)] = "odoo"
        connector = OdooConnector(transport, company_id=1, read_billers=lambda keys: billers)
        with pytest.raises(ConnectorError, match="Odoo bills by now"):
            connector.write_quotations([draft])
        assert back_office.count("sale.order.line") == 0
