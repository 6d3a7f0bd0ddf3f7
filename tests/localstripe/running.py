"""localstripe as a process of its own on loopback, and the adapter before it."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import requests

from tests.localstripe.adapter import Adapter

KEY = "sk_test_localstripe"
# Its own command listens on every address, and writes what it holds into a file that all share.
COMMAND = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


class Peer:
    """localstripe itself, for what a test sets up, and the address of the adapter for what is read."""

    def __init__(self, direct, url):
        self.direct, self.url = direct, url

    def post(self, path, **values):
        response = requests.post(f"{self.direct}{path}", json=values, auth=(KEY, ""), timeout=10)
        assert response.ok, response.text
        return response.json() if response.content else None

    def get(self, path):
        return requests.get(f"{self.direct}{path}", auth=(KEY, ""), timeout=10).json()


@contextmanager
def start():
    """A running localstripe behind its adapter."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    direct = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-c", COMMAND, str(port)])
    try:
        _wait(direct)
        with serve(Adapter(direct, KEY).answer) as url:
            yield Peer(direct, url)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def serve(answer):
    """A server that answers each GET and POST by a function of path and query, or of body and headers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._say(*answer(self.path, self.headers))

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._say(*answer(body, self.headers))

        def _say(self, status, content):
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _wait(url):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            requests.get(f"{url}/v1/customers", auth=(KEY, ""), timeout=2)
            return
        time.sleep(0.05)
    raise AssertionError("localstripe did not start.")
