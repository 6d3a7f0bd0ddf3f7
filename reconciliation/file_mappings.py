"""Mappings of files: kept per source of a service, changed by people, audited; and those that are ready."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from ingest import audit
from ingest.errors import require_permission
from ingest.inputs.codes import CURRENCIES
from ingest.models import Service
from ingest.rating.money import exponent
from reconciliation.connectors.files.mapping import DateFormat, Field, TableMapping, find_faults
from reconciliation.connectors.files.ready import READY
from reconciliation.connectors.files.records import LineKind
from reconciliation.models import BilledFile, FileMapping

# Of each currency that there is: an amount in minor units of any other is no amount.
EXPONENTS = {currency: exponent(currency) for currency in CURRENCIES}

VALUES = (
    "name",
    "columns",
    "currency",
    "date_format",
    "is_end_inclusive",
    "decimal_mark",
    "thousands_mark",
    "is_minor",
    "counted_statuses",
    "left_out_statuses",
    "kinds",
    "encoding",
    "delimiter",
    "sheet",
    "header_row",
)


@transaction.atomic
def save_mapping(
    *, service: Service, values: Mapping[str, Any], actor: User, mapping: FileMapping | None = None
) -> FileMapping:
    """Makes a mapping of a service, or changes one; audited with what it was before.

    Refuses who may not (`permission_denied`). Raises ValidationError, by field, for a mapping that could read no
    file. What was imported by it stays as it is.
    """
    require_permission(
        actor, "reconciliation.change_filemapping" if mapping else "reconciliation.add_filemapping"
    )
    row = (
        FileMapping.objects.select_for_update().get(pk=mapping.pk)
        if mapping
        else FileMapping(service=service)
    )
    before = {name: getattr(row, name) for name in VALUES} if mapping else {}
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    refuse_faults(row)
    after = {name: getattr(row, name) for name in VALUES}
    changed = [name for name in VALUES if not mapping or before[name] != after[name]]
    if changed:
        row.save()
        audit.record(
            actor=actor,
            action="file_mapping.change" if mapping else "file_mapping.create",
            target=row,
            service=row.service,
            before={name: before[name] for name in changed if name in before},
            after={name: after[name] for name in changed},
        )
    return row


def refuse_faults(row: FileMapping) -> None:
    """Raises ValidationError, by field, for a mapping that could read no file."""
    faults: dict[str, list[str]] = {}
    for name, reason in find_faults(make_table_mapping(row)):
        faults.setdefault(name, []).append(reason)
    if faults:
        raise ValidationError(faults)


def make_table_mapping(row: FileMapping) -> TableMapping:
    """The mapping as the reader of files takes it."""
    return TableMapping(
        name=row.name,
        columns={Field(name): column for name, column in row.columns.items()},
        fixed={Field.CURRENCY: row.currency} if row.currency else {},
        date_format=DateFormat(row.date_format),
        decimal_mark=row.decimal_mark,
        thousands_mark=row.thousands_mark,
        is_minor=row.is_minor,
        is_end_inclusive=row.is_end_inclusive,
        counted=frozenset(row.counted_statuses),
        left_out=frozenset(row.left_out_statuses),
        kinds={word: LineKind(kind) for word, kind in row.kinds.items()},
        encoding=row.encoding,
        delimiter=row.delimiter,
        sheet=row.sheet,
        header_row=row.header_row,
        exponents=EXPONENTS,
    )


def read_mapping(file: BilledFile) -> TableMapping | None:
    """How a file is to be read; None where its header tells."""
    if file.ready_mapping:
        return get_ready(file.ready_mapping)
    return make_table_mapping(file.mapping) if file.mapping else None


def get_ready(name: str) -> TableMapping:
    """A mapping of an export of Stripe's or Lago's own; raises KeyError for a name that is none."""
    return replace(READY[name], exponents=EXPONENTS)
