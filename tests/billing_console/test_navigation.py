"""The sidebar: what a person may see, and a badge only for what waits."""

from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.test import RequestFactory

from billing_console.navigation import SIDEBAR, build_sidebar
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counts():
    cache.clear()


def sidebar_of(person, path="/admin/"):
    """The sidebar's entries by their titles."""
    request = RequestFactory().get(path)
    request.user = person
    return {item["title"]: item for group in build_sidebar(request) for item in group["items"]}


def test_every_screen_has_its_entry():
    entries = {entry.model for entries in SIDEBAR.values() for entry in entries}

    assert entries == {model._meta.label_lower for model in admin.site._registry}


@pytest.mark.parametrize(
    ("path", "lit"),
    [
        ("/admin/ingest/usageevent/", ["Events"]),
        ("/admin/ingest/usageevent/7/change/", ["Events"]),
        ("/admin/ingest/usageevent/verdicts/", ["Verdicts"]),
        ("/admin/ingest/charge/price-check/", ["Price check"]),
        ("/admin/", []),
    ],
)
def test_a_page_lights_its_own_entry_alone(auditor, path, lit):
    assert [title for title, entry in sidebar_of(auditor, path).items() if entry.get("active")] == lit


def test_every_page_has_an_icon_that_there_is(client, auditor):
    client.force_login(auditor)

    assert (
        '<link rel="icon" href="/static/favicon.svg" type="image/svg+xml"'
        in client.get("/admin/").content.decode()
    )
    assert finders.find("favicon.svg")


def test_who_has_no_role_sees_the_overview_alone(outsider):
    assert set(sidebar_of(outsider)) == {"Overview"}


def test_only_a_superuser_sees_the_people(auditor, admin_user):
    assert "Users" not in sidebar_of(auditor)
    assert "Users" in sidebar_of(admin_user)


def test_a_badge_counts_what_waits_and_is_absent_when_nothing_does(auditor):
    assert not any("badge" in item for item in sidebar_of(auditor).values())
    cache.clear()
    factories.ReconciliationFactory(odoo_untaxed=Decimal("1.00"))
    factories.CutoverRequestFactory()
    factories.AlarmFactory()

    badges = {title: item["badge"] for title, item in sidebar_of(auditor).items() if "badge" in item}

    assert badges == {"Reconciliations": "1", "Cutover requests": "1", "Alarms": "1"}
