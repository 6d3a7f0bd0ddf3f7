"""The stand-in's server on loopback: each list in pages, for one key, with whatever fault a test asks for."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

KEY = "5f0f4b6e-9f2c-4a4e-8d5f-2d9c1f3b7a10"
PREFIX = "/api/v1/"
OF_DETAIL = {
    "customer",
    "subscriptions",
    "billing_periods",
    "fees",
    "credits",
    "applied_taxes",
    "error_details",
}


@dataclass
class Lago:
    """One organization: its lists, what its key may not read, and the answers that stand before the true ones."""

    world: dict
    url: str = ""
    key: str = KEY
    forbidden: frozenset = frozenset()
    # Subscriptions with prices of their own; None is a Lago that knows no such filter.
    overridden: frozenset | None = frozenset()
    # Given in turn instead of the true answer: (status, headers, body).
    faults: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    largest_page: int = 100

    def answer(self, target, headers):
        """Status, headers and the bytes of the body."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.asked.append((parts.path, query))
        if headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "Unauthorized")
        if self.faults:
            return self.faults.pop(0)
        name, _, lago_id = parts.path.removeprefix(PREFIX).partition("/")
        if not parts.path.startswith(PREFIX) or name not in self.world:
            return _error(404, "Not Found", "resource_not_found")
        if name in self.forbidden:
            return _error(403, "Forbidden", f"read_action_not_allowed_for_{name.removesuffix('s')}")
        if lago_id:
            return self._find(name, lago_id)
        return 200, {}, json.dumps(self._page(name, query)).encode()

    def _find(self, name, lago_id):
        one = name.removesuffix("s")
        for row in self.world[name]:
            if row["lago_id"] == lago_id:
                return 200, {}, json.dumps({one: row}).encode()
        return _error(404, "Not Found", f"{one}_not_found")

    def _page(self, name, query):
        rows = self.world[name]
        if name == "invoices":
            since = query.get("issuing_date_from", [""])[0]
            # A list does without what only the detail has.
            rows = [
                {key: value for key, value in row.items() if key not in OF_DETAIL}
                for row in sorted(rows, key=lambda row: row["issuing_date"], reverse=True)
                if row["issuing_date"] >= since
            ]
        if name == "subscriptions":
            rows = self._choose(rows, query)
        number = int(query.get("page", ["1"])[0])
        size = min(int(query.get("per_page", ["100"])[0]), self.largest_page)
        pages = -(-len(rows) // size)
        meta = {
            "current_page": number if rows else 0,
            "next_page": number + 1 if number < pages else None,
            "prev_page": number - 1 if number > 1 else None,
            "total_pages": pages,
            "total_count": len(rows),
        }
        return {name: rows[(number - 1) * size : number * size], "meta": meta}

    def _choose(self, rows, query):
        statuses = query.get("status[]", ["active"])
        found = [row for row in rows if row["status"] in statuses]
        wanted = query.get("overridden", [""])[0]
        if self.overridden is None or not wanted:
            return found
        return [row for row in found if (row["lago_id"] in self.overridden) == (wanted == "true")]


def _error(status, phrase, code=""):
    body = {"status": status, "error": phrase} | ({"code": code} if code else {})
    return status, {}, json.dumps(body).encode()


@contextmanager
def serve_lago(world):
    """Answers GETs on loopback while the block lasts."""
    lago = Lago(world)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = lago.answer(self.path, self.headers)
            self.send_response(status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    lago.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield lago
    finally:
        server.shutdown()
        server.server_close()
