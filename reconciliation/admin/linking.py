"""Pages about the mirror: who may be whom, links by file, and what is wrong between our records and Odoo's."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminFileFieldWidget

from ingest import customers
from ingest.errors import DomainError
from ingest.models import Customer, Service
from ingest.screens.actions import person_of, say
from reconciliation import linking, mirror_findings
from reconciliation.mirror_findings import FindingKind

LINK = "ingest.change_customer"
PER_PAGE = 25
MOST_SHOWN = 200
MOST_BYTES = 2_000_000

# What each kind of finding is about: where the row can be corrected.
SUBJECTS: Mapping[FindingKind, tuple[str, str]] = {
    FindingKind.PARTNER: ("Linked partners", "admin:ingest_customer_change"),
    FindingKind.ORDER: ("Subscription orders", "admin:ingest_subscription_change"),
    FindingKind.PRICE: ("Recurring prices", "admin:ingest_subscription_change"),
}


class FileForm(forms.Form):
    """A table of links."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(),
        help_text="CSV with the columns service, external_customer_id and partner_id.",
    )

    def clean_file(self) -> str:
        """The text of the file: UTF-8, and not larger than a table of links is."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError("The file is larger than 2 MB.")
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise forms.ValidationError(f"Not UTF-8 at byte {error.start}: save the file as UTF-8.") from None


def show_links(request: HttpRequest, *, screen: Any) -> HttpResponse:
    """Customers without a partner, with those that each may be; a link is one click, and audited."""
    if request.method == "POST":
        return _link(request)
    rows = Customer.objects.filter(odoo_partner_id=None, deleted_at=None).select_related("service")
    code = request.GET.get("code", "")
    if code:
        rows = rows.filter(service__code=code)
    page = Paginator(rows.order_by("service__name", "name", "pk"), PER_PAGE).get_page(request.GET.get("p"))
    suggestions = linking.suggest(list(page.object_list))
    return _show(
        request,
        screen,
        "admin/links.html",
        title="Link customers",
        rows=[(row, suggestions[row.pk]) for row in page.object_list],
        page=page,
        code=code,
        services=Service.objects.order_by("name"),
        may_link=request.user.has_perm(LINK),
    )


def show_links_file(request: HttpRequest, *, screen: Any) -> HttpResponse:
    """Links by file: first what it would do row by row, then doing it."""
    if not request.user.has_perm(LINK):
        raise PermissionDenied
    if request.method == "POST" and "apply" in request.POST:
        if say(request, lambda: _apply(request)):
            return HttpResponseRedirect(reverse("admin:reconciliation_odoopartner_links"))
        return HttpResponseRedirect(reverse("admin:reconciliation_odoopartner_links_file"))
    form = FileForm(request.POST or None, request.FILES or None)
    preview: dict[str, Any] = {}
    if form.is_valid():
        try:
            preview = _preview(form.cleaned_data["file"])
        except DomainError as error:
            form.add_error("file", error.message)
    return _show(
        request, screen, "admin/links_file.html", title="Link customers by file", form=form, **preview
    )


def show_findings(request: HttpRequest, *, screen: Any) -> HttpResponse:
    """What is wrong between our records and Odoo's."""
    found = mirror_findings.read_findings()
    groups = [
        (
            title,
            [
                (finding, reverse(view, args=[finding.subject_id]))
                for finding in found
                if finding.kind == kind
            ],
        )
        for kind, (title, view) in SUBJECTS.items()
    ]
    return _show(
        request,
        screen,
        "admin/mirror_findings.html",
        title="Findings",
        groups=groups,
        most=mirror_findings.MOST,
    )


def _link(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(LINK):
        raise PermissionDenied
    say(request, lambda: _link_one(request))
    return HttpResponseRedirect(request.get_full_path())


def _link_one(request: HttpRequest) -> str:
    customer_id, partner_id = (_number(request.POST.get(name, "")) for name in ("customer", "partner"))
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise DomainError("unknown_customer", "There is no such customer.")
    customers.link(customer=customer, odoo_partner_id=partner_id, actor=person_of(request))
    return f"{customer} is linked to Odoo partner {partner_id}."


def _number(text: str) -> int:
    """A number that was posted; what is none is 0, which nothing has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _preview(text: str) -> dict[str, Any]:
    rows = linking.preview_links(text)
    refused = [row for row in rows if row.refusal]
    changes = [row for row in rows if row.is_change]
    return {
        "text": text,
        "refused": refused[:MOST_SHOWN],
        "changes": changes[:MOST_SHOWN],
        "counts": {
            "rows": len(rows),
            "changes": len(changes),
            "unchanged": len(rows) - len(changes) - len(refused),
            "refused": len(refused),
        },
    }


def _apply(request: HttpRequest) -> str:
    changed, refused = linking.apply_links(text=request.POST.get("text", ""), actor=person_of(request))
    left = f" {len(refused)} rows were refused and changed nothing." if refused else ""
    return f"{changed} customers were linked.{left}"


def _show(request: HttpRequest, screen: Any, template: str, **context: Any) -> TemplateResponse:
    page = {
        **screen.admin_site.each_context(request),
        "content_title": context["title"],
        "media": screen.media,
        **context,
    }
    return TemplateResponse(request, template, page)
