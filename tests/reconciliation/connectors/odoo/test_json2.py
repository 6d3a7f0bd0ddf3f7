"""JSON-2 on the recordings: what is sent is what was recorded, and what comes back is what was answered."""

import json

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.json2 import Json2Transport, name_arguments
from reconciliation.connectors.odoo.selection import is_without_jsonrpc
from tests.reconciliation.connectors.odoo.recordings import EXCHANGES
from tests.reconciliation.connectors.odoo.test_transport import send, serving


class Peer:
    """A server that answers what the test says, a recording's name or a function, and keeps what it was sent."""

    def __init__(self):
        self.answer_with = "j2_read"
        self.requests = []

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.requests.append({"path": handler.path, "headers": dict(handler.headers), "body": body.decode()})
        if callable(self.answer_with):
            self.answer_with(handler)
            return
        response = EXCHANGES[self.answer_with]["response"]
        text = response.get("text") or json.dumps(response["json"])
        send(handler, response["status"], text, response["content_type"])


@pytest.fixture
def peer():
    return Peer()


@pytest.fixture
def transport(peer):
    with serving(peer) as url:
        yield Json2Transport(url, "odoo19", "console", "API_KEY", timeout=5)


def call(transport, name):
    """The recorded call, its arguments by place where the console gives them so."""
    request = EXCHANGES[name]["request"]
    model, method = request["path"].removeprefix("/json/2/").split("/")
    named = dict(request["json"])
    places = {"load": ["fields", "data"], "write": ["ids", "vals"], "create": ["vals_list"], "read": ["ids"]}
    args = [named.pop(place) for place in places.get(method, ["domain"])]
    return transport.execute(model, method, args, named)


@pytest.mark.parametrize(
    "name", ["j2_search_read", "j2_create", "j2_write", "j2_read", "j2_load", "j2_load_again"]
)
def test_a_call_is_sent_as_recorded_and_its_answer_is_the_recorded_one(peer, transport, name):
    peer.answer_with = name
    assert call(transport, name) == EXCHANGES[name]["response"]["json"]
    (sent,) = peer.requests
    recorded = EXCHANGES[name]["request"]
    assert (sent["path"], json.loads(sent["body"])) == (recorded["path"], recorded["json"])
    headers = {header.lower(): value for header, value in sent["headers"].items()}
    assert {header: headers[header.lower()] for header in recorded["headers"]} == recorded["headers"]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("j2_wrong_key", "authentication", "Invalid apikey"),
        ("j2_no_key", "authentication", "Bearer"),
        ("j2_unknown_model", "unknown_name", "no.such.model"),
        ("j2_unknown_method", "unknown_name", "no_such_method"),
        ("j2_unknown_argument", "permanent", "TypeError"),
        ("j2_user_error", "permanent", "Some orders are not in a state requiring confirmation."),
        ("j2_missing_record", "missing", "does not exist or has been deleted"),
        ("j2_bad_json", "permanent", "could not parse"),
        ("j2_wrong_content_type", "permanent", "HTTP 415"),
        ("j2_access_error", "permission", "You are not allowed to access"),
    ],
)
def test_a_recorded_refusal_is_classified_by_its_name_and_status(peer, transport, name, code, words):
    peer.answer_with = name
    with pytest.raises(ConnectorError, match=words) as caught:
        transport.execute("res.partner", "search", [[]], {})
    error = caught.value
    assert (error.code, error.permanent, error.is_outcome_unknown) == (code, True, False)
    assert "\n" not in error.message


def test_a_private_method_is_not_a_wrong_key(peer, transport):
    told = {"name": "odoo.exceptions.AccessDenied", "message": "Access Denied", "debug": "Traceback"}
    peer.answer_with = lambda handler: send(handler, 403, json.dumps(told), "application/json")
    with pytest.raises(ConnectorError) as caught:
        transport.execute("res.partner", "search", [[]], {})
    assert caught.value.code == "permission"


@pytest.mark.parametrize("body", ["[]", '{"error": 1}', '"x"', "{", ""])
def test_a_refusal_in_json_that_is_not_odoos_is_judged_by_its_status(peer, transport, body):
    peer.answer_with = lambda handler: send(handler, 503, body, "application/json")
    with pytest.raises(ConnectorError, match="HTTP 503") as caught:
        transport.execute("crm.tag", "load", [[], []], {})
    assert caught.value.is_outcome_unknown


def test_a_success_that_is_cut_short_is_an_unknown_outcome(peer, transport):
    peer.answer_with = lambda handler: send(handler, 200, '{"ids": [1', "application/json")
    with pytest.raises(ConnectorError) as caught:
        transport.execute("crm.tag", "load", [[], []], {})
    assert caught.value.is_outcome_unknown


def test_an_argument_without_a_name_is_refused_before_anything_is_sent(peer, transport):
    with pytest.raises(ConnectorError) as caught:
        transport.execute("sale.order", "some_method", [[1], "x"], {})
    assert caught.value.code == "unnamed_argument"
    assert name_arguments("some_method", [[1]]) == {"ids": [1]}
    assert peer.requests == []


@pytest.mark.parametrize("key", ["with\nbreak", "ключ"])
def test_a_key_that_is_no_key_is_a_refused_one_and_not_sent(peer, key):
    with serving(peer) as url, pytest.raises(ConnectorError) as caught:
        Json2Transport(url, "odoo19", "console", key).execute("crm.tag", "search", [[]], {})
    assert caught.value.code == "authentication"
    assert key not in str(caught.value)
    assert peer.requests == []


def test_the_version_needs_no_key(peer, transport):
    peer.answer_with = "web_version"
    assert (transport.version(), transport.version()) == ("19.0", "19.0")
    (sent,) = peer.requests
    assert sent["path"] == "/web/version"
    assert "Authorization" not in sent["headers"]


@pytest.mark.parametrize(
    ("version", "is_gone"),
    [
        ("19.0", False),
        ("20.0", False),
        ("saas~20.4", False),
        ("21.0", False),
        ("saas~21.1", True),
        ("22.0", True),
        ("22.0+e", True),
        ("dream", False),
    ],
)
def test_the_old_way_goes_with_odoo_22(version, is_gone):
    assert is_without_jsonrpc(version) == is_gone
