"""`manage.py rate`: questions in, figures out, whatever the document holds."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

ROUNDING = {
    "kind": "metric_rounding",
    "aggregation": {"rounding_function": "ceil"},
    "input": {"units": "1.2"},
}


def rate(monkeypatch, document):
    monkeypatch.setattr("sys.stdin", io.StringIO(document))
    written = io.StringIO()
    call_command("rate", stdout=written)
    written.getvalue().encode()
    return json.loads(written.getvalue())


def test_each_case_has_its_figures_by_its_id(monkeypatch):
    document = json.dumps({"cases": [{"id": "a", **ROUNDING}, {"id": "b", **ROUNDING, "kind": "none"}]})
    found = rate(monkeypatch, document)
    assert found["a"] == {"units": "2"}
    assert found["b"]["error"]["code"] == "unknown_kind"


@pytest.mark.parametrize("key", ["é", "\ud800"])
def test_an_id_comes_back_as_it_was_written(monkeypatch, key):
    assert rate(monkeypatch, json.dumps([{"id": key, **ROUNDING}])) == {key: {"units": "2"}}


def test_what_json_has_no_number_for_is_refused_in_its_place(monkeypatch):
    document = json.dumps(
        [{"id": "a", **ROUNDING, "input": {"units": float("nan")}}, {"id": "b", **ROUNDING}]
    )
    found = rate(monkeypatch, document)
    assert "input.units" in found["a"]["error"]["message"]
    assert found["b"] == {"units": "2"}


@pytest.mark.parametrize("document", ["", "{", "{}", "[" * 100_000, '[{"kind": "metric_rounding"}]'])
def test_a_document_that_is_none_is_refused(monkeypatch, document):
    with pytest.raises(CommandError):
        rate(monkeypatch, document)
