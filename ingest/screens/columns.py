"""Columns that models share: an amount beside its currency, a quantity, a document, a state."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingest.screens.formatting import (
    NOTHING,
    format_amount,
    name_person,
    show_amount,
    show_badge,
    show_figure,
    show_instant,
    show_json,
    show_quantity,
)

Column = Callable[[Any, Any], Any]


class Look(NamedTuple):
    """How a state is shown: a tone and an icon beside its word."""

    tone: str
    icon: str


PLAIN = Look("plain", "circle")


def _title(name: str) -> str:
    return name.rsplit("__", 1)[-1].replace("_", " ")


def _follow(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def amount_column(
    name: str, *, currency: str = "currency", title: str = "", is_signed: bool = False
) -> Column:
    """An amount of the row, in the currency found under the path `currency`."""

    @admin.display(description=title or _title(name), ordering=name)
    def show(_: Any, row: Model) -> SafeString:
        return show_amount(getattr(row, name), _follow(row, currency), is_signed=is_signed)

    return show


def exact_column(name: str, *, currency: str = "currency", title: str = "") -> Column:
    """An amount of the row with all its digits, for the row's own page."""

    @admin.display(description=title or _title(name))
    def show(_: Any, row: Model) -> SafeString:
        return show_figure(format_amount(getattr(row, name), _follow(row, currency)))

    return show


def person_column(name: str, *, title: str = "") -> Column:
    """A person by name, without a link: users are a page for superusers."""

    @admin.display(description=title or _title(name), ordering=f"{name}__username")
    def show(_: Any, row: Model) -> str:
        person = getattr(row, name)
        return name_person(person) if person else NOTHING

    return show


def quantity_column(name: str, *, title: str = "") -> Column:
    """A quantity, digit for digit."""

    @admin.display(description=title or _title(name), ordering=name)
    def show(_: Any, row: Model) -> SafeString:
        return show_quantity(getattr(row, name))

    return show


def json_column(name: str, *, title: str = "") -> Column:
    """A document, indented."""

    @admin.display(description=title or _title(name))
    def show(_: Any, row: Model) -> SafeString:
        return show_json(getattr(row, name))

    return show


def text_column(name: str, *, title: str = "") -> Column:
    """A long text as it was sent or received, line breaks kept."""

    @admin.display(description=title or _title(name))
    def show(_: Any, row: Model) -> SafeString:
        return format_html('<pre class="document">{}</pre>', getattr(row, name))

    return show


def state_column(name: str, looks: Mapping[Any, Look], *, title: str = "") -> Column:
    """A choice as its label, with the tone and the icon that the table gives its value."""

    @admin.display(description=title or _title(name), ordering=name)
    def show(_: Any, row: Any) -> SafeString:
        look = looks.get(getattr(row, name), PLAIN)
        return show_badge(getattr(row, f"get_{name}_display")(), look.tone, look.icon)

    return show


def age_column(name: str, *, title: str = "") -> Column:
    """How long ago an instant of the row was."""

    @admin.display(description=title or _title(name), ordering=name)
    def show(_: Any, row: Model) -> SafeString:
        return show_instant(getattr(row, name))

    return show


def link_to(row: Model, text: str = "") -> SafeString:
    """A link to a row's own page."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a class="link" href="{}">{}</a>', address, text or str(row))
