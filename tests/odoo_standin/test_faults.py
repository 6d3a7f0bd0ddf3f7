"""Misbehaviour on demand: each fault as a client meets it, and what it leaves behind."""

import http.client
import time
import urllib.error

import pytest

from tests.odoo_standin.client import get, post

TAG = ["load", ["id", "name"], [["__b__.tag", "Shadow"]]]


def count_tags(odoo):
    return odoo.execute("crm.tag", "search_count", [])


def load_tag(odoo):
    return odoo.execute("crm.tag", *TAG)


def test_an_answer_dropped_after_the_commit_leaves_the_record(odoo, stand_in):
    stand_in.set_fault("drop_answer_after_commit")

    with pytest.raises(http.client.RemoteDisconnected):
        load_tag(odoo)

    assert count_tags(odoo) == 1
    assert len(load_tag(odoo)["ids"]) == 1
    assert count_tags(odoo) == 1


def test_a_reset_comes_before_anything_is_done(odoo, stand_in):
    stand_in.set_fault("reset")

    with pytest.raises((ConnectionResetError, urllib.error.URLError)) as caught:
        load_tag(odoo)

    assert isinstance(getattr(caught.value, "reason", caught.value), ConnectionResetError)
    assert count_tags(odoo) == 0


def test_a_bad_gateway_is_a_page_and_does_nothing(odoo, stand_in):
    stand_in.set_fault("bad_gateway")

    with pytest.raises(urllib.error.HTTPError) as caught:
        load_tag(odoo)

    assert caught.value.code == 502
    assert caught.value.headers["Content-Type"].startswith("text/html")
    assert count_tags(odoo) == 0


def test_a_serialization_failure_commits_nothing(odoo, stand_in):
    stand_in.set_fault("serialization_failure")

    with pytest.raises(Exception, match=r"psycopg2\.errors\.SerializationFailure"):
        odoo.execute("crm.tag", "create", {"name": "Shadow"})

    assert count_tags(odoo) == 0


def test_a_serialization_failure_of_load_is_a_message(odoo, stand_in):
    stand_in.set_fault("serialization_failure")

    answer = load_tag(odoo)

    assert answer["ids"] is False
    assert "could not serialize access due to concurrent update" in answer["messages"][0]["message"]
    assert count_tags(odoo) == 0


def test_a_held_answer_outlasts_the_client_and_the_commit_stands(odoo, stand_in):
    stand_in.set_fault("timeout", seconds=30)
    params = {"service": "object", "method": "execute_kw"}
    params["args"] = [odoo.database, odoo.uid, odoo.key, "crm.tag", TAG[0], TAG[1:], {}]

    with pytest.raises(TimeoutError):
        odoo.post("/jsonrpc", {"jsonrpc": "2.0", "params": params, "id": 1}, timeout=0.3)

    assert count_tags(odoo) == 1


def test_a_delayed_commit_is_stamped_with_its_beginning(odoo, stand_in):
    stand_in.set_fault("delay_commit", seconds=1.2)

    (tag,) = load_tag(odoo)["ids"]

    stamped = odoo.read("crm.tag", tag, "write_date")
    assert stamped < time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())


@pytest.mark.parametrize("method", ["load", "crm.tag", "crm.tag.load"])
def test_a_fault_concerns_only_the_calls_it_names(odoo, stand_in, method):
    stand_in.set_fault("bad_gateway", method=method)

    assert odoo.execute("res.partner", "search", []) == []
    with pytest.raises(urllib.error.HTTPError):
        load_tag(odoo)
    assert len(load_tag(odoo)["ids"]) == 1


def test_a_fault_lasts_for_its_count(odoo, stand_in):
    post(f"{stand_in.url}/standin/faults", {"fault": "bad_gateway", "count": 2})

    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError):
            load_tag(odoo)

    assert len(load_tag(odoo)["ids"]) == 1


def test_waiting_faults_are_shown_and_cleared(odoo, stand_in):
    post(f"{stand_in.url}/standin/faults", {"fault": "timeout", "seconds": 9, "method": "load"})
    assert get(f"{stand_in.url}/standin/state")["faults"] == [
        {"fault": "timeout", "count": 1, "method": "load"}
    ]

    post(f"{stand_in.url}/standin/faults", {"fault": "none"})

    assert len(load_tag(odoo)["ids"]) == 1


@pytest.mark.parametrize("body", [{}, {"fault": "explode"}, {"fault": "reset", "count": 0}])
def test_a_fault_that_makes_no_sense_is_refused(stand_in, body):
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(f"{stand_in.url}/standin/faults", body)

    assert caught.value.code == 400
    assert stand_in.state["faults"] == []


def test_the_state_counts_records_and_calls(odoo, stand_in):
    load_tag(odoo)
    load_tag(odoo)

    assert stand_in.state["models"]["crm.tag"] == 1
    assert stand_in.state["calls"]["crm.tag.load"] == 2
