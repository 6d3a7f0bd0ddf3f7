"""Health in Lago's shape, for anyone, by any host name, and true."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


def ask(method="GET", **headers):
    return Client().generic(method, "/health", headers=headers)


def test_it_answers_as_lagos_does_without_a_key_by_any_name():
    for host in ("localhost", "10.0.0.7", "console.internal"):
        answer = ask(host=host, accept="text/html")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert answer.json() == {"version": "0.1.0", "github_url": "", "message": "Success"}


def test_it_says_when_the_database_does_not_answer(monkeypatch):
    def fail(*arguments):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(connection, "cursor", fail)
    answer = ask()
    assert (answer.status_code, answer.json()["message"]) == (503, "The database does not answer")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_only_looked_at(method):
    answer = ask(method)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["code"] == "method_not_allowed"
