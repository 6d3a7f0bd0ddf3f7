"""What became of one intended record in Odoo."""

from __future__ import annotations

from dataclasses import dataclass

from reconciliation.connectors.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The record's id and, unless it was written entirely, the error; by the key that names it in Odoo."""

    key: str
    record_id: int | None
    error: ConnectorError | None

    @property
    def is_written(self) -> bool:
        return self.error is None
