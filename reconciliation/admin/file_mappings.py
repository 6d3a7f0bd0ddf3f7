"""Mappings of files: which column of a source's table means what."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ingest.screens.actions import person_of
from ingest.screens.base import ConsoleAdmin
from ingest.screens.columns import json_column
from ingest.screens.filters import ServiceFilter
from reconciliation import file_mappings
from reconciliation.connectors.files.mapping import Field
from reconciliation.connectors.files.records import LineKind
from reconciliation.models import FileMapping

COLUMN = "column_"
# What each field is, beside its name.
HINTS = {
    Field.CUSTOMER: "Its id at the service: this, the subscription's or the Stripe customer's is needed.",
    Field.SUBSCRIPTION: "Its external id, of a subscription that the console knows.",
    Field.STRIPE_CUSTOMER: "Its cus_… id, of a customer that the console knows by it.",
    Field.PERIOD_START: "The first day of the billing period that the bill is of.",
    Field.PERIOD_END: "Its end.",
    Field.USED_FROM: "From when on the line is for: it decides the period, in the customer's time zone.",
    Field.USED_TO: "Until when.",
    Field.DOCUMENT: "The invoice's number.",
    Field.STATUS: "Which rows were billed at all.",
    Field.CODE: "The code of the metric or the plan, by which lines are compared.",
    Field.UNTAXED: "This or the total is needed.",
}


def _make_field(name: Field) -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=255,
        label=name.value.replace("_", " ").capitalize(),
        widget=UnfoldAdminTextInputWidget,
        help_text=HINTS.get(name, ""),
    )


# A text for each column's name.
ColumnsForm: Any = type(
    "ColumnsForm", (forms.Form,), {f"{COLUMN}{name}": _make_field(name) for name in Field}
)


class MappingForm(forms.ModelForm, ColumnsForm):
    """The mapping with a text for each column's name."""

    counted = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Words of the status, with commas between them.",
    )
    left_out = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Words for what was not billed, such as drafts.",
    )
    words = forms.CharField(
        required=False,
        label="Words of the kind",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=f"One in each line, such as “Abo = plan”. Kinds: {', '.join(LineKind)}.",
    )

    class Meta:
        model = FileMapping
        labels = {"currency": "One currency for all"}
        exclude = ("public_id", "columns", "counted_statuses", "left_out_statuses", "kinds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for name in Field:
            self.initial.setdefault(f"{COLUMN}{name}", row.columns.get(name, ""))
        self.initial.setdefault("counted", ", ".join(row.counted_statuses))
        self.initial.setdefault("left_out", ", ".join(row.left_out_statuses))
        self.initial.setdefault("words", "\n".join(f"{word} = {kind}" for word, kind in row.kinds.items()))

    def clean_words(self) -> dict[str, str]:
        """The words with the kinds that they mean."""
        kinds = {}
        for line in filter(str.strip, self.cleaned_data["words"].splitlines()):
            word, _, kind = (part.strip() for part in line.rpartition("="))
            if not word or kind not in {*LineKind}:
                raise ValidationError(f"“{line}” is not a word, “=” and a kind.")
            kinds[word] = kind
        return kinds

    def clean(self) -> dict[str, Any]:
        """The mapping as a whole; what it lacks is said at the field that it concerns."""
        data = super().clean() or self.cleaned_data
        row = self.instance
        row.columns = {name.value: data[f"{COLUMN}{name}"] for name in Field if data.get(f"{COLUMN}{name}")}
        row.counted_statuses, row.left_out_statuses = (
            [word.strip() for word in data.get(name, "").split(",") if word.strip()]
            for name in ("counted", "left_out")
        )
        row.kinds = data.get("words", {})
        for name in ("currency", "date_format", "decimal_mark", "thousands_mark"):
            setattr(row, name, data.get(name, getattr(row, name)))
        try:
            file_mappings.refuse_faults(row)
        except ValidationError as error:
            for name, reasons in error.message_dict.items():
                for reason in reasons:
                    self.add_error(f"{COLUMN}{name}" if name in {*Field} else name, reason)
        return data


@admin.register(FileMapping)
class FileMappingAdmin(ConsoleAdmin):
    """The sources' mappings; who may not change them sees them as they are kept."""

    form = MappingForm
    when_empty = "Our own table and FOCUS need no mapping; any other table does."
    list_display = ("name", "service", "date_format", "encoding", "sheet")
    list_filter = (ServiceFilter,)
    list_select_related = ("service",)
    search_fields = ("name",)
    shown_columns = json_column("columns")
    shown_kinds = json_column("kinds")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The source, its columns, and how its cells are written."""
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        cells = ("date_format", "is_end_inclusive", "decimal_mark", "thousands_mark", "is_minor")
        file = ("encoding", "delimiter", "sheet", "header_row")
        if not may_change:
            read = ("shown_columns", "currency", "counted_statuses", "left_out_statuses", "shown_kinds")
            return [(None, {"fields": ("service", "name", *read, *cells, *file)})]
        columns = [f"{COLUMN}{name}" for name in Field]
        return [
            (None, {"fields": ("service", "name")}),
            ("Columns, as the header names them", {"fields": (*columns, "currency")}),
            ("What the words mean", {"fields": ("counted", "left_out", "words")}),
            ("How cells are written", {"fields": cells}),
            ("The file", {"fields": file}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A mapping stays its service's."""
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return (*(("service",) if obj else ()), *(() if may_change else ("shown_columns", "shown_kinds")))

    def save_model(self, request: HttpRequest, obj: FileMapping, form: Any, change: bool) -> None:
        """Keeps the mapping, through the function that audits it."""
        values = {name: getattr(obj, name) for name in file_mappings.VALUES}
        saved = file_mappings.save_mapping(
            service=obj.service,
            values=values,
            actor=person_of(request),
            mapping=obj if change else None,
        )
        obj.pk = saved.pk
