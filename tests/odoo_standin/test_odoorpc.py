"""OdooRPC itself, as the connector uses it, against the stand-in."""

import odoorpc
import pytest


@pytest.fixture
def rpc(stand_in):
    connected = odoorpc.ODOO(stand_in.host, port=stand_in.port, timeout=10)
    connected.login("odoo19-demo", "console", "demo-key")
    return connected


def test_it_connects_and_logs_in(rpc):
    assert rpc.version == "19.0"
    assert rpc.env.uid
    assert rpc.env.context["uid"] == rpc.env.uid


def test_it_creates_reads_writes_and_deletes(rpc):
    partner = rpc.execute_kw("res.partner", "create", [{"name": "Acme", "ref": "x"}])
    found = rpc.execute_kw(
        "res.partner", "search_read", [[["ref", "=", "x"]]], {"fields": ["name", "parent_id"], "limit": 1}
    )
    assert found == [{"id": partner, "name": "Acme", "parent_id": False}]
    assert rpc.execute_kw("res.partner", "write", [[partner], {"name": "Acme Inc"}]) is True
    assert rpc.execute("res.partner", "read", [partner], ["name"]) == [{"id": partner, "name": "Acme Inc"}]
    assert rpc.execute_kw("res.partner", "unlink", [[partner]]) is True
    assert rpc.execute_kw("res.partner", "read", [[partner], ["name"]]) == []


def test_its_records_are_browsed(rpc):
    (partner,) = rpc.env["res.partner"].create([{"name": "Acme"}])

    assert rpc.env["res.partner"].browse(partner).name == "Acme"
    company = rpc.env["res.company"].browse(rpc.env["res.company"].search([])[0])
    assert company.currency_id.name == "CAD"


def test_a_wrong_key_is_an_error_without_info(stand_in):
    connected = odoorpc.ODOO(stand_in.host, port=stand_in.port, timeout=10)

    with pytest.raises(odoorpc.error.RPCError) as caught:
        connected.login("odoo19-demo", "console", "wrong")

    assert caught.value.info is False


def test_an_error_is_classified_by_its_name(rpc, stand_in):
    stand_in.revoke_key()

    with pytest.raises(odoorpc.error.RPCError) as caught:
        rpc.execute_kw("res.partner", "search", [[]])

    assert caught.value.info["data"]["name"] == "odoo.exceptions.AccessDenied"
    assert caught.value.info["code"] == 0
