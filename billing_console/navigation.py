"""The admin's frame: its title, its sidebar, its colours."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse


class Entry(NamedTuple):
    """One line of the sidebar: a model's list or another page about it, for whoever may see that model."""

    title: str
    icon: str
    model: str
    badge: str = ""
    page: str = "changelist"


# Each badge names a count in `reconciliation.figures.badges`.
SIDEBAR: dict[str, tuple[Entry, ...]] = {
    "Finance": (
        Entry("Reconciliations", "balance", "reconciliation.reconciliation", "count_to_triage"),
        Entry("Amounts", "receipt_long", "reconciliation.amount"),
        Entry("Source documents", "draft", "reconciliation.sourcedocument"),
        Entry("Unattributed lines", "help_center", "reconciliation.unattributedline", "count_unattributed"),
        Entry("Billing sources", "source", "reconciliation.billingsource"),
        Entry("Files", "upload_file", "reconciliation.billedfile"),
        Entry("File mappings", "table", "reconciliation.filemapping"),
        Entry("Customers", "groups", "ingest.customer"),
    ),
    "Cutover": (
        Entry("Services", "apps", "ingest.service"),
        Entry("Cutover requests", "swap_horiz", "reconciliation.cutoverrequest", "count_waiting"),
        Entry("Tolerances", "tune", "reconciliation.tolerance"),
        Entry("Audit", "history", "ingest.auditrecord"),
    ),
    "Catalogue and usage": (
        Entry("Plans", "sell", "ingest.plan"),
        Entry("Charges", "price_change", "ingest.charge"),
        Entry("Price check", "calculate", "ingest.charge", page="price_check"),
        Entry("Metrics", "speed", "ingest.metric"),
        Entry("Subscriptions", "autorenew", "ingest.subscription"),
        Entry("Events", "bolt", "ingest.usageevent"),
        Entry("Verdicts", "fact_check", "ingest.usageevent", page="verdicts"),
        Entry("Possible duplicates", "content_copy", "ingest.usageevent", page="possible_duplicates"),
        Entry("Usage", "monitoring", "ingest.usage"),
        Entry("Fees", "payments", "ingest.fee"),
    ),
    "Operations": (
        Entry("Runs", "play_circle", "reconciliation.run"),
        Entry("Lago", "lan", "reconciliation.lagoconnection"),
        Entry("Pushes", "upload", "reconciliation.push"),
        Entry("Preview a push", "preview", "reconciliation.push", page="preview"),
        Entry("Alarms", "notifications_active", "reconciliation.alarm", "count_alarms"),
        Entry("Odoo connections", "cable", "reconciliation.odooconnection"),
        Entry("Connection checks", "network_check", "reconciliation.connectioncheck"),
        Entry("API keys", "key", "ingest.apikey"),
        Entry("Webhook endpoints", "webhook", "reconciliation.webhookendpoint"),
        Entry("Deliveries", "outbox", "reconciliation.delivery"),
    ),
    "Stripe": (
        Entry("Objects", "credit_card", "reconciliation.striperecord", "count_stripe"),
        Entry("Claim rules", "rule", "reconciliation.claimrules"),
        Entry("Stripe events", "notifications", "reconciliation.stripeevent"),
        Entry("Reading", "cloud_download", "reconciliation.stripecursor"),
        Entry("Stripe connection", "lan", "reconciliation.stripecheck"),
        Entry("Odoo's payments", "payments", "reconciliation.odootransaction"),
        Entry("Odoo's cards", "credit_score", "reconciliation.odootoken"),
    ),
    "Odoo mirror": (
        Entry("Link customers", "link", "reconciliation.odoopartner", page="links"),
        Entry("Findings", "troubleshoot", "reconciliation.odoopartner", page="findings"),
        Entry("Partners", "contacts", "reconciliation.odoopartner"),
        Entry("Products", "inventory_2", "reconciliation.odooproduct"),
        Entry("Taxes", "percent", "reconciliation.odootax"),
        Entry("Fiscal positions", "map", "reconciliation.odoofiscalposition"),
        Entry("Pricelists", "request_quote", "reconciliation.odoopricelist"),
        Entry("Recurring plans", "event_repeat", "reconciliation.odooplan"),
        Entry("Orders", "description", "reconciliation.odooorder"),
        Entry("Order lines", "format_list_bulleted", "reconciliation.odooorderline"),
        Entry("Invoices", "receipt", "reconciliation.odooinvoice"),
        Entry("Invoice lines", "list_alt", "reconciliation.odooinvoiceline"),
        Entry("Past taxes", "history_toggle_off", "reconciliation.odootaxpast"),
        Entry("Progress", "sync", "reconciliation.mirrorcursor"),
    ),
    "People": (
        Entry("Users", "person", "auth.user"),
        Entry("Groups", "shield_person", "auth.group"),
    ),
}


def build_sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar with what the person may see; a count that is zero has no badge."""
    overview = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [
        {"title": title, "items": [_show(entry, request) for entry in entries if _may_see(entry, request)]}
        for title, entries in SIDEBAR.items()
    ]
    _light_one([item for group in groups for item in group["items"]], request.path)
    return [{"title": "", "items": [overview]}, *(group for group in groups if group["items"])]


def _light_one(items: list[dict[str, Any]], path: str) -> None:
    """Lights the entry whose address reaches furthest into the path: a page beside a list is not that list."""
    here = max((item["link"] for item in items if path.startswith(item["link"])), key=len, default="")
    for item in items:
        item["active"] = item["link"] == here


def _may_see(entry: Entry, request: HttpRequest) -> bool:
    app, model = entry.model.split(".")
    return request.user.has_perm(f"{app}.view_{model}")


def _show(entry: Entry, request: HttpRequest) -> dict[str, Any]:
    from reconciliation.figures import badges

    count: Callable[[], str] | None = getattr(badges, entry.badge, None)
    badge = count() if count else ""
    link = reverse(f"admin:{entry.model.replace('.', '_')}_{entry.page}")
    item = {"title": entry.title, "icon": entry.icon, "link": link}
    return item | ({"badge": badge, "badge_variant": "primary"} if badge else {})


def label_environment(request: HttpRequest) -> list[str]:
    """The label beside the title: which environment this is, and whether Odoo is only the demo's stand-in."""
    from django.conf import settings

    from billing_console.runtime import standin

    if settings.IS_PRODUCTION:
        return ["Production", "danger"]
    is_standin = standin.get_url(settings.DATA_DIR) == settings.ODOO_URL
    return ["Demo · Odoo stand-in" if is_standin else "Demo", "warning"]


def link_style(request: HttpRequest) -> str:
    """The console's own style sheet."""
    return static("console.css")


def link_script(request: HttpRequest) -> str:
    """The console's own script: it only follows a run's progress."""
    return static("console.js")


def link_icon(request: HttpRequest) -> str:
    """The console's own icon, for the browser's tab."""
    return static("favicon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Billing Console",
    "SITE_HEADER": "Billing Console",
    "SITE_SUBHEADER": "Nexa Systems",
    "SITE_SYMBOL": "balance",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "sizes": "any", "href": link_icon}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "billing_console.navigation.label_environment",
    "DASHBOARD_CALLBACK": "reconciliation.admin.overview.add_overview",
    "STYLES": [link_style],
    "SCRIPTS": [link_script],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "239 246 255",
            "100": "219 234 254",
            "200": "191 219 254",
            "300": "147 197 253",
            "400": "96 165 250",
            "500": "59 130 246",
            "600": "37 99 235",
            "700": "29 78 216",
            "800": "30 64 175",
            "900": "30 58 138",
            "950": "23 37 84",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "billing_console.navigation.build_sidebar",
    },
}
