"""Transports that answer from recorded exchanges, and one that answers what a test says."""

import json
from pathlib import Path

from odoorpc.error import RPCError

from reconciliation.connectors.odoo.classification import classify
from reconciliation.connectors.odoo.transport import TransportKind

FILE = Path(__file__).parents[3] / "recordings" / "odoo_exchanges.json"
EXCHANGES = {exchange["name"]: exchange for exchange in json.loads(FILE.read_text())}


def recorded_call(name):
    """The model, method, args and kwargs of a recorded `execute_kw`."""
    return EXCHANGES[name]["request"]["json"]["params"]["args"][3:]


def recorded_calls():
    """Every recorded `execute_kw` by name."""
    for name, exchange in EXCHANGES.items():
        params = (exchange["request"].get("json") or {}).get("params", {})
        if params.get("method") == "execute_kw":
            yield name, *params["args"][3:]


def recorded_error(name):
    """What OdooRPC raises for a recorded error."""
    info = EXCHANGES[name]["response"]["json"]["error"]
    return RPCError(info["data"]["message"], info)


class ScriptedTransport:
    """Answers the named recordings in order; a call of another model or method fails the test."""

    login = "console"
    kind = TransportKind.JSONRPC

    def __init__(self, *names):
        self.names = list(names)
        self.calls = []

    def version(self):
        return EXCHANGES["version_info"]["response"]["json"]["result"]["server_version"]

    def execute(self, model, method, args, kwargs):
        self.calls.append((model, method, args, kwargs))
        name = self.names.pop(0)
        assert recorded_call(name)[:2] == [model, method]
        answer = EXCHANGES[name]["response"]["json"]
        if "error" in answer:
            raise classify(recorded_error(name))
        return answer["result"]


class FakeTransport:
    """Answers with a function of the call, and keeps the calls."""

    login = "console"
    kind = TransportKind.JSONRPC

    def __init__(self, answer):
        self.answer = answer
        self.calls = []

    def version(self):
        return "19.0"

    def execute(self, model, method, args, kwargs):
        self.calls.append((model, method, args, kwargs))
        return self.answer(model, method, args, kwargs)


def recorded_result(name):
    """A fresh copy of a recorded answer."""
    return json.loads(json.dumps(EXCHANGES[name]["response"]["json"]["result"]))
