"""The API's short way past the pages' middleware."""

import io

import pytest
from django.test import Client, RequestFactory
from structlog.contextvars import get_contextvars

from billing_console import middleware
from billing_console.middleware import CHUNK, ApiShortcutMiddleware, drain_body

pytestmark = pytest.mark.django_db


def test_pages_take_the_whole_way():
    passed = []
    ApiShortcutMiddleware(passed.append)(RequestFactory().get("/admin/"))
    ApiShortcutMiddleware(passed.append)(RequestFactory().get("/api/docs"))
    assert [request.path for request in passed] == ["/admin/", "/api/docs"]


def test_the_api_is_answered_without_a_session_or_a_cookie():
    response = Client().get("/api/v1/nothing")
    assert response.status_code == 404
    assert not response.cookies
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_request_has_an_id_in_the_logs_while_it_lasts(monkeypatch):
    seen = []
    call_view = middleware.call_view
    monkeypatch.setattr(
        middleware, "call_view", lambda request: (seen.append(get_contextvars()), call_view(request))[1]
    )
    Client().post("/api/v1/events")
    Client().post("/api/v1/events")
    assert [context["request"] for context in seen] == ["POST /api/v1/events"] * 2
    assert seen[0]["request_id"] != seen[1]["request_id"]
    assert "request_id" not in get_contextvars()


class Endless(io.RawIOBase):
    """A body that never ends."""

    chunks = 0

    def read(self, size=-1):
        self.chunks += 1
        return b"x" * size


@pytest.mark.parametrize(("is_terminated", "chunks"), [(True, middleware.MAX_CHUNKS), (False, 0)])
def test_an_unread_body_is_drained_to_a_limit(is_terminated, chunks):
    body = Endless()
    request = RequestFactory().post("/api/v1/events")
    request.environ.update({"wsgi.input": body, "wsgi.input_terminated": is_terminated})
    drain_body(request)
    assert body.chunks == chunks


def test_a_drained_body_ends_where_it_ends():
    request = RequestFactory().post("/api/v1/events")
    body = io.BytesIO(b"x" * (CHUNK + 1))
    request.environ.update({"wsgi.input": body, "wsgi.input_terminated": True})
    drain_body(request)
    assert body.read() == b""
