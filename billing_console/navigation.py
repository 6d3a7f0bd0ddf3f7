"""The admin's frame: its title, its sidebar, its colours."""

from typing import Any

from django.urls import reverse_lazy


def label_environment(request: Any) -> list[str]:
    """The label beside the title: which environment this is, and whether Odoo is only the demo's stand-in."""
    from django.conf import settings

    if settings.IS_PRODUCTION:
        return ["Production", "danger"]
    return ["Demo", "warning"]


def _item(title: str, icon: str, address: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{address}")}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Billing Console",
    "SITE_HEADER": "Billing Console",
    "SITE_SUBHEADER": "Nexa Systems",
    "SITE_SYMBOL": "balance",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "billing_console.navigation.label_environment",
    "DASHBOARD_CALLBACK": "reconciliation.admin.overview.add_overview",
    "STYLES": [lambda request: _static("console.css")],
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
        "navigation": [
            {
                "title": "Finance",
                "items": [
                    _item("Overview", "dashboard", "index"),
                    _item("Reconciliations", "balance", "reconciliation_reconciliation_changelist"),
                    _item("Amounts", "receipt_long", "reconciliation_amount_changelist"),
                    _item("Customers", "groups", "ingest_customer_changelist"),
                ],
            },
            {
                "title": "Cutover",
                "items": [
                    _item("Services", "apps", "ingest_service_changelist"),
                    _item("Cutover requests", "swap_horiz", "reconciliation_cutoverrequest_changelist"),
                    _item("Audit", "history", "ingest_auditrecord_changelist"),
                ],
            },
            {
                "title": "Catalogue and usage",
                "items": [
                    _item("Plans", "sell", "ingest_plan_changelist"),
                    _item("Metrics", "speed", "ingest_metric_changelist"),
                    _item("Subscriptions", "autorenew", "ingest_subscription_changelist"),
                    _item("Events", "bolt", "ingest_usageevent_changelist"),
                    _item("Usage", "monitoring", "ingest_usage_changelist"),
                    _item("Fees", "payments", "ingest_fee_changelist"),
                ],
            },
            {
                "title": "Operations",
                "items": [
                    _item("Runs", "play_circle", "reconciliation_run_changelist"),
                    _item("Pushes", "upload", "reconciliation_push_changelist"),
                    _item("Alarms", "notifications_active", "reconciliation_alarm_changelist"),
                    _item("API keys", "key", "ingest_apikey_changelist"),
                    _item("Webhook endpoints", "webhook", "reconciliation_webhookendpoint_changelist"),
                    _item("Deliveries", "outbox", "reconciliation_delivery_changelist"),
                    _item("Odoo partners", "contacts", "reconciliation_odoopartner_changelist"),
                    _item("Odoo orders", "description", "reconciliation_odooorder_changelist"),
                ],
            },
            {
                "title": "People",
                "items": [
                    {
                        **_item("Users", "person", "auth_user_changelist"),
                        "permission": lambda request: request.user.has_perm("auth.view_user"),
                    },
                ],
            },
        ],
    },
}


def _static(path: str) -> str:
    from django.templatetags.static import static

    return static(path)
