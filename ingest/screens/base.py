"""The base of every screen: nothing is deleted, evidence is only looked at, history is the audit."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline

from ingest.models.public import PublicModel
from ingest.screens.actions import PostActionsMixin
from ingest.screens.formatting import NOTHING
from ingest.screens.secrets import names_secret


class ConsoleAdmin(PostActionsMixin, ModelAdmin):
    """A screen of the console."""

    list_per_page = 50
    # Counting all rows of a large table costs more than the page itself.
    show_full_result_count = False
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = True
    empty_value_display = NOTHING
    # Counting behind every choice of every filter would read the table once for each.
    show_facets = ShowFacets.NEVER
    change_form_template = "admin/with_buttons.html"
    # What a list without rows says: what will fill it, or that it is good so.
    when_empty = ""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """The form with the row's buttons above it."""
        buttons = self.get_buttons(request, obj) if obj is not None else []
        return super().render_change_form(request, {**context, "buttons": buttons}, *args, obj=obj, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """What the library allows, less every secret: a yes or no to a guess of its start would tell it."""
        return not names_secret(lookup) and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """The list; an address with a character that no column can hold is a bad request, not an error."""
        if any("\0" in value for _, values in request.GET.lists() for value in values):
            raise BadRequest("An address may not contain U+0000.")
        return super().get_changelist(request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing that may count as evidence is deleted, by anyone."""
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The audit records of one row; a row without a public id has Django's own history."""
        if not issubclass(self.model, PublicModel):
            return super().history_view(request, object_id, extra_context)
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect(f"{reverse('admin:ingest_auditrecord_changelist')}?object_id={row.public_id}")


class EvidenceAdmin(ConsoleAdmin):
    """A screen of rows that only the console itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never by hand."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Everything that the screen shows."""
        return flatten_fieldsets(self.get_fieldsets(request, obj)) if self.fields else ()


class EvidenceInline(TabularInline):
    """Rows of evidence below the row that they belong to."""

    extra = 0
    can_delete = False
    show_change_link = False
    hide_title = True
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False
