"""The server: lists newest first in pages, single objects, and the failures that a test asks for."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tests.stripe_standin.objects import ACCOUNT

KEY = "rk_test_reads_only"
LISTS = {
    "customer": "customers",
    "invoice": "invoices",
    "credit_note": "credit_notes",
    "invoice_payment": "invoice_payments",
    "charge": "charges",
    "refund": "refunds",
    "dispute": "disputes",
    "balance_transaction": "balance_transactions",
    "event": "events",
}
# How many lines an invoice shows in a list.
SHOWN_LINES = 10


class StripeStandIn:
    """What the account holds, what its key may not read, and answers that come in place of the next ones."""

    def __init__(self):
        self.objects = {}
        self.forbidden = set()
        self.answers = []
        self.asked = []
        self.url = ""

    def put(self, *objects):
        for each in objects:
            self.objects[each["id"]] = each

    def answer_next(self, *answers):
        """Each is a status, a body and perhaps headers; the next requests get them."""
        self.answers += answers

    def answer(self, path, query, key):
        self.asked.append(path)
        if self.answers:
            return self.answers.pop(0)
        if key != KEY:
            return 401, _error("Invalid API Key provided: rk_test_***")
        parts = path.removeprefix("/v1/").split("/")
        if parts == ["account"]:
            return self._forbid("account") or (200, json.dumps({"id": ACCOUNT, "object": "account"}))
        return self._forbid(parts[0]) or self._find(parts, query)

    def _forbid(self, name):
        if name in self.forbidden:
            right = f"rak_{name.removesuffix('s')}_read"
            message = (
                f"The provided key 'rk_test_***' does not have the required permissions for this endpoint on"
                f" account '{ACCOUNT}'. Having the '{right}' permission would allow this request to continue."
            )
            return 403, _error(message)
        return None

    def _find(self, parts, query):
        if len(parts) == 1 and parts[0] in LISTS.values():
            return 200, json.dumps(self._list(parts[0], query))
        found = self.objects.get(parts[1]) if len(parts) > 1 else None
        if found is None or LISTS[found["object"]] != parts[0]:
            return 404, _error(f"No such {parts[0]}", "resource_missing")
        if parts[2:] == ["lines"]:
            return 200, json.dumps(_page(found["lines"]["data"], query))
        return 200, json.dumps(_show(found))

    def _list(self, name, query):
        rows = [each for each in self.objects.values() if LISTS[each["object"]] == name]
        if "created[gte]" in query:
            rows = [each for each in rows if each["created"] >= int(query["created[gte]"])]
        if "payment[payment_intent]" in query:
            intent = query["payment[payment_intent]"]
            rows = [each for each in rows if each["payment"].get("payment_intent") == intent]
        rows.sort(key=lambda each: (each["created"], each["id"]), reverse=True)
        return _page([_show(each) for each in rows], query)


@contextmanager
def start(stand_in=None):
    """A running server, at `url`; of an account that holds nothing yet unless told otherwise."""
    stand_in = stand_in or StripeStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, body, *headers = stand_in.answer(parts.path, query, key)
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers[0].items() if headers else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def throttle(**headers):
    return 429, _error("Too many requests", "rate_limit"), headers


def _error(message, code=None):
    return json.dumps({"error": {"type": "invalid_request_error", "message": message, "code": code}})


def _show(each):
    lines = each.get("lines")
    if not lines or len(lines["data"]) <= SHOWN_LINES:
        return each
    return {**each, "lines": {**lines, "data": lines["data"][:SHOWN_LINES], "has_more": True}}


def _page(rows, query):
    limit, after = int(query.get("limit", 10)), query.get("starting_after")
    begin = next((place for place, each in enumerate(rows, 1) if each["id"] == after), 0) if after else 0
    page = rows[begin : begin + limit]
    return {"object": "list", "data": page, "has_more": begin + limit < len(rows), "url": "/v1/list"}
