"""What a key opens: events with `ingest`, looking with `read`, other writes with `manage` (Lago: errors, 403)."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from ingest.api.view import ApiView
from ingest.keys import create_key
from ingest.models import Metric, UsageEvent
from tests.ingest.api.conftest import make_event

pytestmark = pytest.mark.django_db

METRIC = {"billable_metric": {"name": "Calls", "code": "calls", "aggregation_type": "count_agg"}}
CALLS = {
    "ingest": [("POST", "events", {"event": make_event()})],
    "read": [("GET", "billable_metrics", b""), ("HEAD", "billable_metrics", b"")],
    "manage": [
        ("POST", "billable_metrics", METRIC),
        ("PUT", "billable_metrics/calls", METRIC),
        ("DELETE", "billable_metrics/calls", b""),
    ],
}


@pytest.fixture
def call_with(call, service):
    """Calls with a key of the scopes given."""

    def call_with(scopes, *request):
        key = create_key(service=service, name="", actor=None, scopes=scopes).key
        return call(*request, authorization=f"Bearer {key}")

    return call_with


@pytest.mark.parametrize("scope", CALLS)
def test_a_scope_opens_its_own_methods(call_with, scope):
    for request in CALLS[scope]:
        assert call_with([scope], *request).status_code == 200, request


@pytest.mark.parametrize("scope", CALLS)
def test_the_other_scopes_do_not_and_nothing_is_written(call_with, scope):
    others = [other for other in CALLS if other != scope]
    for method, path, body in CALLS[scope]:
        answer = call_with(others, method, path, body)
        action = "read" if scope == "read" else "write"
        resource = "event" if scope == "ingest" else "billable_metric"
        assert answer.status_code == 403
        if method != "HEAD":
            assert answer.json() == {
                "status": 403,
                "error": "Forbidden",
                "code": f"{action}_action_not_allowed_for_{resource}",
            }
    assert not UsageEvent.objects.exists()
    assert not Metric.objects.exists()


def test_a_method_that_nobody_may_use_is_not_a_matter_of_scope(call_with):
    assert call_with(["read"], "PATCH", "events").status_code == 405
    assert call_with(["ingest"], "GET", "events/batch").status_code == 405
    assert call_with(["ingest"], "OPTIONS", "billable_metrics").status_code == 405


def test_every_view_of_the_api_has_the_name_that_its_refusals_need():
    nameless = [view for view in list_views(get_resolver()) if not view.resource]
    assert nameless == []


def list_views(resolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from list_views(pattern)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            if view is not None and issubclass(view, ApiView):
                yield view
