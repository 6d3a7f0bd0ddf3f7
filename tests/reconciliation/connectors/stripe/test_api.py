"""Reading Stripe: every page, at its pace, with a key that may be restricted; what goes wrong has a code."""

import json

import pytest
import stripe

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.stripe import api as module
from reconciliation.connectors.stripe.api import StripeApi
from reconciliation.connectors.stripe.records import API_VERSION, Kind
from tests.stripe_standin import server
from tests.stripe_standin.objects import ACCOUNT, NOVEMBER, charge, customer, invoice, line


@pytest.fixture
def account():
    with server.start() as running:
        yield running


@pytest.fixture
def waited():
    return []


@pytest.fixture
def api(account, waited):
    return StripeApi(server.KEY, base=account.url, timeout=5, sleep=waited.append)


def refusal(call):
    with pytest.raises(ConnectorError) as error:
        call()
    assert "rk_test" not in error.value.message
    return error.value.code, error.value.permanent


def test_the_pinned_version_is_the_sdks_own_and_is_asked_for():
    assert stripe.api_version == API_VERSION


def test_pages_follow_each_other_newest_first(account, api):
    account.put(*(charge(f"ch_{n}", n, created=NOVEMBER + n) for n in range(5)))
    first = api.read_page(Kind.CHARGES, size=2)
    second = api.read_page(Kind.CHARGES, after=first.after, size=2)
    third = api.read_page(Kind.CHARGES, after=second.after, size=2)
    assert [item.id for page in (first, second, third) for item in page.items] == [
        "ch_4",
        "ch_3",
        "ch_2",
        "ch_1",
        "ch_0",
    ]
    assert third.after is None
    since = api.read_page(Kind.CHARGES, {"created": {"gte": NOVEMBER + 3}})
    assert [item.id for item in since.items] == ["ch_4", "ch_3"]


def test_an_invoice_of_many_lines_is_read_to_its_last(account, api):
    account.put(invoice("in_1", [line(f"il_{n}", n) for n in range(250)]))
    (item,) = api.read_page(Kind.INVOICES).items
    assert len(item.values["lines"]["data"]) == 10
    whole = api.complete(item)
    assert [each["id"] for each in whole.values["lines"]["data"]] == [f"il_{n}" for n in range(250)]
    assert whole == api.read_one(Kind.INVOICES, "in_1")


@pytest.mark.parametrize("id_", ["in_1", "../charges", "in_1?expand[]=customer", ""])
def test_what_the_account_does_not_have_is_none(api, id_):
    assert api.read_one(Kind.INVOICES, id_) is None


def test_a_429_is_waited_for_as_long_as_stripe_says_and_longer_each_time(account, api, waited):
    account.put(customer("cus_1"))
    account.answer_next(server.throttle(**{"Retry-After": "7"}), *[server.throttle()] * 3)
    assert [item.id for item in api.read_page(Kind.CUSTOMERS).items] == ["cus_1"]
    assert waited[0] == 7
    assert waited[1] < waited[2] < waited[3]


def test_a_storm_of_429_ends_as_one_that_may_pass(account, api, waited):
    account.answer_next(*[server.throttle()] * 99)
    assert refusal(lambda: api.read_page(Kind.CUSTOMERS)) == ("throttled", False)
    assert len(waited) == module.MOST_WAITS
    assert 100 < sum(waited) < 600


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            (401, json.dumps({"error": {"message": "Invalid API Key provided: rk_test_***"}})),
            ("authentication", True),
        ),
        ((500, json.dumps({"error": {"message": "oops"}})), ("server_error", False)),
        ((502, "<html>"), ("server_error", False)),
        ((200, '{"object": "list", "data": [{"id": "cus_1"'), ("not_json", False)),
        ((200, "[]"), ("unexpected_answer", True)),
        ((200, '{"data": [], "has_more": true}'), ("unexpected_answer", True)),
        ((200, '{"data": [{"id": 7}], "has_more": false}'), ("unexpected_answer", True)),
        ((200, '{"data": []}'), ("unexpected_answer", True)),
        (
            (400, json.dumps({"error": {"message": "bad", "code": "parameter_unknown"}})),
            ("unexpected_answer", True),
        ),
    ],
)
def test_an_answer_that_is_none_is_told_by_its_code(account, api, answer, expected):
    account.answer_next(*[answer] * 4)
    assert refusal(lambda: api.read_page(Kind.CUSTOMERS)) == expected


def test_a_page_that_was_cut_off_is_asked_for_again(account, api, waited):
    account.put(customer("cus_1"))
    account.answer_next((200, '{"object": "list", "data": ['))
    assert [item.id for item in api.read_page(Kind.CUSTOMERS).items] == ["cus_1"]
    assert waited == [1.0]


def test_a_key_without_a_right_is_told_which_one(account, api):
    account.forbidden = {"charges"}
    with pytest.raises(ConnectorError) as error:
        api.read_page(Kind.CHARGES)
    assert (error.value.code, error.value.permanent) == ("forbidden", True)
    assert "rak_charge_read" in error.value.message


def test_a_key_that_may_not_read_its_account_tells_it_all_the_same(account, api):
    assert api.read_account().id == ACCOUNT
    account.forbidden = {"account"}
    assert api.read_account().id == ACCOUNT


def test_a_redirect_is_not_followed(account, api):
    account.answer_next(*[(302, "", {"Location": f"{account.url}/v1/customers"})] * 4)
    assert refusal(lambda: api.read_page(Kind.CUSTOMERS))[0] in {"unreachable", "unexpected_answer"}


def test_nobody_listening_may_pass(waited):
    api = StripeApi(server.KEY, base="http://127.0.0.1:1", timeout=1, sleep=waited.append)
    assert refusal(lambda: api.read_page(Kind.CUSTOMERS)) == ("unreachable", False)
    assert waited == list(module.WAITS)


@pytest.mark.parametrize("key", ["", "rk test", "rk_test\nx", "schlüssel"])
def test_what_is_no_key_is_refused_before_anything_is_sent(key):
    assert refusal(lambda: StripeApi(key)) == ("no_key", True)


def test_links_that_open_a_bill_are_not_kept_and_no_text_breaks_the_database(account, api):
    account.put(invoice("in_1", [], description="a\0b\ud800"))
    item = api.read_one(Kind.INVOICES, "in_1")
    assert item.values["description"] == "a\ufffdb\ufffd"
    assert "hosted_invoice_url" not in item.values
