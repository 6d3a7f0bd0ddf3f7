"""Decisions that show what they would do first: the form, what would change, and then the decision on just that."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from ingest.errors import DomainError
from ingest.screens.actions import person_of
from ingest.screens.base import EvidenceAdmin
from ingest.screens.forms import show_form


@dataclass(frozen=True, slots=True)
class Shown:
    """What a decision would change, as a table, and the digest of the figures that are shown."""

    digest: str
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = field(default_factory=tuple)
    summary: str = ""


class PreviewedAdmin(EvidenceAdmin):
    """A screen of decisions: each is made on a preview, and refused when that is out of date."""

    add_permission = ""
    form_title = submit_title = preview_title = explanation = ""

    def make_form(self, request: HttpRequest) -> forms.Form:
        """The form, with what is so now where it is only looked at."""
        raise NotImplementedError

    def preview(self, data: dict[str, Any]) -> Shown:
        """What the decision would do; nothing is written."""
        raise NotImplementedError

    def decide(self, data: dict[str, Any], digest: str, actor: Any) -> Model:
        """Makes it, on the figures of that digest."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may decide."""
        return request.user.has_perm(self.add_permission)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; once it is filled in, what it would change; and when that was seen, the decision."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, shown = self.make_form(request), None
        if form.is_bound and form.is_valid():
            try:
                shown = self.preview(form.cleaned_data)
                if request.POST.get("seen") == shown.digest:
                    row = self.decide(form.cleaned_data, shown.digest, person_of(request))
                    return HttpResponseRedirect(self.get_page_address(row))
            except DomainError as error:
                form.add_error(None, error.message)
        return show_form(
            request,
            screen=self,
            form=form,
            title=self.form_title,
            submit=self.submit_title if shown else self.preview_title,
            explanation=self.explanation,
            context={"shown": shown, "hidden": [("seen", shown.digest)] if shown else []},
        )
