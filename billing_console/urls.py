"""Addresses: the admin, the API, its document, and health."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from billing_console.docs import DocsView
from billing_console.health import show_health
from ingest.api.errors import show_unknown_route
from reconciliation.api.stripe_webhook import receive_event

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="root"),
    path("admin/", admin.site.urls),
    # Before the others: `customers/<id>/current_usage` is no customer's id, `events/estimate_fees` no event's.
    path("api/v1/events/", include("reconciliation.api.event_urls")),
    path("api/v1/customers/", include("reconciliation.api.customer_urls")),
    path("api/v1/", include("ingest.api.urls")),
    path("api/v1/", include("reconciliation.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", DocsView.as_view(), name="docs"),
    re_path(r"^api(?:/[\s\S]*)?$", show_unknown_route),
    path("webhooks/stripe", receive_event, name="stripe_webhook"),
    path("health", show_health, name="health"),
]

# Outside any view too, an error is JSON unless a browser asks.
handler404 = "ingest.api.errors.show_not_found"
handler400 = "ingest.api.errors.show_bad_request"
handler500 = "ingest.api.errors.show_server_error"
