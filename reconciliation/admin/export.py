"""Exports of exactly what the queue shows, safe to open in a spreadsheet."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX
from import_export.resources import Resource
from unfold.contrib.import_export.forms import ExportForm

from ingest.screens.spreadsheets import escape_formula, show_cell
from reconciliation.figures.overview import label_cause
from reconciliation.models import Reconciliation


class SafeTexts:
    """Replaces the library's escaping, which strips one sign, misses the others and turns numbers into text."""

    def show_cell(self, value: Any) -> Any:
        """A cell as the format writes it."""
        return escape_formula(value)

    def _escape_formulae(self, dataset: Any) -> None:
        rows = [tuple(self.show_cell(value) for value in row) for row in dataset]
        headers = dataset.headers
        dataset.wipe()
        dataset.headers = headers
        dataset.extend(rows)


class SafeCsv(SafeTexts, CSV):
    """Comma-separated values; amounts digit for digit, never in powers of ten."""

    def show_cell(self, value: Any) -> Any:
        """A decimal as its digits."""
        return show_cell(value)


class SafeXlsx(SafeTexts, XLSX):
    """A spreadsheet; amounts are numbers in it."""


class _Column(Field):
    """A column computed from the row."""

    def __init__(self, name: str, read: Callable[[Reconciliation], Any]) -> None:
        super().__init__(column_name=name)
        self.read = read

    def export(self, instance: Reconciliation, **kwargs: Any) -> Any:
        """The value as it is, an empty cell for nothing."""
        value = self.read(instance)
        return "" if value is None else value


class ReconciliationResource(Resource):
    """A row of the queue with its exact amounts, decision and public id."""

    customer = _Column("customer", lambda row: str(row.customer))
    external_id = _Column("customer id", lambda row: row.customer.external_id)
    service = _Column("service", lambda row: row.service.code)
    period = _Column("period", lambda row: row.period_label)
    currency = _Column("currency", lambda row: row.currency)
    basis = _Column("basis", lambda row: row.basis)
    external = _Column("external", lambda row: row.external_amount)
    odoo = _Column("odoo", lambda row: row.odoo_amount)
    delta = _Column("delta", lambda row: row.delta)
    tolerance = _Column("tolerance", lambda row: row.tolerance)
    outcome = _Column("outcome", lambda row: row.get_outcome_display())
    cause = _Column("suggested cause", lambda row: label_cause(row.cause) if row.cause else "")
    status = _Column("status", lambda row: row.get_status_display())
    owner = _Column("owner", lambda row: row.owner.get_username() if row.owner else "")
    reason = _Column("reason", lambda row: row.reason)
    resolved_by = _Column("resolved by", lambda row: row.resolved_by and row.resolved_by.get_username())
    resolved_at = _Column("resolved at", lambda row: row.resolved_at and row.resolved_at.isoformat())
    reconciled_at = _Column("reconciled at", lambda row: row.reconciled_at.isoformat())
    row_id = _Column("id", lambda row: str(row.public_id))

    @classmethod
    def get_display_name(cls) -> str:
        """What the export's form calls it."""
        return "Reconciliations"


class QueueExport(ExportMixin):
    """The queue's export: the filtered rows in their order, named by when and by whom."""

    resource_classes = (ReconciliationResource,)
    export_form_class = ExportForm
    export_formats = (SafeXlsx, SafeCsv)

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        """Named by when and by whom."""
        who = request.user.get_username()
        return f"reconciliations-{timezone.now():%Y%m%dT%H%MZ}-{who}.{file_format.get_extension()}"
