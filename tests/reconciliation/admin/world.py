"""Every admin address with a row behind it, and a picture of all tables to compare with."""

from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from tests.test_factories import FACTORIES

# Signing out ends a session, which is a row; it is the library's and asks for POST anyway.
UNTOUCHED = {"django_session"}
# The library's own addresses that take something else than a row's id.
NEEDS_OTHER = {
    "app_list": {"app_label": "reconciliation"},
    "view_on_site": {"content_type_id": 1, "object_id": 1},
    "auth_user_password_change": {"id": "1"},
}


def make_rows():
    """A row of every model; returns the id of one per model."""
    return {model: factory().pk for model, factory in FACTORIES.items()}


def list_addresses(rows):
    """Every address below the admin, by name, each with the id of a row of its own model."""
    for pattern, model in _walk(get_resolver().url_patterns):
        yield pattern.name or str(pattern.pattern), _address(pattern, model, rows)


def _walk(patterns):
    prefixes = {(model._meta.app_label, model._meta.model_name): model for model in admin.site._registry}
    (root,) = [item for item in patterns if isinstance(item, URLResolver) and item.namespace == "admin"]
    for item in root.url_patterns:
        if isinstance(item, URLPattern):
            yield item, None
            continue
        model = prefixes[tuple(str(item.pattern).strip("/").split("/"))]
        yield from ((child, model) for child in item.url_patterns)


def _address(pattern, model, rows):
    """The address, or None for the library's catch-alls, which only redirect."""
    if pattern.name is None:
        return None
    row_id = rows.get(model, 1)
    if pattern.name.endswith("_simple_history"):
        version = model.history.filter(id=row_id).latest()
        return reverse(f"admin:{pattern.name}", args=[row_id, version.pk])
    candidates = [{}, {"object_id": row_id}, [row_id], [row_id, 1]]
    for given in [NEEDS_OTHER.get(pattern.name, {}), *candidates]:
        arguments = {"kwargs": given} if isinstance(given, dict) else {"args": given}
        try:
            return reverse(f"admin:{pattern.name}", **arguments)
        except NoReverseMatch:
            continue
    raise AssertionError(f"No address for {pattern.name}: say in NEEDS_OTHER what it takes.")


def picture_tables():
    """What every table holds, as one digest each."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - UNTOUCHED)
        return {table: _digest(cursor, table) for table in tables}


def _digest(cursor, table):
    cursor.execute(
        f"SELECT md5(coalesce(string_agg(row::text, ',' ORDER BY row::text), '')) FROM {table} row"
    )
    return cursor.fetchone()[0]


def count_queries(client, address):
    """How many queries a page takes once what it keeps for a moment is there."""
    cache.clear()
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)
