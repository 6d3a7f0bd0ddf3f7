"""Nothing but the listed calls leaves for Odoo."""

import copy

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.guard import HEADER_COLUMNS, PLAN_COLUMNS, USAGE_COLUMNS, GuardedTransport
from tests.reconciliation.connectors.odoo.recordings import FakeTransport, recorded_call, recorded_calls

ALLOWED_WRITES = {
    "tag_load",
    "shadow_quotation_load",
    "shadow_quotation_reload",
    "shadow_quotation_load_usd",
    "shadow_plan_line_load",
    "shadow_plan_line_reload",
}
READ_METHODS = {"fields_get", "search", "search_read", "read", "check_object_reference"}
MIRRORED = {"sale.order", "sale.order.line", "res.partner", "account.move", "account.move.line"}
REFUSED = [
    name
    for name, _model, method, _args, _kwargs in recorded_calls()
    if method not in READ_METHODS and name not in ALLOWED_WRITES
]


@pytest.fixture
def transport():
    return FakeTransport(lambda *_: {"ids": [1], "messages": []})


@pytest.fixture
def guarded(transport):
    return GuardedTransport(transport)


def refused(guarded, model, method, args, kwargs):
    with pytest.raises(ConnectorError) as caught:
        guarded.execute(model, method, args, kwargs)
    return caught.value.code == "refused_by_guard" and caught.value.permanent


def header(**cells):
    values = {
        "id": "__billing_console__.shadow_k",
        "partner_id/.id": "7",
        "company_id/.id": "1",
        "pricelist_id/.id": "3",
        "client_order_ref": "NexaCloud 2026-10",
        "require_signature": "False",
        "require_payment": "False",
        "tag_ids/.id": "1",
    }
    return [{**values, **cells}[column] for column in HEADER_COLUMNS]


def usage(**cells):
    values = {
        "order_line/id": "__billing_console__.shadow_k__api",
        "order_line/product_id/.id": "3",
        "order_line/name": "API calls",
        "order_line/product_uom_qty": "1",
        "order_line/price_unit": "30.86",
    }
    return [{**values, **cells}[column] for column in USAGE_COLUMNS]


NO_HEADER = [""] * len(HEADER_COLUMNS)
NO_LINE = [""] * len(USAGE_COLUMNS)


@pytest.mark.parametrize("name", REFUSED)
def test_a_recorded_write_that_is_not_ours_is_refused_and_not_sent(guarded, transport, name):
    assert refused(guarded, *recorded_call(name))
    assert transport.calls == []


def test_the_recordings_try_what_must_never_happen():
    tried = {tuple(recorded_call(name)[:2]) for name in REFUSED}
    assert {
        ("sale.order", "action_confirm"),
        ("sale.order", "create"),
        ("sale.order.line", "write"),
        ("sale.order.line", "load"),
        ("sale.order.line", "unlink"),
        ("sale.advance.payment.inv", "create_invoices"),
        ("account.move", "action_post"),
        ("account.move.reversal", "refund_moves"),
        ("res.partner", "write"),
    } <= tried


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("sale.order", "message_post"),
        ("sale.order", "write"),
        ("sale.order", "action_quotation_send"),
        ("sale.order", "unlink"),
        ("account.move", "load"),
        ("account.payment", "create"),
        ("payment.token", "create"),
        ("res.users", "search_read"),
        ("ir.config_parameter", "search_read"),
        ("ir.model.data", "unlink"),
    ],
)
def test_a_call_that_is_not_listed_is_refused(guarded, transport, model, method):
    assert refused(guarded, model, method, [[1]], {})
    assert transport.calls == []


@pytest.mark.parametrize("name", sorted(ALLOWED_WRITES))
def test_a_recorded_shadow_write_passes_unchanged(guarded, transport, name):
    before = copy.deepcopy(tuple(recorded_call(name)))
    guarded.execute(*recorded_call(name))
    assert transport.calls == [before]


@pytest.mark.parametrize("model", sorted(MIRRORED))
def test_mirrored_models_are_read(guarded, transport, model):
    guarded.execute(model, "search_read", [[]], {})
    assert transport.calls == [(model, "search_read", [[]], {})]


@pytest.mark.parametrize(
    "rows",
    [
        [header() + NO_LINE],
        [header() + usage(), NO_HEADER + usage(**{"order_line/id": "__billing_console__.shadow_k__sto"})],
    ],
)
def test_a_quotation_of_ours_is_written(guarded, transport, rows):
    guarded.execute("sale.order", "load", [list(HEADER_COLUMNS + USAGE_COLUMNS), rows], {})
    assert len(transport.calls) == 1


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([header(id="") + usage()], id="no external id"),
        pytest.param([header(id="__import__.shadow_k") + usage()], id="another module"),
        pytest.param([header(id="sale.order_1") + usage()], id="a record of a module"),
        pytest.param([header(id="__billing_console__.sub_1") + usage()], id="not a shadow"),
        pytest.param([header(id="__billing_console__.shadow_k.x") + usage()], id="a dot in the name"),
        pytest.param([header() + usage(**{"order_line/id": ""})], id="a line without external id"),
        pytest.param([header() + usage(**{"order_line/id": "__import__.l"})], id="a line of others"),
        pytest.param([header(require_payment="True") + usage()], id="payable online"),
        pytest.param([header(require_signature="") + usage()], id="signable by default"),
        pytest.param([NO_HEADER + usage()], id="a line without a quotation"),
        pytest.param([header() + usage(), NO_HEADER + NO_LINE], id="an empty row"),
        pytest.param([header() + usage(), header(id="") + usage()], id="a header without external id below"),
    ],
)
def test_a_row_outside_our_external_ids_is_refused(guarded, transport, rows):
    columns = list(HEADER_COLUMNS + USAGE_COLUMNS)
    assert refused(guarded, "sale.order", "load", [columns, rows], {})
    assert transport.calls == []


@pytest.mark.parametrize(
    ("model", "columns", "row"),
    [
        ("sale.order", (*HEADER_COLUMNS, "state"), [*header(), "sale"]),
        ("sale.order", ("id", "state"), ["__billing_console__.shadow_k", "sale"]),
        ("sale.order", HEADER_COLUMNS[:-2], header()[:-2]),
        ("sale.order.line", ("id", "order_id/.id"), ["__billing_console__.shadow_k__base", "35"]),
        ("crm.tag", ("id", "name", "color"), ["__billing_console__.tag_shadow", "x", "1"]),
    ],
)
def test_a_load_of_other_columns_is_refused(guarded, transport, model, columns, row):
    assert refused(guarded, model, "load", [list(columns), [row]], {})
    assert transport.calls == []


def test_a_plan_line_goes_only_onto_a_quotation_of_ours(guarded, transport):
    row = ["__billing_console__.shadow_k__base", "sale.order_1", "4", "Pro plan", "1"]
    assert refused(guarded, "sale.order.line", "load", [list(PLAN_COLUMNS), [row]], {})
    assert transport.calls == []


def test_only_our_own_tag_is_written(guarded, transport):
    assert refused(guarded, "crm.tag", "load", [["id", "name"], [["__billing_console__.tag_x", "x"]]], {})
    assert transport.calls == []


@pytest.mark.parametrize(
    "kwargs",
    [
        {"context": {"default_state": "sale"}},
        {"context": {"default_order_line": []}},
        {"fields": ["id", "state"]},
    ],
)
def test_a_write_cannot_set_fields_by_its_context_or_named_arguments(guarded, transport, kwargs):
    args = [list(HEADER_COLUMNS), [header()]]
    assert refused(guarded, "sale.order", "load", args, kwargs)
    assert transport.calls == []


class TestDeletingLines:
    def learn(self, guarded, transport, names):
        transport.answer = lambda *_: names
        guarded.execute("sale.order.line", "get_external_id", [[int(each) for each in names]], {})
        transport.calls.clear()

    def test_a_line_whose_name_odoo_told_is_deleted(self, guarded, transport):
        self.learn(guarded, transport, {"5196": "__billing_console__.shadow_k__sto"})
        guarded.execute("sale.order.line", "unlink", [[5196]], {"context": {"allowed_company_ids": [1]}})
        assert [call[1] for call in transport.calls] == ["unlink"]

    @pytest.mark.parametrize("name", ["", "__import__.shadow_k", "__billing_console__.sub_1__2026_11__api"])
    def test_a_line_of_another_name_is_not(self, guarded, transport, name):
        self.learn(guarded, transport, {"5196": name, "5197": "__billing_console__.shadow_k__sto"})
        assert refused(guarded, "sale.order.line", "unlink", [[5196, 5197]], {})
        assert transport.calls == []

    def test_a_line_that_changed_its_name_is_not(self, guarded, transport):
        self.learn(guarded, transport, {"5196": "__billing_console__.shadow_k__sto"})
        self.learn(guarded, transport, {"5196": ""})
        assert refused(guarded, "sale.order.line", "unlink", [[5196]], {})

    def test_an_order_of_that_id_tells_nothing_of_the_line(self, guarded, transport):
        transport.answer = lambda *_: {"5196": "__billing_console__.shadow_k"}
        guarded.execute("sale.order", "get_external_id", [[5196]], {})
        assert refused(guarded, "sale.order.line", "unlink", [[5196]], {})

    @pytest.mark.parametrize("args", [[], [[]], [[5196], True]])
    def test_deleting_nothing_in_particular_is_refused(self, guarded, transport, args):
        self.learn(guarded, transport, {"5196": "__billing_console__.shadow_k__sto"})
        assert refused(guarded, "sale.order.line", "unlink", args, {})


def holdings(value):
    """What an instance holds; a value with slots holds no transport."""
    return getattr(value, "__dict__", {})


def reachable(value, seen):
    """Every object that hangs on an instance of the connector's own classes."""
    if id(value) not in seen and type(value).__module__.startswith("reconciliation.connectors"):
        seen[id(value)] = value
        for each in holdings(value).values():
            reachable(each, seen)
    return seen.values()


def test_the_connector_holds_its_transport_only_inside_the_guard():
    connector = OdooConnector.connect(
        url="http://127.0.0.1:1", database="d", login="l", api_key="k", company_id=1, read_billers=dict
    )
    holders = [
        type(each).__name__
        for each in reachable(connector, {})
        for held in holdings(each).values()
        if type(held).__name__.endswith("Transport")
    ]
    # The client holds the guard, the guard the transport, and that one the two that it chooses from.
    assert holders == ["OdooClient", "GuardedTransport", "AutoTransport", "AutoTransport"]
