"""The one error that a domain function raises when it refuses: a stable code, and a sentence for a person."""

from django.contrib.auth.models import User


class DomainError(Exception):
    """A refusal with a stable `code`; `message` is fit for a page and says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def require_permission(actor: User | None, permission: str) -> None:
    """Refuses with `permission_denied` when a person lacks `app.codename`; no actor is the console itself."""
    if actor is not None and not actor.has_perm(permission):
        raise DomainError("permission_denied", f"{actor.get_username()} may not do this.")
