"""One interface, two transports: the same answers, the same errors, whichever way is spoken."""

import re
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, RESTRICTED_LOGIN, Settings
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.transport import TransportKind
from tests.reconciliation.connectors.odoo.conftest import BOTH, SETTINGS, open_stand_in

TAG = [["id", "name"], [["__b__.tag", "Shadow"]]]


@pytest.fixture(params=BOTH)
def kind(request):
    return request.param


@pytest.fixture
def way(kind, stand_in):
    return open_stand_in(kind, stand_in)


def failure(transport, model="crm.tag", method="load", args=TAG, **kwargs):
    """The error of a call; nothing of the server's own shows in it, nor does the key."""
    with pytest.raises(ConnectorError) as caught:
        transport.execute(model, method, list(args), kwargs)
    error = caught.value
    assert "Traceback" not in error.message
    assert SETTINGS.key not in str(error)
    assert error.__cause__ is None
    assert len(error.message) < 450
    return error


def test_it_says_who_asks_and_how_and_of_which_server(kind, way):
    assert (way.login, way.kind, way.version()) == ("console", kind, "19.0")


def test_the_same_calls_have_the_same_answers(way):
    (tag,) = way.execute("crm.tag", "load", TAG, {"context": {"allowed_company_ids": [1]}})["ids"]
    assert way.execute("crm.tag", "search", [[["name", "=", "Shadow"]]], {}) == [tag]
    assert way.execute("crm.tag", "search_count", [[]], {}) == 1
    assert way.execute("crm.tag", "read", [[tag]], {"fields": ["name"]}) == [{"id": tag, "name": "Shadow"}]
    assert way.execute("crm.tag", "read", [[99999999], ["name"]], {}) == []
    assert way.execute("crm.tag", "fields_get", [["name"]], {"attributes": ["type"]}) == {
        "name": {"type": "char"}
    }
    assert way.execute("crm.tag", "get_external_id", [[tag]], {}) == {str(tag): "__b__.tag"}
    assert way.execute("ir.model.data", "check_object_reference", ["__b__", "tag"], {}) == ["crm.tag", tag]
    assert way.execute("crm.tag", "has_access", [[], "write"], {}) is True
    assert way.execute("crm.tag", "write", [[tag], {"name": "Other"}], {}) is True
    assert way.execute("crm.tag", "create", [{"name": "One"}], {}) > tag
    assert len(way.execute("crm.tag", "create", [[{"name": "Two"}, {"name": "Three"}]], {})) == 2
    assert way.execute("crm.tag", "unlink", [[tag]], {}) is True
    assert way.execute("res.users", "context_get", [], {})["uid"]


@pytest.mark.parametrize(
    ("model", "method", "args", "code"),
    [
        ("res.partner", "write", [[99999999], {"name": "x"}], "missing"),
        ("res.partner", "search_read", [[["no_field", "=", 1]]], "bad_value"),
        ("res.partner", "no_such_method", [[1]], "unknown_name"),
        ("res.users", "search", [[]], "permission"),
        ("sale.order", "action_confirm", [[99999999]], "missing"),
        ("product.product", "create", [{"list_price": 1}], "permanent"),
    ],
)
def test_what_odoo_refuses_has_one_code(way, model, method, args, code):
    error = failure(way, model, method, args)
    assert (error.code, error.permanent, error.is_outcome_unknown) == (code, True, False)


def test_a_model_that_is_not_there_is_permanent(way):
    # Over /jsonrpc it is a UserError like any other.
    assert failure(way, "fusion.billing.service", "fields_get", [[]]).code in {"permanent", "unknown_name"}


def test_a_company_that_is_not_the_users_is_a_lack_of_rights(way):
    assert failure(way, "crm.tag", "search", [[]], context={"allowed_company_ids": [99]}).code == "permission"


def test_a_user_without_rights_is_told_so(kind, stand_in):
    restricted = open_stand_in(kind, stand_in, login=RESTRICTED_LOGIN, api_key=RESTRICTED_KEY)
    error = failure(restricted, "account.move", "search_read", [[]])
    assert (error.code, error.permanent) == ("permission", True)
    assert restricted.execute("account.move", "has_access", [[], "read"], {}) is False


@pytest.mark.parametrize(
    ("fault", "records"),
    [("drop_answer_after_commit", 1), ("timeout", 1), ("reset", 0), ("bad_gateway", 0)],
)
def test_a_lost_answer_is_an_unknown_outcome_and_the_same_call_again_makes_no_second(
    kind, stand_in, back_office, fault, records
):
    way = open_stand_in(kind, stand_in, timeout=0.4)
    way.version()  # and logged in
    stand_in.set_fault(fault, seconds=2, method="crm.tag.load")
    error = failure(way)
    assert (error.code, error.permanent, error.is_outcome_unknown) == ("outcome_unknown", False, True)
    assert back_office.count("crm.tag") == records
    assert len(way.execute("crm.tag", "load", list(TAG), {})["ids"]) == 1
    assert back_office.count("crm.tag") == 1


def test_a_conflict_is_transient_and_nothing_was_done(way, stand_in, back_office):
    way.version()
    stand_in.set_fault("serialization_failure", method="crm.tag.create")
    error = failure(way, "crm.tag", "create", [{"name": "x"}])
    assert (error.code, error.permanent, error.is_outcome_unknown) == ("transient", False, False)
    assert back_office.count("crm.tag") == 0


def test_a_key_that_is_revoked_in_the_middle_says_what_to_do(way, stand_in):
    way.execute("crm.tag", "search", [[]], {})
    stand_in.revoke_key()
    error = failure(way)
    assert (error.code, error.permanent) == ("authentication", True)
    assert "make a key in Odoo" in error.message
    stand_in.revoke_key(is_revoked=False)
    assert way.execute("crm.tag", "search", [[]], {}) == []


def test_a_wrong_key_is_tried_once(kind, stand_in):
    wrong = open_stand_in(kind, stand_in, api_key="wrong")
    assert [failure(wrong).code for _ in range(3)] == ["authentication"] * 3
    calls = stand_in.state["calls"]
    assert calls.get("common.login", 0) + calls.get("crm.tag.load", 0) == 1


def test_a_database_that_is_not_there_says_so(kind, stand_in):
    error = failure(open_stand_in(kind, stand_in, database="other"))
    assert error.code == {"jsonrpc": "transient", "json2": "wrong_address"}[kind]
    assert "database" in error.message


def test_a_server_that_is_down_is_transient(kind, stand_in):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = failure(open_stand_in(kind, stand_in, url=url))
    assert (error.code, error.is_outcome_unknown) == ("transient", False)
    assert error.message == "Odoo cannot be reached."


def read_request(peer):
    """Read all of a request: what is left unread when the connection closes resets it."""
    head, _, body = peer.recv(65536).partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += peer.recv(65536)


@contextmanager
def answering(data, context=None):
    """A server that answers every connection with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) if context else connection as peer:
                    read_request(peer)
                    peer.sendall(data)
            except OSError:
                continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def http_answer(status, head="", body=b"<html>sorry</html>"):
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param(http_answer("502 Bad Gateway"), "transient", "HTTP 502", id="a proxy without Odoo"),
        pytest.param(http_answer("200 OK"), "transient", "not Odoo's", id="a page instead of JSON"),
        pytest.param(http_answer("404 Not Found"), "wrong_address", "check both", id="another server"),
        pytest.param(
            http_answer("301 Moved", "Location: http://127.0.0.1:9/\r\n"),
            "wrong_address",
            "where Odoo itself answers",
            id="redirected to http",
        ),
    ],
)
def test_what_is_not_odoo_is_told_before_anything_is_written(kind, stand_in, answer, code, words):
    with answering(answer) as port:
        way = open_stand_in(kind, stand_in, url=f"http://127.0.0.1:{port}")
        with pytest.raises(ConnectorError) as caught:
            way.version()
    assert (caught.value.code, caught.value.is_outcome_unknown) == (code, False)
    assert words in caught.value.message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine that no authority of the system's has signed, and its server's context."""
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *extra], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


def test_a_certificate_is_verified_unless_its_signer_is_named(kind, stand_in, certificate):
    file, context = certificate
    with answering(http_answer("502 Bad Gateway"), context) as port:
        url = f"https://127.0.0.1:{port}"
        error = failure(open_stand_in(kind, stand_in, url=url))
        assert (error.code, error.permanent) == ("certificate", True)
        assert "ODOO_CA_FILE" in error.message
        with pytest.raises(ConnectorError, match="HTTP 502"):
            open_stand_in(kind, stand_in, url=url, ca_file=str(file)).version()


def test_a_file_of_certificates_that_is_none_is_told(kind, stand_in, tmp_path):
    error = failure(open_stand_in(kind, stand_in, ca_file=str(tmp_path / "none.pem")))
    assert (error.code, "ODOO_CA_FILE" in error.message) == ("certificate", True)


class TestChoosing:
    """`auto`: OdooRPC as long as the server has it."""

    @pytest.fixture
    def auto(self, stand_in):
        return open_stand_in(TransportKind.AUTO, stand_in)

    def test_an_odoo_19_is_spoken_to_over_jsonrpc(self, auto):
        assert auto.kind is TransportKind.JSONRPC
        assert auto.execute("crm.tag", "search_count", [[]], {}) == 0

    def test_a_server_without_jsonrpc_is_spoken_to_over_json2(self):
        with start(Settings(with_jsonrpc=False)) as stand_in:
            auto = open_stand_in(TransportKind.AUTO, stand_in)
            assert auto.execute("crm.tag", "search_count", [[]], {}) == 0
            assert (auto.kind, auto.version()) == (TransportKind.JSON2, "19.0")

    def test_a_failure_that_does_not_tell_leaves_the_choice_open(self, stand_in, auto):
        stand_in.revoke_key()
        assert failure(auto).code == "authentication"
        down = open_stand_in(TransportKind.AUTO, stand_in, url="http://127.0.0.1:9")
        assert failure(down).code == "transient"
