"""What NexaCloud would run to hear of its cutover: prints each webhook and whether its signature is right.

`python -m billing_console.demo.webhook_receiver`; until it runs, the console's deliveries are retried.
"""

import base64
import hashlib
import hmac
from http.server import BaseHTTPRequestHandler, HTTPServer

HOST, PORT = "127.0.0.1", 8070
ADDRESS = f"http://{HOST}:{PORT}/webhooks"
# No secret: the demo's receiver must know it, and it listens on this machine alone.
SECRET = "nexacloud-demo-webhooks"


def is_signed(body: bytes, signature: str) -> bool:
    """Whether the header is the body's HMAC-SHA256 under the demo's key, in base64."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode())


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 to what is signed with the demo's key, and 401 to anything else."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = 200 if is_signed(body, self.headers.get("X-Lago-Signature", "")) else 401
        print(f"{status} {self.headers.get('X-Lago-Unique-Key')} {body.decode(errors='replace')}", flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: what matters is printed above."""


if __name__ == "__main__":
    print(f"NexaCloud's demo receiver listens at {ADDRESS}. Ctrl-C stops it.", flush=True)
    HTTPServer((HOST, PORT), Receiver).serve_forever()
