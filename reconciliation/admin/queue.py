"""The queue: reconciliations as a list to work down, the most money first."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.sections import BaseSection
from unfold.views import ChangeList

from ingest.screens.actions import person_of
from ingest.screens.base import EvidenceAdmin
from ingest.screens.columns import amount_column, state_column
from ingest.screens.formatting import NOTHING, format_share, show_amount, show_figure
from reconciliation.admin.looks import OUTCOME, STATUS
from reconciliation.admin.queue_filters import QUEUE_FILTERS, ViewFilter
from reconciliation.figures.overview import label_cause
from reconciliation.figures.queue import AT_STAKE, age_of, count_views, share_of, views_of, with_stake
from reconciliation.models import Outcome, Reconciliation, Status


class LinesSection(BaseSection):
    """The lines of a row, read when the row is opened."""

    def render(self) -> str:
        """What asks for the lines once it becomes visible."""
        address = reverse("admin:reconciliation_reconciliation_lines", args=[self.instance.pk])
        return render_to_string("admin/reconciliation/reconciliation/lines_later.html", {"address": address})


class Listed(ChangeList):
    """The rows of an address; its filters are read once, although the tabs count by them again."""

    def get_filters(self, request: HttpRequest) -> Any:
        """The filters, as the library reads them."""
        if not hasattr(self, "_read"):
            self._read = super().get_filters(request)
        return self._read


class QueueScreen(EvidenceAdmin):
    """The list of reconciliations: views as tabs, filters, columns."""

    when_empty = "Every row of this view is decided. The tab All shows them."
    list_before_template = "admin/reconciliation/reconciliation/views.html"
    list_display = (
        "whose",
        "period",
        "external",
        "odoo",
        "shown_delta",
        "shown_outcome",
        "shown_cause",
        "shown_status",
        "owner",
        "age",
    )
    list_filter = QUEUE_FILTERS
    list_select_related = ("customer", "service", "owner", "resolved_by")
    list_sections = (LinesSection,)
    ordering = (AT_STAKE.desc(), "-pk")
    search_fields = ("customer__name", "customer__external_id")
    search_help_text = "Customer's name or external id"

    external = amount_column("external_amount", title="external")
    odoo = amount_column("odoo_amount", title="Odoo")
    shown_outcome = state_column("outcome", OUTCOME, title="outcome")
    shown_status = state_column("status", STATUS, title="status")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The queue's own list, once the address is one that any list takes."""
        super().get_changelist(request, **kwargs)
        return Listed

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        """Rows with the money at stake in each; the list itself puts them in order."""
        return with_stake(Reconciliation.objects.all())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with its tabs."""
        response = super().changelist_view(request, extra_context)
        # A redirect, and the question of a bulk action, have no list to count.
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            context["tabs"] = _show_tabs(request, context["cl"])
        return response

    @admin.display(description="customer, service", ordering="customer__name")
    def whose(self, row: Reconciliation) -> SafeString:
        """Whose bill it is, and of which service."""
        return format_html('<span class="two">{} <small>{}</small></span>', row.customer, row.service)

    @admin.display(description="period", ordering="period_start")
    def period(self, row: Reconciliation) -> SafeString:
        """For which period, and in which currency every amount of the row is."""
        return format_html('<span class="two">{} <small>{}</small></span>', row.period_label, row.currency)

    @admin.display(description="delta", ordering="at_stake")
    def shown_delta(self, row: Reconciliation) -> SafeString:
        """The delta, its share of what was billed, and a bar as long as that share."""
        if row.delta is None:
            return show_figure(NOTHING)
        share = share_of(row)
        width = min(abs(share) * 100, Decimal(100)) if share is not None else Decimal(100)
        return format_html(
            '<span class="delta {}">{} <small>{}</small><i style="width: {}%"></i></span>',
            "delta-over" if row.delta > 0 else "delta-under",
            show_amount(row.delta, row.currency, is_signed=True),
            format_share(share),
            f"{width if row.delta else Decimal(0):.0f}",
        )

    @admin.display(description="cause", ordering="cause")
    def shown_cause(self, row: Reconciliation) -> SafeString | str:
        """What the machine suggests, in grey, or the reason that a person gave."""
        if row.status == Status.RESOLVED:
            return format_html('<span class="confirmed" title="{0}">{0}</span>', row.reason)
        if not row.cause or row.outcome != Outcome.COMPARED:
            return NOTHING
        label = label_cause(row.cause)
        return format_html('<span class="suggested" title="Suggested: {0}">{0}</span>', label)

    @admin.display(description="age")
    def age(self, row: Reconciliation) -> str:
        """For how many days it has waited."""
        days = age_of(row)
        return NOTHING if days is None else f"{days} d"


def _show_tabs(request: HttpRequest, listed: Listed) -> list[dict[str, Any]]:
    """The tabs; each counts what it would show: under the same filters and search, but for the view."""
    rows = listed.get_queryset(request, exclude_parameters=[ViewFilter.parameter_name])
    counts = count_views(rows, person_of(request))
    views = views_of(person_of(request))
    chosen = request.GET.get(ViewFilter.parameter_name, "")
    names = [view.name for view in views]
    chosen = chosen if chosen in names else names[0]
    kept = request.GET.copy()
    for name in (ViewFilter.parameter_name, "p", "o"):
        kept.pop(name, None)
    tabs = []
    for view in views:
        kept[ViewFilter.parameter_name] = view.name
        tabs.append(
            {
                "title": view.title,
                "count": counts[view.name],
                "address": f"?{kept.urlencode()}",
                "is_active": view.name == chosen,
            }
        )
    return tabs
