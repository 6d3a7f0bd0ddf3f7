"""Files of what a service billed: uploaded, looked at before anything counts, then imported or discarded."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from ingest.errors import DomainError
from ingest.models import Service
from ingest.screens.actions import Button, person_of, post_action
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import age_column, person_column, state_column
from ingest.screens.filters import ServiceFilter
from ingest.screens.forms import show_form
from reconciliation import billed_files
from reconciliation.admin.looks import FILE
from reconciliation.connectors.files.ready import TITLES
from reconciliation.figures.requesters import name_requester
from reconciliation.models import BilledFile, FileMapping, FileStatus

BY_HEADER = ("", "As its header says: our own table, or FOCUS 1.0 to 1.2")
# What is counted, as the page says it.
COUNTS = {
    "lines": "lines",
    "bills": "bills",
    "new": "new",
    "changed": "changed",
    "unchanged": "as they were",
    "replaced": "replaced",
    "new_customers": "new customers",
    "left_out": "rows left out",
}


class UploadForm(forms.Form):
    """A file, whose it is, and how to read it."""

    service = forms.ModelChoiceField(Service.objects.all(), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget, help_text="CSV or XLSX, of at most a gigabyte. It is kept whole."
    )
    mapping = forms.ChoiceField(required=False, label="How to read it", widget=UnfoldAdminSelectWidget)
    is_replacing = forms.BooleanField(
        required=False,
        label="Take the place of earlier bills",
        widget=UnfoldBooleanWidget,
        help_text="Lets bills with a number replace those without one in the same period, or the other way round.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["mapping"]
        own = FileMapping.objects.select_related("service")
        field.choices = [
            BY_HEADER,
            *((f"ready:{name}", title) for name, title in TITLES.items()),
            *((f"own:{row.pk}", f"{row.service}: {row.name}") for row in own),
        ]

    def find_mapping(self) -> dict[str, Any]:
        """What was chosen, as the upload takes it."""
        kind, _, name = self.cleaned_data["mapping"].partition(":")
        if kind == "own":
            return {"mapping": FileMapping.objects.get(pk=name)}
        return {"ready_mapping": name}


@admin.register(BilledFile)
class BilledFileAdmin(EvidenceAdmin):
    """The files, the newest first; each with what it would bring, brought, or why it was refused."""

    change_form_template = "admin/reconciliation/billedfile/change_form.html"
    when_empty = "Upload what a service billed; nothing counts before somebody looked at it."
    list_display = ("name", "service", "shown_status", "read_as", "uploaded", "uploaded_by", "decided_by")
    list_filter = (ServiceFilter, "status")
    list_select_related = ("service", "mapping", "uploaded_by", "decided_by")
    search_fields = ("name", "digest")
    search_help_text = "Name or digest"
    fields = (
        "name",
        "service",
        "shown_status",
        "read_as",
        "period_label",
        "is_replacing",
        "size",
        "digest",
        "shown_uploaded_by",
        "created_at",
        "shown_decided_by",
        "decided_at",
        "run",
    )
    shown_status = state_column("status", FILE, title="status")
    shown_uploaded_by = person_column("uploaded_by")
    shown_decided_by = person_column("decided_by")
    uploaded = age_column("created_at", title="uploaded")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may upload."""
        return request.user.has_perm(billed_files.PERMISSION)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Keeps a file and has it read; its page follows the reading."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                return HttpResponseRedirect(self.get_page_address(_upload(request, form)))
            except DomainError as error:
                form.add_error("file", error.message)
        return show_form(
            request,
            screen=self,
            form=form,
            title="Upload what a service billed",
            submit="Read it",
            explanation="The file is read and shown as it would count. Nothing is written until you confirm it.",
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The page below what the file brings."""
        shown = _show_preview(obj) if obj is not None else {}
        return super().render_change_form(request, {**context, **shown}, *args, obj=obj, **kwargs)

    def get_buttons(self, request: HttpRequest, row: BilledFile) -> list[Button]:
        """What may be decided now."""
        buttons: list[Button] = []
        if row.status == FileStatus.PREVIEWED:
            buttons += self.offer(
                request, row, "confirm", label="Import it", icon="check_circle", tone="good"
            )
        if row.status in {FileStatus.RECEIVED, FileStatus.PREVIEWED, FileStatus.REFUSED}:
            question = "Why not?"
            buttons += self.offer(
                request, row, "discard", label="Discard", icon="block", reason=question, tone="bad"
            )
        return buttons

    @post_action(billed_files.PERMISSION)
    def confirm(self, request: HttpRequest, row: BilledFile) -> str:
        """Lets the file count."""
        billed_files.confirm_file(file_id=row.pk, actor=person_of(request))
        return f"{row} is being imported."

    @post_action(billed_files.PERMISSION)
    def discard(self, request: HttpRequest, row: BilledFile) -> str:
        """Lets the file not count."""
        reason = request.POST.get("reason", "")
        billed_files.discard_file(file_id=row.pk, actor=person_of(request), reason=reason)
        return f"{row} does not count."

    @admin.display(description="read as")
    def read_as(self, file: BilledFile) -> str:
        """The mapping that reads it, else the format that its header told."""
        return str(file.mapping or TITLES.get(file.ready_mapping, "") or file.format or "its header says")


def _upload(request: HttpRequest, form: UploadForm) -> BilledFile:
    file = form.cleaned_data["file"]
    return billed_files.upload_file(
        service=form.cleaned_data["service"],
        name=file.name,
        pieces=file.chunks(billed_files.PART),
        actor=person_of(request),
        is_replacing=form.cleaned_data["is_replacing"],
        **form.find_mapping(),
    )


def _show_preview(file: BilledFile) -> dict[str, Any]:
    counts = file.preview.get("counts", {})
    listed, errors = file.preview.get("listed", ()), file.preview.get("errors", ())
    changes = sum(counts.get(name, 0) for name in ("new", "changed", "replaced"))
    return {
        "preview": file.preview,
        "counts": [(title, counts[name]) for name, title in COUNTS.items() if name in counts],
        "changes_left": changes - len(listed),
        "errors_left": file.preview.get("refused_rows", 0) - len(errors),
        "asked_by": name_requester(file.run) if file.run else "",
    }
