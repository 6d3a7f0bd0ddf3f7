"""A service's webhook receiver: a real server on loopback that keeps the exact bytes and answers as told."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep


class Receiver:
    """What came, in order, and what is answered next: a status each, the last one for ever."""

    def __init__(self, url, answers, body):
        self.url = url
        self.answers = list(answers)
        self.body = body
        self.requests = []

    def take(self, headers, body):
        self.requests.append((headers, body))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receive(*answers, body="thanks", location=None, seconds=0):
    """Answers POSTs with these statuses while the block lasts, each after some seconds."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(self.headers, content)
            sleep(seconds)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            answer = b"" if status == 204 else receiver.body.encode()
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format, *args):
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hooks?from=console", answers or (200,), body)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
