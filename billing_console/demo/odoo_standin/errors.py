"""The errors an Odoo server answers with, under the names a client classifies them by."""

import traceback
from typing import Any


class UserError(Exception):
    """A business rule refused the call."""

    name = "odoo.exceptions.UserError"


class ValidationError(UserError):
    """A constraint refused the values."""

    name = "odoo.exceptions.ValidationError"


class AccessError(UserError):
    """The user may not do this, or not in this company."""

    name = "odoo.exceptions.AccessError"


class AccessDenied(UserError):
    """The key does not belong to the user."""

    name = "odoo.exceptions.AccessDenied"

    def __init__(self) -> None:
        super().__init__("Access Denied")


class MissingError(UserError):
    """A record written to does not exist."""

    name = "odoo.exceptions.MissingError"

    def __init__(self, model: str, record_id: int, user_id: int) -> None:
        super().__init__(
            f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: {user_id})"
        )


class OperationalError(Exception):
    """The database does not exist or does not answer."""

    name = "psycopg2.OperationalError"


class SerializationFailure(Exception):
    """Two transactions met; nothing of this one was committed."""

    name = "psycopg2.errors.SerializationFailure"
    MESSAGE = "could not serialize access due to concurrent update"

    def __init__(self) -> None:
        super().__init__(self.MESSAGE)


def describe_error(error: Exception) -> dict[str, Any]:
    """Return the `error` member of a JSON-RPC answer."""
    return {"code": 0, "message": "Odoo Server Error", "data": serialize_error(error)}


def serialize_error(error: Exception) -> dict[str, Any]:
    """Return what a server tells of an error; Python's own errors are named `builtins.*`."""
    kind = type(error)
    return {
        "name": getattr(error, "name", None) or f"{kind.__module__}.{kind.__name__}",
        "message": "\n".join(str(argument) for argument in error.args),
        "arguments": [str(argument) for argument in error.args],
        "context": {},
        "debug": "".join(traceback.format_exception(error)),
    }
