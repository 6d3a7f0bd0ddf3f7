"""What the console wants a shadow quotation to be: the payload of a push."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.external_ids import check_key
from reconciliation.connectors.odoo.values import write_decimal


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A usage fee at our own price: quantity 1 × `amount`, rounded to the quotation's currency."""

    key: str
    product_id: int
    name: str
    amount: Decimal

    def payload(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "product_id": self.product_id,
            "name": self.name,
            "amount": write_decimal(self.amount),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        return cls(payload["key"], payload["product_id"], payload["name"], Decimal(payload["amount"]))


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A recurring or one-time line that Odoo prices itself; Odoo keeps two digits of its quantity."""

    key: str
    product_id: int
    name: str
    quantity: Decimal

    def payload(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "product_id": self.product_id,
            "name": self.name,
            "quantity": write_decimal(self.quantity),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        return cls(payload["key"], payload["product_id"], payload["name"], Decimal(payload["quantity"]))


@dataclass(frozen=True, slots=True)
class QuotationDraft:
    """A customer's quotation for one period in one currency; `key` names it in Odoo for ever.

    The pricelist sets the currency. Refused with code "invalid_draft" at once, before anything is stored or
    sent: a key that is no part of an external id, a line key used twice.
    """

    key: str
    partner_id: int
    company_id: int
    pricelist_id: int
    reference: str
    usage_lines: tuple[UsageLine, ...]
    plan_lines: tuple[PlanLine, ...]

    def __post_init__(self) -> None:
        check_key(self.key)
        keys = [line.key for line in self.lines]
        for key in keys:
            check_key(key)
        refuse_repeated(keys, f"quotation {self.key}")

    @property
    def lines(self) -> tuple[UsageLine | PlanLine, ...]:
        return (*self.usage_lines, *self.plan_lines)

    @property
    def line_keys(self) -> frozenset[str]:
        return frozenset(line.key for line in self.lines)

    def payload(self) -> dict[str, Any]:
        """The draft as JSON, amounts as decimal strings, lines by key: equal intents give equal payloads."""
        return {
            "key": self.key,
            "partner_id": self.partner_id,
            "company_id": self.company_id,
            "pricelist_id": self.pricelist_id,
            "reference": self.reference,
            "usage_lines": sorted((line.payload() for line in self.usage_lines), key=_by_key),
            "plan_lines": sorted((line.payload() for line in self.plan_lines), key=_by_key),
        }

    def digest(self) -> str:
        """SHA-256 of the payload's canonical JSON: unchanged drafts need not be sent again."""
        canonical = json.dumps(self.payload(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def emptied(self) -> Self:
        """The same quotation without lines."""
        return replace(self, usage_lines=(), plan_lines=())

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The draft of a stored payload."""
        return cls(
            key=payload["key"],
            partner_id=payload["partner_id"],
            company_id=payload["company_id"],
            pricelist_id=payload["pricelist_id"],
            reference=payload["reference"],
            usage_lines=tuple(UsageLine.from_payload(line) for line in payload["usage_lines"]),
            plan_lines=tuple(PlanLine.from_payload(line) for line in payload["plan_lines"]),
        )


def refuse_repeated(keys: Iterable[str], place: str) -> None:
    """One record per key: the second line or draft of a key would silently overwrite the first."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ConnectorError("invalid_draft", f"The key “{key}” occurs twice in {place}.", "odoo")
        seen.add(key)


def _by_key(payload: dict[str, Any]) -> str:
    return payload["key"]
