"""Column types that PostgreSQL has and Django lacks: exact decimals of any length, and transaction ids."""

from typing import Any

from django.db import models


class ExactDecimalField(models.DecimalField):
    """A `numeric` without declared precision: what was computed is kept digit for digit, never rounded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Only forms and validators read these bounds; the column has none.
        kwargs.update(max_digits=200, decimal_places=100)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"step_size": None, **kwargs})


class TransactionIdField(models.Field):
    """The writing transaction's `xid8`: a reader that stops at the snapshot horizon misses no late commit."""

    def db_type(self, connection: Any) -> str:
        return "xid8"


class CurrentTransactionId(models.Func):
    """The id of the transaction that writes the row, as a column default."""

    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = TransactionIdField()
