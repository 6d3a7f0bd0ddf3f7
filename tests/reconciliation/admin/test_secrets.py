"""No list answers a question about a secret: whoever may see the rows could else guess it character by character."""

import pytest
from django.contrib import admin
from django.db.models.constants import LOOKUP_SEP
from django.urls import reverse

from ingest.models import ApiKey
from reconciliation.models import WebhookEndpoint
from tests import factories

pytestmark = pytest.mark.django_db

SECRETS = {"digest", "secret", "token", "password"}
# As far as a lookup could go: from a row over what it belongs to, to what belongs to that.
MOST_STEPS = 3


def find_secrets(model, steps=MOST_STEPS):
    """Every path from a model to a field that is named like a secret."""
    for field in model._meta.get_fields():
        name = field.name
        if SECRETS & set(name.split("_")):
            yield name
        if field.is_relation and field.related_model is not None and steps > 1:
            yield from (f"{name}{LOOKUP_SEP}{rest}" for rest in find_secrets(field.related_model, steps - 1))


def name_list(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_no_screen_lets_a_secret_be_looked_up_on_any_path(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    paths = [(screen, path) for model, screen in admin.site._registry.items() for path in find_secrets(model)]
    own = {(screen.model._meta.label, path) for screen, path in paths}

    for screen, path in paths:
        for lookup in ("", "__startswith", "__regex", "__gt"):
            assert not screen.lookup_allowed(f"{path}{lookup}", "a", request), (screen, path)
    assert {
        ("ingest.ApiKey", "digest"),
        ("reconciliation.WebhookEndpoint", "secret"),
        ("reconciliation.Delivery", "endpoint__secret"),
        ("auth.User", "password"),
    } <= own


def test_no_screen_shows_searches_or_sorts_by_a_secret():
    for screen in admin.site._registry.values():
        named = [*screen.list_display, *screen.search_fields, *(screen.fields or ())]
        secrets = [
            name
            for name in named
            if isinstance(name, str)
            and {"secret", "password", "token"} & {*name.split("_")}
            and not name.startswith("has_")  # whether there is one is no secret
        ]
        assert secrets == [], screen
    assert "digest" not in {*admin.site._registry[ApiKey].search_fields, *admin.site._registry[ApiKey].fields}


@pytest.mark.parametrize("person", ["finance", "manager", "operator", "auditor"], indirect=True)
def test_a_question_about_a_secret_is_a_bad_request_and_one_about_another_field_is_not(client, person):
    key, endpoint = factories.ApiKeyFactory(), factories.WebhookEndpointFactory()
    client.force_login(person)

    for address in (
        f"{name_list(ApiKey)}?digest__startswith={key.digest[:2]}",
        f"{name_list(ApiKey)}?digest={key.digest}",
        f"{name_list(WebhookEndpoint)}?secret__startswith=g",
    ):
        assert client.get(address).status_code == 400, address
    assert client.get(f"{name_list(ApiKey)}?prefix__startswith={key.prefix[:2]}").status_code == 200
    assert client.get(f"{name_list(WebhookEndpoint)}?url={endpoint.url}").status_code == 200
