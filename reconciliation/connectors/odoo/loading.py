"""Many drafts in one `load()`, and which of them Odoo refuses when it refuses all of them at once.

`load()` saves everything or nothing and raises nothing: `ids` is false and `messages` name the rows. The
drafts of these rows fail with Odoo's words; the others are sent again without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import classify_messages
from reconciliation.connectors.odoo.client import OdooClient
from reconciliation.connectors.odoo.sheets import Draft, Keyed, Row, Sheet

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the drafts of one sheet: the ids of the records saved, or the error, by draft."""

    ids: dict[str, list[int]]
    errors: dict[str, ConnectorError]


def load_drafts(client: OdooClient, sheet: Sheet[Draft], drafts: Sequence[Draft]) -> Loaded:
    """Load every draft that Odoo accepts and say of each other one why not.

    Raises what concerns no single draft: a lost race (transient), a lost answer (outcome unknown), a refused
    login. All drafts may then be sent again.
    """
    loaded = Loaded({}, {})
    pending: list[Sequence[Draft]] = [[draft for draft in drafts if sheet.rows(draft)]]
    while pending:
        batch = pending.pop()
        if batch:
            pending.extend(_load_batch(client, sheet, batch, loaded))
    return loaded


def load_rows(
    client: OdooClient, model: str, columns: Sequence[str], rows: list[Row], context: Mapping[str, Any]
) -> tuple[list[int] | None, Messages]:
    """One `load()`: the ids it saved, or None and the messages that say why nothing was saved."""
    answer = client.call(model, "load", list(columns), rows, context=context)
    ids, messages = answer["ids"], answer["messages"]
    if isinstance(ids, list):
        return ids, messages
    error = classify_messages(messages)
    if not error.permanent:
        raise error
    return None, messages


def _load_batch(
    client: OdooClient, sheet: Sheet[Draft], batch: Sequence[Draft], loaded: Loaded
) -> list[Sequence[Draft]]:
    """Load a batch, note what is decided by it, and return what is to be sent again."""
    owners = [draft.key for draft in batch for _ in sheet.rows(draft)]
    rows = [row for draft in batch for row in sheet.rows(draft)]
    ids, messages = load_rows(client, sheet.model, sheet.columns, rows, sheet.context)
    if ids is not None:
        _note_ids(loaded, batch, owners, ids)
        return []
    if len(batch) == 1:
        loaded.errors[batch[0].key] = classify_messages(messages)
        return []
    return _part(batch, _accuse(messages, owners), loaded)


def _part(
    batch: Sequence[Draft], accused: Mapping[str, ConnectorError], loaded: Loaded
) -> list[Sequence[Draft]]:
    """Note the drafts that are to blame and part the others for another try; halves when nobody is named.

    Odoo puts what it says of the batch as a whole on the first record: that one is heard again, alone.
    """
    if not accused:
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]]
    first, *others = batch
    loaded.errors.update((draft.key, accused[draft.key]) for draft in others if draft.key in accused)
    innocent = [draft for draft in others if draft.key not in accused]
    return [[first], innocent] if first.key in accused else [[first, *innocent]]


def _note_ids(loaded: Loaded, batch: Sequence[Keyed], owners: Sequence[str], ids: Sequence[int]) -> None:
    """One id per record: per draft where its lines are nested in it, per row where they stand alone."""
    keys = owners if len(ids) == len(owners) else [draft.key for draft in batch]
    for key, record_id in zip(keys, ids, strict=True):
        loaded.ids.setdefault(key, []).append(record_id)


def _accuse(messages: Messages, owners: Sequence[str]) -> dict[str, ConnectorError]:
    """The drafts whose rows the messages name, each with its first error."""
    accused: dict[str, ConnectorError] = {}
    for message in messages:
        row = message.get("rows", {}).get("from")
        if message.get("type") == "error" and row is not None and row < len(owners):
            accused.setdefault(owners[row], classify_messages([message]))
    return accused
