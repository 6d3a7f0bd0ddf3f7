"""OdooRPC against a server that misbehaves: what is sent, how often, and what comes out."""

import json
import logging
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.transport import OdooRpcTransport
from reconciliation.connectors.odoo.web import parse_address
from tests.reconciliation.connectors.odoo.recordings import EXCHANGES

KEY = "a-key-that-must-not-show"


class Peer:
    """An HTTP server whose answers a test sets by (service, method): a recording's name or a function."""

    def __init__(self):
        self.answers = {
            "version": "version_info",
            "login": "login_ok",
            "execute": {"result": {"lang": "en_US"}},
            "execute_kw": {"result": [{"id": 1}]},
        }
        self.requests = []

    def answer(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        step = body["params"].get("method", "version")
        self.requests.append(step)
        answer = self.answers[step]
        if callable(answer):
            answer(handler)
            return
        content = EXCHANGES[answer]["response"]["json"] if isinstance(answer, str) else answer
        send(handler, 200, json.dumps(content), "application/json")


def send(handler, status, text, content_type="text/html", **headers):
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(text.encode())))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(text.encode())


@contextmanager
def serving(peer):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            peer.answer(self)

        do_GET = do_POST

        def log_message(self, *args):
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def peer():
    return Peer()


@pytest.fixture
def transport(peer):
    with serving(peer) as url:
        yield OdooRpcTransport(url, "odoo19", "console", KEY, timeout=5)


def read(transport):
    return transport.execute("res.partner", "search_read", [[]], {"limit": 1})


def failure(transport):
    with pytest.raises(ConnectorError) as caught:
        read(transport)
    assert KEY not in str(caught.value)
    return caught.value


def test_nothing_is_sent_before_the_first_call(peer, transport):
    assert transport.login == "console"
    assert peer.requests == []


def test_the_login_is_made_once(peer, transport):
    assert read(transport) == [{"id": 1}]
    assert read(transport) == [{"id": 1}]
    assert peer.requests == ["version", "login", "execute", "execute_kw", "execute_kw"]


def test_the_version_is_the_servers(transport):
    assert transport.version() == "19.0"


def test_a_refused_login_is_not_tried_again(peer, transport):
    peer.answers["login"] = "login_wrong_password"
    assert [failure(transport).code for _ in range(3)] == ["authentication"] * 3
    assert peer.requests == ["version", "login"]


def test_a_login_that_met_a_broken_database_is_tried_again(peer, transport):
    peer.answers["login"] = "login_wrong_database"
    assert failure(transport).code == "transient"
    peer.answers["login"] = "login_ok"
    assert read(transport) == [{"id": 1}]


def test_a_lost_answer_to_the_login_leaves_nothing_unknown(peer, transport):
    peer.answers["login"] = lambda handler: handler.connection.close()
    error = failure(transport)
    assert (error.code, error.is_outcome_unknown) == ("transient", False)


def test_a_revoked_key_is_an_authentication_error_after_one_call(peer, transport):
    peer.answers["execute_kw"] = "revoked_key"
    assert failure(transport).code == "authentication"
    assert peer.requests.count("execute_kw") == 1


def test_an_answer_without_result_is_none(peer, transport):
    peer.answers["execute_kw"] = {"jsonrpc": "2.0", "id": 1}
    assert read(transport) is None


def drop(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def page(status, **headers):
    return lambda handler: send(handler, status, "<html>sorry</html>", **headers)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(drop, "outcome_unknown", id="dropped"),
        pytest.param(page(200), "outcome_unknown", id="a page instead of JSON"),
        pytest.param(page(502), "outcome_unknown", id="bad gateway"),
        pytest.param(page(404), "wrong_address", id="no such route"),
        pytest.param(page(301, Location="https://elsewhere.example"), "wrong_address", id="redirected"),
        pytest.param({"error": {"code": 0}}, "outcome_unknown", id="an error of another shape"),
        pytest.param("access_error", "permission", id="no access"),
    ],
)
def test_every_failure_of_a_call_is_a_connector_error(peer, transport, answer, code):
    peer.answers["execute_kw"] = answer
    assert failure(transport).code == code
    assert peer.requests.count("execute_kw") == 1


def test_a_timeout_does_not_say_whether_it_happened(peer):
    release = threading.Event()
    peer.answers["execute_kw"] = lambda handler: release.wait(5)
    with serving(peer) as url:
        try:
            error = failure(OdooRpcTransport(url, "odoo19", "console", KEY, timeout=0.2))
        finally:
            release.set()
    assert error.is_outcome_unknown


def test_a_server_that_is_down_is_transient():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = failure(OdooRpcTransport(url, "odoo19", "console", KEY))
    assert (error.code, error.permanent) == ("transient", False)


def test_the_cause_with_the_servers_traceback_stays_behind(peer, transport):
    peer.answers["execute_kw"] = "access_error"
    error = failure(transport)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_the_key_is_not_logged(peer, transport, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("odoorpc.rpc.jsonrpclib").setLevel(logging.DEBUG)
    read(transport)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://127.0.0.1:8069", ("http", "127.0.0.1", 8069)),
        ("https://odoo.example.com", ("https", "odoo.example.com", 443)),
        ("https://odoo.example.com/", ("https", "odoo.example.com", 443)),
        ("http://[::1]:8069", ("http", "[::1]", 8069)),
        ("http://odoo", ("http", "odoo", 80)),
    ],
)
def test_an_address_is_taken_apart(url, parts):
    address = parse_address(url)
    assert (address.scheme, address.host, address.port) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "odoo.example.com",
        "ftp://odoo.example.com",
        "https://",
        "https://odoo.example.com/web",
        "https://odoo.example.com?db=x",
        "https://odoo.example.com:port",
        "https://user:secret@odoo.example.com",
    ],
)
def test_another_address_is_refused_at_once_without_showing_a_password(url):
    with pytest.raises(ConnectorError) as caught:
        OdooRpcTransport(url, "odoo19", "console", KEY)
    assert caught.value.code == "wrong_address"
    assert "secret" not in str(caught.value)
