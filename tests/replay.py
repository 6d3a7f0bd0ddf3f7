"""What takes long to make is made for the first test that asks; the others get the same rows again, key by key."""

from copy import copy

from django.apps import apps


class Replay:
    """A row and all rows that come with it, made by one function without arguments.

    Their keys are free in every other test: a sequence does not go back when a test is undone. Made anew by
    each worker of a run, so that a test sees what the code makes today, and at the same moment by the test's clock.
    """

    def __init__(self, make):
        self._make = make
        self._made = None
        self._rows = {}

    def __call__(self):
        if self._made is None:
            before = {model: set(_rows_of(model).values_list("pk", flat=True)) for model in _list_models()}
            self._made = self._make()
            for model, keys in before.items():
                self._rows[model] = [row for row in _rows_of(model) if row.pk not in keys]
        else:
            for model, rows in self._rows.items():
                model._base_manager.bulk_create(map(copy, rows))
        return _rows_of(type(self._made)).get(pk=self._made.pk)


def _rows_of(model):
    return model._base_manager.order_by("pk")


def _list_models():
    """Those of both apps, with the versions that are kept of some."""
    return [model for app in ("ingest", "reconciliation") for model in apps.get_app_config(app).get_models()]
