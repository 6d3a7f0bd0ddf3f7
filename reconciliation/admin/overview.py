"""The overview: the admin's first page, about one period of one service or of all."""

from typing import Any

from django.http import HttpRequest

from ingest.models import Phase
from ingest.screens.actions import person_of
from reconciliation.admin.links import (
    condition_address,
    list_address,
    overview_address,
    queue_address,
    row_address,
)
from reconciliation.admin.looks import PHASE
from reconciliation.figures import cutover, freshness, overview
from reconciliation.figures.selection import Selection, select
from reconciliation.models import Alarm

FIRST_STEPS = (
    ("Mirror Odoo", "manage.py sync_odoo, or a run by an operator", "reconciliation_odoopartner"),
    ("Give the service an API key and let it post usage", "an operator issues keys", "ingest_apikey"),
    ("Link its customers to Odoo's partners", "finance, on the customer's page", "ingest_customer"),
    (
        "Import what the service billed",
        "upload a file, or manage.py import_amounts",
        "reconciliation_billedfile",
    ),
    ("Start the dual run and reconcile", "an operator, on the service's page", "ingest_service"),
)


def add_overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds the figures to the admin's first page, for who may see them."""
    context["title"] = "Overview"
    if not request.user.has_perm("reconciliation.view_reconciliation"):
        return context
    service, period = (request.GET.get(name, "").replace("\0", "") for name in ("service", "period"))
    chosen = select(service_code=service, period_label=period)
    context |= {
        "selection": chosen,
        "selectors": _show_selectors(chosen),
        "alarms": Alarm.objects.filter(cleared_at=None).select_related("service")[:20],
        "sources": freshness.read_freshness(),
        "board": [_show_card(card) for card in cutover.read_board()],
        "has_figures": overview.has_rows(),
    }
    context["mine"] = overview.count_mine(chosen, person_of(request))
    return context | (_read_figures(chosen) if context["has_figures"] else {"steps": _list_first_steps()})


def _list_first_steps() -> list[dict[str, Any]]:
    return [
        {
            "title": title,
            "how": how,
            "address": list_address(model),
            "is_done": is_done,
        }
        for (title, how, model), is_done in zip(FIRST_STEPS, overview.read_first_steps(), strict=True)
    ]


def _read_figures(chosen: Selection) -> dict[str, Any]:
    here = {"service": chosen.service.code if chosen.service else "", "period": chosen.period}
    summary = overview.read_summary(chosen)
    return {
        "summary": summary,
        "links": _link_summary(here),
        "currencies": [(row, _link_currency(here, row.currency)) for row in summary.currencies],
        "outcomes": [
            (outcome.label, count, queue_address(**here, view="all", outcome=outcome))
            for outcome, count in summary.not_compared
        ],
        "heat_map": [_show_line(service, cells) for service, cells in overview.read_heat_map(chosen)],
        "waterfalls": [_show_waterfall(here, picture) for picture in overview.read_waterfalls(chosen)],
        "largest": [
            (row, row_address(row, **here), overview.label_cause(row.cause))
            for row in overview.read_largest(chosen)
        ],
        "ages": [
            (age, queue_address(service=here["service"], view="triage", age=age.name))
            for age in overview.read_ages(chosen)
        ],
    }


def _show_selectors(chosen: Selection) -> dict[str, Any]:
    code = chosen.service.code if chosen.service else ""
    labels = dict.fromkeys((*reversed(chosen.periods), chosen.period))
    services = [("", "All services"), *((service.code, service.name) for service in chosen.services)]
    return {
        "services": [(value, name, value == code) for value, name in services],
        "periods": [(label, label == chosen.period) for label in labels],
    }


def _link_summary(here: dict[str, str]) -> dict[str, str]:
    return {
        "rows": queue_address(**here, view="all"),
        "matched": queue_address(**here, view="tolerance", zero="shown"),
        "open": queue_address(**here, view="triage"),
        "mine": queue_address(**here, view="mine"),
        "reopened": queue_address(**here, view="reopened"),
        "resolved": queue_address(**here, view="resolved"),
    }


def _link_currency(here: dict[str, str], currency: str) -> dict[str, str]:
    return {
        "over": queue_address(**here, view="all", currency=currency, direction="over"),
        "under": queue_address(**here, view="all", currency=currency, direction="under"),
    }


def _show_line(service: Any, cells: list[overview.Cell | None]) -> dict[str, Any]:
    shown = [
        (cell, cell and queue_address(service=service.code, period=cell.period, view="all")) for cell in cells
    ]
    return {"service": service, "cells": shown, "address": overview_address(service=service.code)}


def _show_waterfall(here: dict[str, str], picture: Any) -> dict[str, Any]:
    bars = [
        (
            bar,
            queue_address(**here, view="all", currency=picture.currency, cause=bar.code) if bar.code else "",
        )
        for bar in picture.bars
    ]
    return {"currency": picture.currency, "bars": bars, "is_cut": picture.is_cut}


def _show_card(card: cutover.Card) -> dict[str, Any]:
    unmet = [(condition, condition_address(card.service, condition)) for condition in card.unmet]
    return {"card": card, "unmet": unmet, "look": PHASE[Phase(card.service.phase)]}
