"""The HTTP side of the stand-in: Odoo's routes, the controls for tests, and a page that says what it is."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import socketserver
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from . import json2
from .faults import Fault, FaultKind, Faults, parse_fault
from .json2 import NOT_FOUND_PAGE, Answer
from .page import render_page
from .rpc import VERSION, VERSION_INFO, Application, read_call
from .settings import Settings

HOST = "127.0.0.1"
# How often the server looks whether it is to stop: short, as every test waits for it once.
STOP_POLL_SECONDS = 0.02
BAD_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"


class StandIn:
    """One stand-in: its address, its database, and how to make it misbehave."""

    def __init__(self, settings: Settings, *, host: str = HOST, port: int = 0) -> None:
        self.settings = settings
        self.faults = Faults()
        self._stopping = Event()
        self._server = _Server((host, port), self)
        self.application = Application(settings)
        self._thread = Thread(target=self._server.serve_forever, args=(STOP_POLL_SECONDS,), daemon=True)
        self.host, self.port = host, self._server.server_port

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def state(self) -> dict[str, Any]:
        """The records of each model, the calls so far and the faults that wait."""
        return {"stand_in": True, **self.application.describe(), "faults": self.faults.describe()}

    def set_fault(self, fault: str, *, count: int = 1, method: str | None = None, seconds: float = 0) -> None:
        """Make the next `count` calls go wrong; ValueError for a fault that is not known."""
        self.faults.add(Fault(FaultKind(fault), count=count, method=method, seconds=seconds))

    def revoke_key(self, *, is_revoked: bool = True) -> None:
        """Refuse the console's key from now on, or take it again."""
        self.application.is_key_revoked = is_revoked

    def run(self) -> None:
        """Begin to serve, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, let the call under way end, and close the file."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self.application.close()

    def wait(self, seconds: float) -> None:
        """Hold a request that long, or until the server stops."""
        self._stopping.wait(seconds)


@contextmanager
def start(settings: Settings | None = None, *, port: int = 0) -> Iterator[StandIn]:
    """Run a stand-in in this process, on a free loopback port unless one is given, while the block lasts."""
    stand_in = StandIn(settings or Settings(), port=port)
    stand_in.run()
    try:
        yield stand_in
    finally:
        stand_in.stop()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
        self.stand_in = stand_in
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks for the host's name here, which can take seconds where no resolver answers.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away, which is what its timeout looks like from here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._dispatch(GET_ROUTES)

    def do_POST(self) -> None:
        if self.path.startswith(json2.PREFIX):
            _answer_json2(self)
        else:
            self._dispatch(POST_ROUTES)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: one line per call helps nobody."""

    @property
    def stand_in(self) -> StandIn:
        return self.server.stand_in

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def read_json(self) -> Any:
        """Return the body; ValueError when it is not JSON. Its numbers stay exact."""
        return json.loads(self.read_body() or b"{}", parse_float=Decimal)

    def send_json(self, answer: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, "application/json; charset=utf-8", json.dumps(answer, default=float))

    def send_html(self, page: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, "text/html; charset=utf-8", page)

    def reset(self) -> None:
        """Close with a reset instead of an end: the client learns nothing of what was done."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def _dispatch(self, routes: Mapping[str, Callable[[_Handler], None]]) -> None:
        route = routes.get(urlsplit(self.path).path)
        if route is None:
            self.send_html(NOT_FOUND_PAGE, HTTPStatus.NOT_FOUND)
            return
        try:
            route(self)
        except (ValueError, KeyError, TypeError) as error:
            self.send_json({"stand_in": True, "error": str(error)}, HTTPStatus.BAD_REQUEST)

    def _send(self, status: HTTPStatus, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Odoo-Stand-In", "1")
        self.end_headers()
        self.wfile.write(body)


def _answer_rpc(handler: _Handler) -> None:
    """Answer a call over `/jsonrpc`."""
    now, request = datetime.now(UTC), handler.read_json()
    if not handler.stand_in.settings.with_jsonrpc:
        handler.send_html(NOT_FOUND_PAGE, HTTPStatus.NOT_FOUND)
        return
    call, application = read_call(request["params"]), handler.stand_in.application

    def answer(is_conflicting: bool) -> Answer:
        found = application.answer(
            request["params"], request.get("id"), now=now, is_conflicting=is_conflicting
        )
        return Answer(HTTPStatus.OK, found)

    _misbehave(handler, call.model, call.method, answer)


def _answer_json2(handler: _Handler) -> None:
    """Answer a call over `/json/2`."""
    now, application = datetime.now(UTC), handler.stand_in.application
    request = json2.Request(urlsplit(handler.path).path, handler.headers, handler.read_body())
    _misbehave(
        handler,
        request.model,
        request.method,
        lambda is_conflicting: json2.answer(application, request, now=now, is_conflicting=is_conflicting),
    )


def _misbehave(handler: _Handler, model: str, method: str, answer: Callable[[bool], Answer]) -> None:
    """Answer a call, or go wrong as the next fault that concerns it says."""
    stand_in = handler.stand_in
    fault = stand_in.faults.take(model, method)
    kind, seconds = (fault.kind, fault.seconds) if fault else (None, 0.0)
    if kind is FaultKind.BAD_GATEWAY:
        handler.send_html(BAD_GATEWAY_PAGE, HTTPStatus.BAD_GATEWAY)
        return
    if kind is FaultKind.RESET:
        handler.reset()
        return
    if kind is FaultKind.DELAY_COMMIT:
        stand_in.wait(seconds)
    found = answer(kind is FaultKind.SERIALIZATION_FAILURE)
    if kind is FaultKind.DROP_ANSWER:
        return
    if kind is FaultKind.TIMEOUT:
        stand_in.wait(seconds)
    if found.is_page:
        handler.send_html(found.content, found.status)
    else:
        handler.send_json(found.content, found.status)


def _answer_version_info(handler: _Handler) -> None:
    handler.send_json({"jsonrpc": "2.0", "id": handler.read_json().get("id"), "result": VERSION})


def _show_version(handler: _Handler) -> None:
    handler.send_json({"version_info": VERSION_INFO, "version": "19.0", "stand_in": True})


def _show_page(handler: _Handler) -> None:
    handler.send_html(render_page(handler.stand_in.state))


def _show_state(handler: _Handler) -> None:
    handler.send_json(handler.stand_in.state)


def _show_health(handler: _Handler) -> None:
    handler.send_json({"stand_in": True, "status": "ok"})


def _set_fault(handler: _Handler) -> None:
    body = handler.read_json()
    if body.get("fault") == "none":
        handler.stand_in.faults.clear()
    else:
        handler.stand_in.faults.add(parse_fault(body))
    handler.send_json({"stand_in": True, "faults": handler.stand_in.faults.describe()})


def _revoke_key(handler: _Handler) -> None:
    is_revoked = bool(handler.read_json().get("revoked", True))
    handler.stand_in.revoke_key(is_revoked=is_revoked)
    handler.send_json({"stand_in": True, "is_key_revoked": is_revoked})


GET_ROUTES: dict[str, Callable[[_Handler], None]] = {
    "/": _show_page,
    "/web/version": _show_version,
    "/standin/health": _show_health,
    "/standin/state": _show_state,
}

POST_ROUTES: dict[str, Callable[[_Handler], None]] = {
    "/jsonrpc": _answer_rpc,
    "/web/webclient/version_info": _answer_version_info,
    "/standin/faults": _set_fault,
    "/standin/revoke_key": _revoke_key,
}
