"""Work for the contenders: events in every shape, and clients that post them over connections kept alive."""

import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from tests.bench.stage import METRIC, Stage

SUBSCRIPTIONS = 20_000


def make_events(count: int) -> list[dict[str, Any]]:
    """New events as a client sends them, spread over many subscriptions."""
    return [
        {
            "transaction_id": str(uuid4()),
            "external_subscription_id": f"sub_{random.randrange(SUBSCRIPTIONS):05}",
            "code": METRIC,
            "timestamp": f"{1_780_000_000 + random.randrange(2_000_000)}.{random.randrange(1000):03}",
            "properties": {"amount": str(random.randrange(1000)), "region": "eu", "model": "standard"},
        }
        for _ in range(count)
    ]


def make_batches(batches: int, size: int) -> list[bytes]:
    """Bodies of /events/batch."""
    return [json.dumps({"events": make_events(size)}).encode() for _ in range(batches)]


def make_singles(count: int) -> list[bytes]:
    """Bodies of /events."""
    return [json.dumps({"event": event}).encode() for event in make_events(count)]


def post_all(
    stage: Stage, port: int, path: str, bodies: Sequence[bytes], *, connections: int, status: int = 200
) -> float:
    """Posts every body, over several connections at once; returns the seconds it took."""
    headers = {"Authorization": f"Bearer {stage.key}", "Content-Type": "application/json"}

    def post_some(share: Sequence[bytes]) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for body in share:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read()
            assert response.status == status, answer[:500]
        connection.close()

    with ThreadPoolExecutor(connections) as pool:
        started = time.perf_counter()
        list(pool.map(post_some, [bodies[start::connections] for start in range(connections)]))
        return time.perf_counter() - started
