"""A page with one form and one button, for a decision that needs more than a click."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest
from django.template.response import TemplateResponse


def show_form(
    request: HttpRequest,
    *,
    screen: Any,
    form: Form,
    title: str,
    submit: str,
    explanation: str = "",
    context: Mapping[str, Any] | None = None,
) -> TemplateResponse:
    """The page of a form: what it does, its fields, the button `submit`."""
    page = {
        **screen.admin_site.each_context(request),
        "opts": screen.opts,
        "title": title,
        "form": form,
        "submit": submit,
        "explanation": explanation,
        "media": screen.media + form.media,
        **(context or {}),
    }
    return TemplateResponse(request, "admin/decision.html", page)


def show_once(
    request: HttpRequest, *, screen: Any, row: Model, secret: str, title: str, explanation: str
) -> TemplateResponse:
    """The only page that ever shows a secret; browsers are told not to keep it."""
    page = {
        **screen.admin_site.each_context(request),
        "opts": screen.opts,
        "title": title,
        "row": row,
        "secret": secret,
        "explanation": explanation,
        "address": screen.get_page_address(row),
    }
    return TemplateResponse(request, "admin/shown_once.html", page, headers={"Cache-Control": "no-store"})
