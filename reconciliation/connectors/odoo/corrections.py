"""A correction as a draft invoice or credit note in Odoo: only inserted, never posted, once under its external id.

A `load()` in the insert-only way answers the id of one that is there and changes nothing, so that a lost answer is
healed by doing it again. Whether it is posted is for a person in Odoo to decide.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM
from reconciliation.connectors.odoo.client import OdooClient
from reconciliation.connectors.odoo.external_ids import (
    MODULE,
    check_key,
    name_correction,
    name_correction_line,
)
from reconciliation.connectors.odoo.live_guard import CORRECTION_COLUMNS
from reconciliation.connectors.odoo.loading import load_drafts
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.connectors.odoo.sheets import INSERT_ONLY, Row, Sheet
from reconciliation.connectors.odoo.values import read_id, read_money, read_name, write_decimal

FIELDS = ("name", "state", "move_type", "partner_id", "currency_id", "amount_untaxed")
INVOICE, CREDIT_NOTE = "out_invoice", "out_refund"


@dataclass(frozen=True, slots=True)
class CorrectionDraft:
    """What a customer is billed in addition, or credited where `amount` is below zero; untaxed, one line."""

    key: str
    partner_id: int
    currency: str
    product_id: int
    reference: str
    name: str
    amount: Decimal

    def __post_init__(self) -> None:
        check_key(self.key)

    @property
    def move_type(self) -> str:
        return CREDIT_NOTE if self.amount < 0 else INVOICE

    def payload(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "partner_id": self.partner_id,
            "currency": self.currency,
            "product_id": self.product_id,
            "reference": self.reference,
            "name": self.name,
            "amount": write_decimal(self.amount),
        }

    def digest(self) -> str:
        canonical = json.dumps(self.payload(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        return cls(**{**payload, "amount": Decimal(payload["amount"])})


@dataclass(frozen=True, slots=True)
class Correction:
    """The invoice or credit note as Odoo holds it; `untaxed` is as Odoo shows it, positive on both."""

    id: int
    state: str
    move_type: str
    partner_id: int | None
    currency: str
    untaxed: Decimal


def write_corrections(client: OdooClient, drafts: Iterable[CorrectionDraft]) -> dict[str, WriteOutcome]:
    """Drafts each correction that is not there yet, and tells of each what became of it; raises as pushing does."""
    every = list(drafts)
    currencies = _read_currencies(client, {draft.currency for draft in every})
    errors = {
        draft.key: ConnectorError("other_currency", f"Odoo has no active currency {draft.currency}.", SYSTEM)
        for draft in every
        if draft.currency not in currencies
    }
    sheet: Sheet[CorrectionDraft] = Sheet(
        "account.move",
        CORRECTION_COLUMNS,
        lambda draft: [_cells(draft, currencies[draft.currency])],
        INSERT_ONLY,
    )
    loaded = load_drafts(client, sheet, [draft for draft in every if draft.key not in errors])
    errors |= loaded.errors
    ids = {key: move_ids[0] for key, move_ids in loaded.ids.items()}
    return {draft.key: WriteOutcome(draft.key, ids.get(draft.key), errors.get(draft.key)) for draft in every}


def read_corrections(client: OdooClient, keys: Iterable[str]) -> dict[str, Correction]:
    """The corrections of these keys as Odoo holds them; one that it does not know is absent."""
    ids = {move_id: key for key in keys if (move_id := _look_up(client, key))}
    rows = client.call("account.move", "read", sorted(ids), fields=list(FIELDS)) if ids else []
    return {
        ids[row["id"]]: Correction(
            id=row["id"],
            state=row["state"],
            move_type=row["move_type"],
            partner_id=read_id(row["partner_id"]),
            currency=read_name(row["currency_id"]) or "",
            untaxed=read_money(row["amount_untaxed"], client.rounding(row["currency_id"][0])),
        )
        for row in rows
    }


def verify_correction(draft: CorrectionDraft, held: Correction) -> list[str]:
    """How Odoo's document differs from the draft, in words; empty when it is equal."""
    pairs = (
        ("type", draft.move_type, held.move_type),
        ("partner", draft.partner_id, held.partner_id),
        ("currency", draft.currency, held.currency),
        ("untaxed amount", abs(draft.amount), held.untaxed),
    )
    return [f"{name}: {now} in Odoo, {meant} intended" for name, meant, now in pairs if meant != now]


def _read_currencies(client: OdooClient, codes: set[str]) -> dict[str, int]:
    domain = [["name", "in", sorted(codes)]]
    return {
        row["name"]: row["id"] for page in client.read_pages("res.currency", domain, ["name"]) for row in page
    }


def _cells(draft: CorrectionDraft, currency_id: int) -> Row:
    return [
        name_correction(draft.key),
        draft.move_type,
        str(draft.partner_id),
        str(currency_id),
        draft.reference,
        name_correction_line(draft.key),
        str(draft.product_id),
        draft.name,
        "1",
        write_decimal(abs(draft.amount)),
    ]


def _look_up(client: OdooClient, key: str) -> int | None:
    """A correction's id by its external id; Odoo answers an unknown one with a ValueError."""
    name = name_correction(key).removeprefix(f"{MODULE}.")
    try:
        model, move_id = client.call("ir.model.data", "check_object_reference", MODULE, name)
    except ConnectorError as error:
        if error.code != "bad_value":
            raise
        return None
    return move_id if model == "account.move" and move_id else None
