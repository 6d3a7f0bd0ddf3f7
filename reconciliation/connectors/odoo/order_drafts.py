"""What the console wants of a live subscription's order: its usage as lines, the payload of a push."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self

from reconciliation.connectors.odoo.drafts import UsageLine, refuse_repeated
from reconciliation.connectors.odoo.external_ids import check_key


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """The usage of one period on one subscription's order, each fee a line of 1 × its amount.

    `order_id` is the order that the subscription is linked to; once that was renewed the lines go onto the order
    that renewed it. A line at nothing takes back one that was there before.
    """

    key: str
    order_id: int
    partner_id: int
    currency: str
    lines: tuple[UsageLine, ...]

    def __post_init__(self) -> None:
        check_key(self.key)
        for line in self.lines:
            check_key(line.key)
        refuse_repeated((line.key for line in self.lines), f"order {self.order_id}")

    def payload(self) -> dict[str, Any]:
        """The draft as JSON, amounts as decimal strings, lines by key."""
        return {
            "key": self.key,
            "order_id": self.order_id,
            "partner_id": self.partner_id,
            "currency": self.currency,
            "usage_lines": sorted((line.payload() for line in self.lines), key=lambda line: line["key"]),
        }

    def digest(self) -> str:
        """SHA-256 of the payload's canonical JSON."""
        canonical = json.dumps(self.payload(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def emptied(self) -> Self:
        """The same lines at nothing: a line of a confirmed order cannot be deleted."""
        return replace(self, lines=tuple(replace(line, amount=Decimal(0)) for line in self.lines))

    def with_gone(self, earlier: OrderDraft) -> Self:
        """With the lines of an earlier draft that this one has no longer, at nothing."""
        keys = {line.key for line in self.lines}
        gone = tuple(line for line in earlier.emptied().lines if line.key not in keys)
        return replace(self, lines=self.lines + gone)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The draft of a stored payload."""
        return cls(
            key=payload["key"],
            order_id=payload["order_id"],
            partner_id=payload["partner_id"],
            currency=payload["currency"],
            lines=tuple(UsageLine.from_payload(line) for line in payload["usage_lines"]),
        )
