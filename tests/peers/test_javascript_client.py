"""The official JavaScript client, told nothing but another address and another key."""

import json
import subprocess
from pathlib import Path

import pytest

from tests import needs

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path(__file__).parent / "javascript"


@pytest.fixture
def saw(address, key):
    """What the client got from each of its calls."""
    node = needs.javascript_client(FOLDER)
    command = [node, "drive.cjs", address, key]
    run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_every_call_works_by_changing_base_url_and_key(saw):
    refused = {"again": 422, "estimate": 422, "wallets": 404, "missing": 404}
    assert {name: each["status"] for name, each in saw.items()} == {
        name: refused.get(name, 200) for name in saw
    }
    assert saw["again"]["error"]["error_details"] == {"transaction_id": ["value_already_exist"]}
    assert saw["estimate"]["error"]["error_details"] == {"code": ["does_not_match_an_instant_charge"]}
    assert saw["missing"]["error"]["code"] == "customer_not_found"
    assert saw["wallets"]["error"]["status"] == 404
    assert saw["foundPlan"]["data"]["plan"]["charges"][0]["properties"]["amount"] == "0.05"
    assert saw["foundCustomer"]["data"]["customer"]["name"] == "Ada"
    assert [each["external_id"] for each in saw["subscriptions"]["data"]["subscriptions"]] == ["js-sub"]
    assert saw["event"]["data"]["event"]["transaction_id"] == "js-1"
    assert {each["transaction_id"] for each in saw["events"]["data"]["events"]} == {"js-1", "js-2", "js-3"}
    usage = saw["usage"]["data"]["customer_usage"]
    assert (usage["charges_usage"][0]["units"], usage["amount_cents"]) == ("20.0", 100)
    assert saw["tried"]["data"] == {"expression_result": {"value": "3.0"}}
    assert saw["charge"]["data"]["charge"] == saw["charges"]["data"]["charges"][0]
    assert saw["merged"]["data"]["metadata"] == {"team": "a", "tier": "b"}
    assert saw["alerts"]["data"]["alerts"] == [saw["alert"]["data"]["alert"]]
    assert saw["customerSubscriptions"]["data"] == saw["subscriptions"]["data"]
    assert saw["ended"]["data"]["subscription"]["status"] == "terminated"
