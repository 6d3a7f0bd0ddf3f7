"""What a stand-in is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# A second user, for what a user without rights is answered.
RESTRICTED_LOGIN = "no-groups"
RESTRICTED_KEY = "no-groups-key"


@dataclass(frozen=True, slots=True)
class Settings:
    """The one database, who may log in to it, and where it is kept; in memory without `data`."""

    database: str = "odoo19-demo"
    login: str = "console"
    key: str = "demo-key"
    data: Path | None = None
    with_fusion: bool = False
    # Without it, as Odoo will be from 22 on.
    with_jsonrpc: bool = True

    @property
    def keys(self) -> Mapping[str, str]:
        """The key of each login."""
        return {self.login: self.key, RESTRICTED_LOGIN: RESTRICTED_KEY}
