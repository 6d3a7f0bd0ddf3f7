"""The contract: every exchange recorded from an Odoo 19 server, replayed in order against the stand-in."""

import json
import re
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import pytest

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import RESTRICTED_KEY, RESTRICTED_LOGIN, Settings
from tests.odoo_standin.client import Client
from tests.odoo_standin.translation import Translation

RECORDINGS = Path(__file__).parents[1] / "recordings" / "odoo_exchanges.json"
EXCHANGES = json.loads(RECORDINGS.read_text())

# Texts that the recording cuts, or that a server words from its own installation; and what the stand-in says it is.
UNCOMPARED = {"debug", "help", "stand_in"}
# The arguments of recorded calls by name, in the order of those by place.
NAMES = {
    "search_read": ["domain"],
    "create": ["vals_list"],
    "write": ["ids", "vals"],
    "read": ["ids"],
    "load": ["fields", "data"],
    "action_confirm": ["ids"],
}


class Replay:
    """The recorded server's world, built again, and the way from its ids to the stand-in's."""

    def __init__(self, stand_in):
        self.client = Client(stand_in)
        self.restricted = Client(stand_in, login=RESTRICTED_LOGIN, key=RESTRICTED_KEY)
        self.translation = Translation(cache(self.find_relation))
        self.users = {2: self.client.uid, 9: self.restricted.uid}
        self.build_world()

    def find_relation(self, model, name):
        described = self.client.execute(model, "fields_get", [name], attributes=["relation"])
        return described[name].get("relation") if name in described else None

    def build_world(self):
        """Make what stood there before the recording began: two companies and one pricelist."""
        company = self.client.find("res.company")
        self.client.execute("res.company", "write", [company], {"name": "Fusion Test CA"})
        self.client.execute("res.company", "create", {"name": "Company B"})
        self.client.execute(
            "product.pricelist", "unlink", [self.client.find("product.pricelist", name="CAD")]
        )
        self.translation.learn("res.company", 1, company)
        self.translation.learn("account.journal", 1, self.client.find("account.journal"))

    def create_cad_pricelist(self):
        self.translation.learn(
            "product.pricelist", 3, self.client.execute("product.pricelist", "create", {"name": "CAD"})
        )

    def create_wizard(self):
        order = self.client.find("sale.order", client_order_ref="NexaCloud 2026-10")
        wizard = self.client.execute(
            "sale.advance.payment.inv",
            "create",
            {"advance_payment_method": "delivered"},
            context={"active_model": "sale.order", "active_ids": [order]},
        )
        self.translation.learn("sale.advance.payment.inv", 21, wizard)

    def run(self, exchange):
        """Send the exchange's request with the stand-in's ids and return its answer."""
        if exchange["name"] in UNRECORDED:
            UNRECORDED[exchange["name"]](self)
        if exchange["transport"] == "json2":
            return self.run_json2(exchange["request"], exchange["response"])
        body = exchange["request"]["json"]
        if body["params"].get("service") != "object":
            return self.client.post(exchange["request"]["path"], body)
        return self.run_method(body, exchange["response"]["json"])

    def run_method(self, body, recorded):
        database, user, key, model, method, arguments, keywords = body["params"]["args"]
        if method != "fields_get" and "doesn't exist" not in str(recorded):
            arguments, keywords = self.translation.translate_call(model, method, arguments, keywords)
        key = RESTRICTED_KEY if key == "API_KEY_NO_GROUPS" else key
        call = [database, self.users[user], key, model, method, arguments, keywords]
        answer = self.client.post("/jsonrpc", body | {"params": body["params"] | {"args": call}})
        if "result" in recorded and "result" in answer:
            self.translation.learn_result(model, method, recorded["result"], answer["result"])
        return answer

    def run_json2(self, request, recorded):
        """Send a request over HTTP as it was recorded; return its status with its answer."""
        headers = dict(request.get("headers", {}))
        headers["Authorization"] = headers.get("Authorization", "").replace(
            "API_KEY_NO_GROUPS", RESTRICTED_KEY
        )
        model, _, method = request["path"].removeprefix("/json/2/").partition("/")
        body = request.get("raw_body") or json.dumps(self.name_ids(model, method, request.get("json")))
        data = None if request.get("method") == "GET" else body.encode()
        answer = send(self.client.url + request["path"], data, headers)
        if recorded["status"] == answer["status"] == 200 and method in NAMES:
            self.translation.learn_result(model, method, recorded["json"], answer["json"])
        return answer

    def name_ids(self, model, method, named):
        """The arguments by name with the stand-in's ids in them."""
        if method not in NAMES or not set(NAMES[method]) <= named.keys():
            return named
        placed = [named[name] for name in NAMES[method]]
        translated, _ = self.translation.translate_call(model, method, placed, {})
        return named | dict(zip(NAMES[method], translated, strict=True))


def send(url, data, headers):
    """Status, content type and JSON of an answer, whatever its status; of a page how it begins."""
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        kind, body = response.headers["Content-Type"], response.read().decode()
        is_json = kind.startswith("application/json")
        return {
            "status": response.status,
            "content_type": kind,
            "json": json.loads(body) if is_json else None,
            "text": None if is_json else body,
        }


def answer_of(exchange):
    """What is compared: the JSON of `/jsonrpc`, which is always a 200; else all, of a page its beginning."""
    response = exchange["response"]
    if exchange["transport"] == "jsonrpc":
        return response["json"]
    return {"text": None, **response}


# What the recorded server was also told, between the exchanges that were kept.
UNRECORDED = {
    "shadow_quotation_load": Replay.create_cad_pricelist,
    "shadow_quotation_cannot_be_invoiced": Replay.create_wizard,
}


def list_differences(recorded, actual, path=""):
    """Return where an answer differs: keys, lengths, types, numbers with a fraction, words."""
    if path.rpartition(".")[2] in UNCOMPARED:
        return []
    if type(recorded) is not type(actual):
        return [f"{path}: {recorded!r} but {actual!r}"]
    if isinstance(recorded, dict):
        return list_dict_differences(recorded, actual, path)
    if isinstance(recorded, list):
        lengths = [] if len(recorded) == len(actual) else [f"{path}: {recorded!r} but {actual!r}"]
        return lengths + [
            difference
            for index, (before, after) in enumerate(zip(recorded, actual, strict=False))
            for difference in list_differences(before, after, f"{path}[{index}]")
        ]
    if isinstance(recorded, int) and not isinstance(recorded, bool):
        return []  # ids and counters are the server's own
    if isinstance(recorded, str) and recorded.startswith("<!doctype html>"):
        recorded, actual = recorded[:100], actual[:100]  # the recording cuts a page
    if isinstance(recorded, str):
        recorded, actual = mask_digits(recorded), mask_digits(actual)
    return [] if recorded == actual else [f"{path}: {recorded!r} but {actual!r}"]


def list_dict_differences(recorded, actual, path):
    apart = sorted((recorded.keys() ^ actual.keys()) - UNCOMPARED)
    differences = [f"{path}.{key}: in one answer only" for key in apart]
    for key in recorded.keys() & actual.keys():
        differences += list_differences(recorded[key], actual[key], f"{path}.{key}")
    return differences


def mask_digits(words):
    """Ids, numbers of documents, dates and ports differ between servers; the words around them do not."""
    return re.sub(r"\d+", "#", words)


def test_the_stand_in_answers_every_recorded_exchange_as_the_server_did():
    settings = Settings(database="odoo19", login="admin", key="API_KEY", with_fusion=True)
    differences = []
    with start(settings) as stand_in:
        replay = Replay(stand_in)
        for exchange in EXCHANGES:
            answer = replay.run(exchange)
            differences += list_differences(answer_of(exchange), answer, exchange["name"])
    assert differences == []


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        ([{"id": 1, "amount": 1.5}], [{"id": 2, "amount": 1.51}]),
        ([{"id": 1, "amount": 1.5}], [{"id": 2}]),
        ([{"id": 1, "vat": False}], [{"id": 2, "vat": "CA1"}]),
        ([{"id": 1}], []),
        ({"name": "odoo.exceptions.UserError"}, {"name": "odoo.exceptions.AccessError"}),
    ],
)
def test_the_comparison_sees_a_difference(recorded, actual):
    assert list_differences(recorded, actual)
