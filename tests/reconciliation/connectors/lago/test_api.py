"""Lago by its API: every page, at the pace that it allows, and whatever it answers instead."""

import json
import logging
import pickle

import pytest
from lago_python_client import Client

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.api import LagoApi, read_address
from reconciliation.connectors.lago.records import Collection
from tests.lago_standin import objects
from tests.lago_standin.server import KEY, serve_lago

PLANS = Collection.PLANS


@pytest.fixture
def lago():
    with serve_lago(objects.small_world()) as running:
        yield running


@pytest.fixture
def waits():
    """How long was waited, in order; nobody really waits."""
    return []


@pytest.fixture
def api(lago, waits):
    return LagoApi(lago.url, KEY, sleep=waits.append)


def ids(listing):
    return [record.lago_id for record in listing.records]


def read(api, collection=PLANS):
    return api.read(collection, lambda read: None)


def fault(status=200, body=b"{}", **headers):
    return status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()


def refusal(api, collection=PLANS):
    with pytest.raises(ConnectorError) as refused:
        read(api, collection)
    return refused.value


def test_the_stand_in_answers_what_lagos_own_client_reads(lago):
    """Its models refuse an answer that lacks what Lago always gives."""
    client = Client(api_key=KEY, api_url=lago.url)
    assert client.billable_metrics.find_all()["billable_metrics"][0].code == "api_calls"
    (plan,) = client.plans.find_all()["plans"]
    assert [charge.charge_model for charge in plan.charges.__root__] == ["standard", "graduated"]
    assert client.customers.find_all()["customers"][0].applicable_timezone == "UTC"
    assert client.subscriptions.find_all()["subscriptions"][0].external_id == "sub-1"
    assert client.webhook_endpoints.find_all()["webhook_endpoints"][0].signature_algo == "hmac"


class TestPages:
    def test_every_page_is_read_and_each_object_once(self, lago, api):
        lago.largest_page = 2
        lago.world["plans"] = [objects.plan(f"plan-{number}") for number in range(5)]
        told = []
        listing = api.read(PLANS, told.append)
        assert ids(listing) == [row["lago_id"] for row in lago.world["plans"]]
        assert [record.place for record in listing.records][1:3] == [
            "plans, page 1, entry 2",
            "plans, page 2, entry 1",
        ]
        assert told == [2, 2, 1]

    def test_an_empty_list_is_no_missing_one(self, lago, api):
        lago.world["plans"] = []
        assert (read(api).records, read(api).missing) == ((), "")

    def test_a_row_that_slips_to_the_next_page_while_it_is_read_counts_once(self, lago, api):
        rows = [objects.plan(f"plan-{number}") for number in range(3)]
        meta = {"next_page": 2, "total_count": 4}
        lago.faults = [
            fault(body={"plans": rows[:2], "meta": meta}),
            fault(body={"plans": rows[1:], "meta": meta | {"next_page": None, "total_count": 3}}),
        ]
        assert len(read(api).records) == 3

    def test_a_row_that_was_missed_between_two_pages_is_told(self, lago, api):
        lago.faults = [fault(body={"plans": [], "meta": {"next_page": None, "total_count": 1}})]
        error = refusal(api)
        assert (error.code, error.permanent) == ("incomplete", False)
        assert "0 of 1" in error.message

    def test_every_status_of_a_subscription_is_asked_for(self, lago, api):
        ended = objects.subscription("sub-2", status="terminated")
        lago.world["subscriptions"].append(ended)
        assert ended["lago_id"] in ids(read(api, Collection.SUBSCRIPTIONS))

    @pytest.mark.parametrize("next_page", [1, 0, "2", True, 1.5])
    def test_pages_that_never_end_are_refused(self, lago, api, next_page):
        lago.faults = [fault(body={"plans": [], "meta": {"next_page": next_page}})]
        assert refusal(api).code == "unexpected_answer"

    def test_fractions_are_the_text_that_they_were_sent_as(self, lago, api):
        lago.faults = [
            fault(
                body=b'{"plans": [{"lago_id": "x", "trial_period": 0.10, "n": 1e400}], "meta": {"total_count": 1}}'
            )
        ]
        (record,) = read(api).records
        assert record.values == {"lago_id": "x", "trial_period": "0.10", "n": "1e400"}


class TestOverridden:
    def read(self, api):
        return read(api, Collection.SUBSCRIPTIONS).overridden

    def test_lago_says_which_have_prices_of_their_own(self, lago, api):
        other = objects.subscription("sub-2")
        lago.world["subscriptions"].append(other)
        lago.overridden = frozenset({other["lago_id"]})
        assert self.read(api) == {other["lago_id"]}

    def test_all_of_them_may(self, lago, api):
        lago.overridden = frozenset(row["lago_id"] for row in lago.world["subscriptions"])
        assert self.read(api) == lago.overridden

    def test_a_lago_that_does_not_know_the_question_says_none(self, lago, api):
        lago.overridden = None
        assert self.read(api) == frozenset()


class TestKeys:
    def test_a_list_that_the_key_may_not_read_is_missing_and_says_why(self, lago, api):
        lago.forbidden = frozenset({"plans"})
        listing = read(api)
        assert listing.records == ()
        assert listing.missing == "the key may not read it (read_action_not_allowed_for_plan)"
        assert read(api, Collection.CUSTOMERS).records

    def test_an_unknown_key_is_refused_and_never_told(self, lago, caplog):
        caplog.set_level(logging.DEBUG)
        secret = "11111111-2222-3333-4444-555555555555"
        error = refusal(LagoApi(lago.url, secret))
        assert (error.code, error.permanent) == ("authentication", True)
        assert secret not in f"{error!r} {error} {caplog.text}"
        assert pickle.loads(pickle.dumps(error)).code == "authentication"

    @pytest.mark.parametrize("key", ["", "two words", "a\nb", "clé"])
    def test_what_is_no_key_is_refused_before_anything_is_asked(self, lago, key):
        with pytest.raises(ConnectorError) as refused:
            LagoApi(lago.url, key)
        assert refused.value.code == "no_key"
        assert not lago.asked

    def test_a_redirect_is_not_followed_with_the_key(self, lago, api):
        lago.faults = [fault(302, Location=f"{lago.url}/elsewhere")]
        assert refusal(api).code == "redirected"
        assert len(lago.asked) == 1


class TestFailures:
    def test_a_429_is_waited_out_as_it_says(self, lago, api, waits):
        lago.faults = [fault(429, **{"x-ratelimit-reset": "7"}), fault(429, **{"x-ratelimit-reset": "0.5"})]
        assert read(api).records
        assert waits == [7.0, 0.5]

    @pytest.mark.parametrize("reset", ["3600", "inf", "nan"])
    def test_a_429_that_would_take_too_long_is_told(self, lago, api, waits, reset):
        lago.faults = [fault(429, **{"x-ratelimit-reset": reset})]
        error = refusal(api)
        assert (error.code, error.permanent, waits) == ("throttled", False, [])

    def test_it_does_not_wait_for_ever(self, lago, api, waits):
        lago.faults = [fault(429)] * 100
        assert refusal(api).code == "throttled"
        assert len(waits) == 20

    def test_what_may_pass_is_tried_again(self, lago, api, waits):
        lago.faults = [fault(502, b"<html>"), fault(503)]
        assert read(api).records
        assert waits == [1.0, 4.0]

    def test_what_does_not_pass_is_told(self, lago, api, waits):
        lago.faults = [fault(502, b"<html>")] * 9
        error = refusal(api)
        assert (error.code, error.permanent) == ("server_error", False)
        assert "plans, page 1" in error.message
        assert len(waits) == 3

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b'{"plans": [{"lago_id": "a"}, {"lag', "not_json"),
            (b"<html>maintenance</html>", "not_json"),
            (b"", "not_json"),
            (b'{"plans": "\xff"}', "not_json"),
            (b"[" * 100_000, "not_json"),
            (b'{"plans": [' + b"9" * 10_000 + b"]}", "not_json"),
            (b"[]", "unexpected_answer"),
            (b'{"plans": {}}', "unexpected_answer"),
            (b'{"plans": null}', "unexpected_answer"),
            (b'{"plans": []}', "unexpected_answer"),
        ],
    )
    def test_a_page_that_is_none_is_located(self, lago, api, body, code):
        lago.faults = [fault(body=body)] * 9
        error = refusal(api)
        assert error.code == code
        assert "plans, page 1" in error.message

    @pytest.mark.parametrize("status", [400, 404, 405, 422])
    def test_another_refusal_asks_for_the_right_address(self, lago, api, status):
        lago.faults = [fault(status)]
        assert "address" in refusal(api).message

    def test_nobody_there_is_told_without_what_the_library_says(self, waits):
        api = LagoApi("http://127.0.0.1:9", KEY, timeout=1, sleep=waits.append)
        error = refusal(api)
        assert (error.code, error.permanent, error.is_outcome_unknown) == ("unreachable", False, False)
        assert "127.0.0.1" not in error.message

    def test_an_answer_that_says_it_is_longer_than_it_is(self, lago, api):
        lago.faults = [fault(body=b"{}", **{"Content-Length": "999", "Connection": "close"})] * 9
        assert refusal(api).code in {"unreachable", "unexpected_answer"}

    def test_a_page_that_is_too_large_is_given_up(self, lago, api, monkeypatch):
        monkeypatch.setattr("reconciliation.connectors.lago.api.LARGEST", 1000)
        lago.faults = [fault(body=b" " * 1001)]
        error = refusal(api)
        assert (error.code, error.permanent) == ("too_large", True)

    def test_a_page_that_drips_is_given_up(self, lago, waits):
        api = LagoApi(lago.url, KEY, longest=-1.0, sleep=waits.append)
        assert refusal(api).code == "timeout"

    @pytest.mark.parametrize("entry", [None, 7, "text", [1], json.loads("[" * 60 + "]" * 60)])
    def test_an_entry_that_is_no_object_stands_in_its_place(self, lago, api, entry):
        lago.faults = [fault(body={"plans": [entry, objects.plan()], "meta": {"total_count": 2}})]
        first, second = read(api).records
        assert first.error
        assert (first.place, second.error) == ("plans, page 1, entry 1", "")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.getlago.com", "https://api.getlago.com/api/v1"),
        ("https://api.getlago.com/", "https://api.getlago.com/api/v1"),
        ("https://api.getlago.com/api/v1", "https://api.getlago.com/api/v1"),
        ("https://api.getlago.com/api/v1/", "https://api.getlago.com/api/v1"),
        ("http://lago.internal:3000/lago", "http://lago.internal:3000/lago/api/v1"),
    ],
)
def test_the_prefix_may_be_told_or_not(url, address):
    assert read_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.getlago.com",
        "ftp://x",
        "https://",
        "https://u:p@h",
        "https://h?key=1",
        "https://h:0",
        "https://h/\x00",
    ],
)
def test_what_is_no_address_is_refused_without_a_password(url):
    with pytest.raises(ConnectorError) as refused:
        read_address(url)
    assert refused.value.code == "wrong_address"
    assert "u:p" not in refused.value.message
