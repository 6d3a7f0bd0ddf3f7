"""Who may do what: a user without groups reads contacts and settings, nobody reads technical models."""

from __future__ import annotations

from .environment import Environment
from .errors import AccessError

GROUPS = (
    "Accounting/Administrator",
    "Accounting/Invoicing",
    "Sales/User: Own Documents Only",
    "Role / Portal",
    "Show Accounting Features - Readonly",
)


def check_access(env: Environment, model: str, *, is_reading: bool) -> None:
    """Raise AccessError when the user's groups do not allow it, in the words of a real server."""
    definition = env.model(model)
    user = env.get("res.users", env.user_id)
    is_allowed = user["has_groups"] or (is_reading and definition.is_open)
    if is_allowed and not definition.is_technical:
        return
    verb = "access" if is_reading else "modify"
    listed = "".join(f"\n\t- {group}" for group in GROUPS)
    raise AccessError(
        f"You are not allowed to {verb} '{definition.label}' ({model}) records.\n\n"
        f"This operation is allowed for the following groups:{listed}\n\n"
        "Contact your administrator to request access if necessary."
    )
