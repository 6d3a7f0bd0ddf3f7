"""What the outbox asks of each kind of push."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.models import Push


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a push may not be sent, or not be sent again, in words that say what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What Odoo holds of a push: its record, and how that differs from the payload, in words.

    `refusal` says that another attempt would not make it equal: a person has to do something first.
    """

    odoo_id: int
    record: Any = field(repr=False)
    differences: Sequence[str] = ()
    refusal: Refusal | None = None


class Writer(Protocol):
    """One kind of push. Pushes come in batches of one service; everything is by the push's key."""

    def refuse(self, pushes: Sequence[Push]) -> Mapping[str, Refusal]:
        """Those that may not leave as things stand now: the guard beside the write."""

    def write(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, WriteOutcome]:
        """Carries them out, each once however often it is called; raises what concerns no single one."""

    def read(self, connector: OdooConnector, pushes: Sequence[Push]) -> Mapping[str, Reading]:
        """What Odoo holds of each; one that it does not hold is absent."""

    def keep(self, readings: Mapping[str, tuple[Push, Reading]], read_at: datetime) -> None:
        """Keeps what was read, in the transaction that settles the pushes."""

    def watch(self, push: Push, error: ConnectorError) -> None:
        """Looks at why a push has failed for good: it may be an alarm."""
