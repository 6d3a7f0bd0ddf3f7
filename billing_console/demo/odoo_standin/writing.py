"""Creating, writing and deleting records: conversion, commands of x2many fields, constraints, rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .environment import Environment
from .errors import ValidationError
from .external_ids import IMPORT_MODULE, forget_external_ids, register_external_id
from .fields import TO_MANY, Field, Kind, Record, take_value
from .model import Model

Values = Mapping[str, Any]

# The first element of a command in an x2many field's value.
CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)


def create_records(env: Environment, model: str, values_list: Iterable[Values]) -> list[int]:
    """Create the records and return their ids; an unknown field is a ValueError."""
    definition = env.model(model)
    created = [_create_record(env, definition, values) for values in values_list]
    for name in definition.fields:
        _run_child_commands(env, definition, name, created)
    records = [env.get(model, record["id"]) for record, _ in created]
    env.registry.rules_of(model).settle(env, records, frozenset(definition.fields))
    return [record["id"] for record in records]


def write_records(env: Environment, model: str, ids: Iterable[int], values: Values) -> None:
    """Write the values on each record; MissingError when one is absent, KeyError for an unknown field."""
    definition = env.model(model)
    for name in values:
        if name not in definition.fields:
            raise KeyError(name)
    given = frozenset(values)
    rules = env.registry.rules_of(model)
    ids = list(ids)
    for record in env.browse(model, ids):
        rules.refuse_write(env, record, given)
        changes = _take_values(env, definition, values, record)
        rules.revise(env, record, changes, given)
        changed = {**record, **changes, "write_date": env.now}
        _check_record(env, definition, changed)
        env.store.put(model, changed)
        for name in given:
            _run_child_commands(env, definition, name, [(changed, values)])
    rules.settle(env, env.browse(model, ids), given)


def unlink_records(env: Environment, model: str, ids: Iterable[int]) -> None:
    """Delete the records with what belongs to them; those already gone are no error."""
    definition = env.model(model)
    rules = env.registry.rules_of(model)
    records = env.list_existing(model, ids)
    for record in records:
        rules.refuse_unlink(env, record)
    for record in records:
        _remove_record(env, model, record["id"])
    rules.settle(env, records, frozenset(definition.fields))


def _create_record(env: Environment, model: Model, values: Values) -> tuple[Record, Values]:
    for name in values:
        model.field(name)
    taken = _take_values(env, model, values, {})
    record = env.prepare(model.name, taken)
    env.registry.rules_of(model.name).complete(env, record, frozenset(values))
    _check_record(env, model, record)
    env.store.put(model.name, record)
    if IMPORT_MODULE in env.context and isinstance(values.get("id"), str):
        register_external_id(env, str(values["id"]), model.name, record["id"])
    return record, values


def _take_values(env: Environment, model: Model, values: Values, former: Record) -> Record:
    """Return the stored fields among the values, converted; computed fields are ignored as Odoo does."""
    taken: Record = {}
    for name, value in values.items():
        definition = model.fields[name]
        if not definition.is_stored or name == "id":
            continue
        if definition.kind is Kind.MANY2MANY:
            taken[name] = _apply_links(env, definition, former.get(name, []), value)
        else:
            taken[name] = take_value(definition, value)
    return taken


def _apply_links(env: Environment, definition: Field, linked: list[int], commands: Any) -> list[int]:
    """Return the ids that a many2many field holds after the commands."""
    ids = list(linked)
    for code, target, argument in _read_commands(definition, commands):
        if code == CREATE:
            ids += create_records(env, definition.relation, [argument])
        elif code == SET:
            ids = list(argument)
        elif code == CLEAR:
            ids = []
        elif code == LINK and target not in ids:
            ids.append(target)
        elif code in {UNLINK, DELETE}:
            ids = [linked_id for linked_id in ids if linked_id != target]
    return ids


def _run_child_commands(
    env: Environment, model: Model, name: str, parents: list[tuple[Record, Values]]
) -> None:
    """Create, write and delete the lines that the parents' values hold under a one2many field."""
    definition = model.fields[name]
    if definition.kind is not Kind.ONE2MANY:
        return
    created: list[Values] = []
    for parent, values in parents:
        for code, target, argument in _read_commands(definition, values.get(name)):
            if code == CREATE:
                created.append({**argument, definition.inverse: parent["id"]})
            elif code == UPDATE:
                write_records(env, definition.relation, [target], argument)
            elif code == LINK:
                write_records(env, definition.relation, [target], {definition.inverse: parent["id"]})
            elif code in {DELETE, UNLINK}:
                unlink_records(env, definition.relation, [target])
    if created:
        create_records(env, definition.relation, created)


def _read_commands(definition: Field, commands: Any) -> list[tuple[int, int, Any]]:
    """Return the commands of an x2many value with all three elements."""
    if definition.kind not in TO_MANY or not commands:
        return []
    read = []
    for command in commands:
        if not isinstance(command, list | tuple) or not command:
            raise ValueError(f"Wrong value for {definition.label}: {commands!r}")
        code, target, argument = [*command, 0, 0][:3]
        read.append((code, target, argument))
    return read


def _check_record(env: Environment, model: Model, record: Record) -> None:
    for name, definition in model.fields.items():
        if definition.required and record[name] is False:
            raise _missing_value(model, name, definition)
        if definition.is_indexed and definition.relation:
            _check_references(env, model, definition, record[name])
    for names in model.unique:
        _check_unique(env, model, names, record)


def _check_references(env: Environment, model: Model, definition: Field, value: Any) -> None:
    for target in value if isinstance(value, list) else [value]:
        if target and env.store.get(definition.relation, target) is None:
            raise ValidationError(
                "The operation cannot be completed: another model requires the record being deleted. "
                f"If possible, archive it instead.\n\nModel: {model.label!r} ({model.name})\n"
                f"Field: {definition.label!r}, record {definition.relation}({target},)"
            )


def _check_unique(env: Environment, model: Model, names: tuple[str, ...], record: Record) -> None:
    key = [record[name] for name in names]
    if False in key:
        return
    for other in env.store.list_records(model.name):
        if other["id"] != record["id"] and [other[name] for name in names] == key:
            raise ValidationError(
                f"The operation cannot be completed: {model.label} with this "
                f"{', '.join(model.fields[name].label for name in names)} already exists."
            )


def _missing_value(model: Model, name: str, definition: Field) -> ValidationError:
    return ValidationError(
        "The operation cannot be completed: Missing required value for the field "
        f"'{definition.label}' ({name}).\nModel: '{model.label}' ({model.name})\n"
        "- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n"
    )


def _remove_record(env: Environment, model: str, record_id: int) -> None:
    _release_references(env, model, record_id)
    forget_external_ids(env, model, record_id)
    env.store.remove(model, record_id)


def _release_references(env: Environment, model: str, record_id: int) -> None:
    """Do to the records that refer to one about to go what their field says; rules are not asked."""
    for referrer, name, definition in env.registry.referring(model):
        ids = env.store.find_ids(referrer.name, name, record_id)
        if not ids:
            continue
        if definition.ondelete == "cascade":
            for referring_id in ids:
                _remove_record(env, referrer.name, referring_id)
        elif definition.ondelete == "restrict" or definition.required:
            raise ValidationError(
                "The operation cannot be completed: another model requires the record being deleted. "
                f"If possible, archive it instead.\n\nModel: '{referrer.label}' ({referrer.name})"
            )
        else:
            _set_null(env, referrer.name, ids, name, record_id)


def _set_null(env: Environment, model: str, ids: list[int], name: str, gone: int) -> None:
    for record in env.browse(model, ids):
        value = record[name]
        emptied = [linked for linked in value if linked != gone] if isinstance(value, list) else False
        env.update(model, record["id"], {name: emptied})
