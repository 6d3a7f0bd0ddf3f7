"""The OpenAPI document is complete, and its examples are what really happens."""

from collections import Counter
from io import StringIO

import msgspec
import pytest
from django.core.management import call_command
from django.test import Client

from ingest.api.schema import EVENT, STORED, TAKEN
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

OURS = ("ingest", "reconciliation")


def test_the_document_is_valid_and_made_without_a_warning():
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_it_is_served_with_its_page_to_anyone():
    document = Client().get("/api/schema", headers={"accept": "application/json"}).json()
    assert {"/api/v1/events", "/api/v1/events/batch"} <= set(document["paths"])
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    page = Client().get("/api/docs")
    assert page.status_code == 200
    assert "http" not in page.content.decode(), "every address is the console's own"
    assert "SwaggerUIBundle({" in Client().get("/api/docs?script").content.decode()


def test_the_examples_are_true(post):
    answer = post("events", {"event": EVENT}).json()["event"]
    unpredictable = {"lago_id", "created_at"}
    assert {name: answer[name] for name in answer if name not in unpredictable} == {
        name: STORED[name] for name in STORED if name not in unpredictable
    }
    assert answer.keys() == STORED.keys()
    assert refused(post("events", {"event": EVENT})) == TAKEN
    other = {**EVENT, "transaction_id": "other"}
    assert refused(post("events/batch", {"events": [other, EVENT]})) == {"1": TAKEN}


def test_no_two_answers_have_one_name():
    """The document would describe both by whichever came first."""
    call_command("spectacular", stdout=StringIO())
    names = Counter(kind.__name__ for kind in descendants(msgspec.Struct) if kind.__module__.startswith(OURS))
    assert [name for name, count in names.items() if count > 1] == []


def descendants(kind):
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)
