"""The official SDK that meters language models loses nothing, whatever happens to the server meanwhile."""

import pytest
from lago_agent_sdk import LagoSDK
from lago_agent_sdk.canonical import CanonicalUsage
from lago_agent_sdk.config import LagoConfig

from billing_console.runtime.ports import find_free_port
from ingest.models import UsageEvent
from tests.web_server import serve_test_database

pytestmark = pytest.mark.django_db(transaction=True)

CALLS = 150


@pytest.fixture
def serve_at(tmp_path):
    """A server at one port, that can be started again there."""
    port = find_free_port()
    return port, lambda: serve_test_database(tmp_path, port)


def test_usage_is_counted_once_across_a_restart(serve_at, key):
    port, start = serve_at
    config = LagoConfig(flush_interval_seconds=0.05, max_retry_seconds=0.5)
    sdk = LagoSDK(key, f"http://127.0.0.1:{port}/api/v1", default_subscription_id="llm", config=config)
    usage = CanonicalUsage(input=10, output=3, model="m", provider="p", api="chat")
    with start() as server:
        for number in range(CALLS):
            sdk.emit(usage, event_id=f"call-{number}")
            if number == CALLS // 3:
                server.kill()
    for number in range(10):  # what was sent already is sent again, as after a crash of the sender
        sdk.emit(usage, event_id=f"call-{number}")
    with start():
        assert sdk.flush(timeout=60)
        sdk.shutdown(timeout=10)
    stored = UsageEvent.objects.values_list("transaction_id", "quantity", "properties__value")
    wanted = {f"call-{number}_tok_{field}" for number in range(CALLS) for field in ("input", "output")}
    assert {transaction_id for transaction_id, *_ in stored} == wanted
    assert len(stored) == len(wanted)
    assert {value for *_, value in stored} == {"10", "3"}
