"""Each row of the error tables, from the recorded errors and from the network's exceptions."""

import http.client
import pickle
import socket
import ssl
from urllib.error import HTTPError, URLError

import pytest
from odoorpc.error import RPCError

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import (
    HTTP_STATUSES,
    SERVER_ERRORS,
    classify,
    classify_messages,
    readable,
    without_effect,
)
from tests.reconciliation.connectors.odoo.recordings import EXCHANGES, recorded_error

RECORDED = [
    ("login_wrong_database", "transient"),
    ("order_confirm_again", "permanent"),
    ("invoice_wizard_run_again", "permanent"),
    ("fields_get_missing_model", "permanent"),
    ("write_missing_record", "missing"),
    ("unknown_field", "permanent"),
    ("validation_error", "permanent"),
    ("bad_datetime", "bad_value"),
    ("access_error", "permission"),
    ("revoked_key", "authentication"),
    ("unknown_method", "unknown_name"),
    ("shadow_quotation_cannot_be_invoiced", "permanent"),
]

NETWORK = [
    (URLError(ConnectionRefusedError(111, "refused")), "transient"),
    (URLError(socket.gaierror(-2, "unknown name")), "transient"),
    (URLError(ssl.SSLCertVerificationError(1, "self-signed")), "certificate"),
    (URLError(TimeoutError("timed out")), "outcome_unknown"),
    (URLError(ConnectionResetError(104, "reset")), "outcome_unknown"),
    (URLError("unknown url type"), "outcome_unknown"),
    (TimeoutError("timed out"), "outcome_unknown"),
    (http.client.RemoteDisconnected("closed"), "outcome_unknown"),
    (http.client.IncompleteRead(b"{"), "outcome_unknown"),
    (ConnectionResetError(104, "reset"), "outcome_unknown"),
    (ValueError("not JSON"), "outcome_unknown"),
    (KeyError("result"), "outcome_unknown"),
]

STATUSES = [
    (302, "wrong_address"),
    (400, "permanent"),
    (401, "authentication"),
    (403, "permission"),
    (404, "wrong_address"),
    (408, "outcome_unknown"),
    (413, "permanent"),
    (429, "transient"),
    (500, "outcome_unknown"),
    (502, "outcome_unknown"),
    (504, "outcome_unknown"),
]


def server_error(name, message="text"):
    return RPCError(message, {"code": 0, "data": {"name": name, "message": message, "debug": "Traceback"}})


@pytest.mark.parametrize(("name", "code"), RECORDED)
def test_a_recorded_error_has_its_code(name, code):
    assert classify(recorded_error(name)).code == code


def test_every_recorded_server_error_is_in_the_table_above():
    recorded = {
        name
        for name, exchange in EXCHANGES.items()
        if exchange["transport"] == "jsonrpc" and "error" in (exchange["response"]["json"] or {})
    }
    assert recorded == {name for name, _ in RECORDED}


@pytest.mark.parametrize(("name", "verdict"), SERVER_ERRORS.items())
def test_a_server_error_is_known_by_its_name_whatever_it_says(name, verdict):
    error = classify(server_error(name, "could not serialize access, Access Denied"))
    assert (error.code, error.permanent, error.is_outcome_unknown) == (
        verdict.code,
        verdict.permanent,
        False,
    )


def test_an_unknown_server_error_is_permanent_because_the_server_rolled_it_back():
    error = classify(server_error("odoo.addons.x.Strange"))
    assert (error.code, error.permanent, error.is_outcome_unknown) == ("permanent", True, False)


def test_a_wrong_password_comes_without_info():
    assert classify(RPCError("Wrong login ID or password")).code == "authentication"


@pytest.mark.parametrize(("exception", "code"), NETWORK, ids=repr)
def test_a_network_error_is_known_by_its_class(exception, code):
    error = classify(exception)
    assert (error.code, error.is_outcome_unknown) == (code, code == "outcome_unknown")
    assert error.permanent == (code == "certificate")


@pytest.mark.parametrize(("status", "code"), STATUSES)
def test_a_status_of_a_proxy_is_known_by_its_range(status, code):
    error = classify(HTTPError("http://odoo", status, "text", None, None))
    assert error.code == code
    assert f"HTTP {status}" in error.message


def test_every_status_above_success_has_a_row():
    assert all(any(status in statuses for statuses, _ in HTTP_STATUSES) for status in range(300, 600))


@pytest.mark.parametrize(("name", "_code"), RECORDED)
def test_a_message_is_one_short_line_without_traceback(name, _code):
    message = classify(recorded_error(name)).message
    assert "\n" not in message
    assert "debug" not in message
    assert len(message) < 400


def test_a_database_error_shows_no_host():
    assert "127.0.0.1" not in classify(recorded_error("login_wrong_database")).message


def test_a_business_rule_is_told_in_odoos_words():
    message = classify(recorded_error("order_confirm_again")).message
    assert message == "Odoo refused it. Some orders are not in a state requiring confirmation."


def test_a_lost_race_in_load_is_transient_and_only_its_text_tells():
    messages = [{"type": "error", "message": "could not serialize access due to concurrent update"}]
    error = classify_messages(messages)
    assert (error.code, error.permanent) == ("transient", False)


def test_a_bad_row_in_load_is_permanent_and_says_which_value():
    messages = EXCHANGES["load_bad_row"]["response"]["json"]["result"]["messages"]
    error = classify_messages(messages)
    assert (error.code, error.permanent) == ("permanent", True)
    assert "99999999" in error.message


def test_a_warning_of_load_is_not_what_it_failed_of():
    messages = [{"type": "warning", "message": "interrupted"}, {"type": "error", "message": "No product"}]
    assert "No product" in classify_messages(messages).message


def test_a_lost_answer_of_a_read_leaves_nothing_unknown():
    error = without_effect(classify(TimeoutError()))
    assert (error.code, error.permanent, error.is_outcome_unknown) == ("transient", False, False)


def test_other_errors_of_a_read_stay_what_they_are():
    error = classify(recorded_error("access_error"))
    assert without_effect(error) is error


def test_a_long_text_is_cut():
    assert len(readable("x" * 1000)) == 300


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(classify(TimeoutError())))
    assert isinstance(error, ConnectorError)
    assert (error.code, error.is_outcome_unknown, error.system) == ("outcome_unknown", True, "odoo")
