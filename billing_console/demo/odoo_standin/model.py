"""What a model of the stand-in is: its fields as data, and the few rules that go beyond them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import UserError
from .fields import Field, Kind, Record, char, moment

if TYPE_CHECKING:
    from .environment import Environment

Given = frozenset[str]


def show_name(_env: Environment, record: Record) -> str:
    """The display name of most models: their name."""
    return str(record.get("name") or "")


def accept(_env: Environment, _record: Record, _given: Given) -> None:
    """The rule of a model that has none."""


def accept_removal(_env: Environment, _record: Record) -> None:
    """The rule of a model whose records may be deleted."""


def settle_nothing(_env: Environment, _records: list[Record], _given: Given) -> None:
    """The rule of a model that nothing else is worked out from."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What happens around the writes of one model.

    `complete` fills a new record in place, before it is stored; `refuse_write` and `refuse_unlink` raise;
    `revise` completes the changes of a write in place; `settle` recomputes what follows from records that
    were created, written or deleted; `methods` are the model's own public methods.
    `given` are the names of the fields that the caller set.
    """

    complete: Callable[[Environment, Record, Given], None] = accept
    refuse_write: Callable[[Environment, Record, Given], None] = accept
    revise: Callable[[Environment, Record, Record, Given], None] = lambda _env, _record, _changes, _given: (
        None
    )
    refuse_unlink: Callable[[Environment, Record], None] = accept_removal
    settle: Callable[[Environment, list[Record], Given], None] = settle_nothing
    methods: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its technical name, its label as error messages show it, its fields and defaults."""

    name: str
    label: str
    fields: Mapping[str, Field]
    order: str = "id"
    display: Callable[[Environment, Record], str] = show_name
    unique: tuple[tuple[str, ...], ...] = ()
    is_open: bool = False
    is_technical: bool = False

    def field(self, name: str) -> Field:
        """Return a field; an unknown one is a ValueError, as in a domain or a list of fields."""
        try:
            return self.fields[name]
        except KeyError:
            raise ValueError(f"Invalid field {name!r} on model {self.name!r}") from None

    def reference(self, name: str) -> Field:
        """Return a field that leads to another model."""
        definition = self.field(name)
        if not definition.relation:
            raise ValueError(f"Field {name!r} of model {self.name!r} is not relational")
        return definition


@dataclass(frozen=True, slots=True)
class Registry:
    """All models of one server and their rules."""

    models: Mapping[str, Model]
    rules: Mapping[str, Rules]

    def model(self, name: str) -> Model:
        """Return a model; an unknown one, or one of a module that is not installed, is a UserError."""
        try:
            return self.models[name]
        except KeyError:
            raise UserError(f"Object {name} doesn't exist") from None

    def rules_of(self, name: str) -> Rules:
        return self.rules.get(name, NO_RULES)

    def referring(self, name: str) -> list[tuple[Model, str, Field]]:
        """Return every stored field that leads to the model."""
        return [
            (model, field_name, definition)
            for model in self.models.values()
            for field_name, definition in model.fields.items()
            if definition.relation == name and definition.is_stored
        ]


NO_RULES = Rules()


def define(
    name: str,
    label: str,
    fields: Mapping[str, Field],
    *,
    display: Callable[[Environment, Record], str] = show_name,
    **attributes: Any,
) -> Model:
    """Return a model with its own fields and those that every model has."""
    every = {
        "id": Field(Kind.INTEGER, "ID"),
        "display_name": char("Display Name", compute=display),
        "create_date": moment("Created on"),
        "write_date": moment("Last Updated on"),
    }
    return Model(name, label, {**every, **fields}, display=display, **attributes)
