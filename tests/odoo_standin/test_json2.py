"""`/json/2` beyond what was recorded: what is refused before a method runs, and what goes wrong on demand."""

import http.client
import json

import pytest

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, Settings
from tests.odoo_standin.client import post
from tests.odoo_standin.test_recordings import send


@pytest.fixture
def call(stand_in):
    """Return a function that posts a call and returns the status with the JSON or the page."""

    def make(path, key="demo-key", headers=(), **named):
        sent = {"Authorization": f"bearer {key}", "Content-Type": "application/json", **dict(headers)}
        answer = send(f"{stand_in.url}/json/2/{path}", json.dumps(named).encode(), sent)
        return answer["status"], answer["json"] if answer["text"] is None else answer["text"]

    return make


@pytest.mark.parametrize(
    ("path", "named", "status", "name"),
    [
        ("res.partner/search", {"domain": [], "ids": [1]}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("res.partner/search", {}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("res.partner/search", {"domain": [], "x": 1}, 422, "werkzeug.exceptions.UnprocessableEntity"),
        ("res.partner/_search", {"domain": []}, 403, "odoo.exceptions.AccessError"),
        ("res.partner/search_read", {"fields": ["no"]}, 500, "builtins.ValueError"),
        ("fusion.billing.service/search", {"domain": []}, 404, "werkzeug.exceptions.NotFound"),
        ("ir.model.data/search", {"domain": []}, 403, "odoo.exceptions.AccessError"),
    ],
)
def test_a_refusal_has_its_status_and_its_name(call, path, named, status, name):
    answered, body = call(path, **named)
    assert (answered, body["name"]) == (status, name)
    assert set(body) == {"name", "message", "arguments", "context", "debug"}


def test_another_database_is_a_page_and_none_is_the_only_one(call):
    status, page = call("res.partner/search", headers={"X-Odoo-Database": "other"}, domain=[])
    assert (status, page[:15]) == (404, "<!doctype html>")
    assert call("res.partner/search", domain=[]) == (200, [])


def test_rights_are_told_and_not_raised(call):
    rights = [
        call("account.move/has_access", key, ids=[], operation=operation)
        for key in ("demo-key", RESTRICTED_KEY)
        for operation in ("read", "write")
    ]
    assert rights == [(200, True), (200, True), (200, False), (200, False)]
    assert call("ir.model.data/has_access", ids=[], operation="read") == (200, False)


def test_a_revoked_key_is_no_key(call, stand_in):
    post(f"{stand_in.url}/standin/revoke_key", {})
    status, body = call("res.partner/search", domain=[])
    assert (status, body["name"], body["message"]) == (
        401,
        "werkzeug.exceptions.Unauthorized",
        "Invalid apikey",
    )


def test_it_goes_wrong_on_demand_as_over_jsonrpc(call, odoo, stand_in):
    rows = {"fields": ["id", "name"], "data": [["__b__.tag", "Shadow"]]}
    stand_in.set_fault("serialization_failure", count=2)
    assert call("crm.tag/load", **rows)[1]["ids"] is False
    assert call("crm.tag/search", domain=[])[1]["name"] == "psycopg2.errors.SerializationFailure"
    assert odoo.execute("crm.tag", "search_count", []) == 0
    stand_in.set_fault("bad_gateway", method="crm.tag.load")
    assert call("crm.tag/load", **rows)[0] == 502
    stand_in.set_fault("drop_answer_after_commit")
    with pytest.raises(http.client.RemoteDisconnected):
        call("crm.tag/load", **rows)
    assert odoo.execute("crm.tag", "search_count", []) == 1


def test_the_old_way_can_be_gone():
    with start(Settings(with_jsonrpc=False)) as stand_in:
        answer = send(f"{stand_in.url}/jsonrpc", b"{}", {"Content-Type": "application/json"})
    assert answer["status"] == 404
