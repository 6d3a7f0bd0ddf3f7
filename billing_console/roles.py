"""The four roles and what each may do: one table, kept in step with the groups after each migrate."""

from typing import Any

# Every role may look at everything; what follows is what it may do beyond that.
# "app.codename"; the admin asks for these, and the functions behind it ask again.
ROLES: dict[str, tuple[str, ...]] = {
    "finance": (
        "reconciliation.triage_reconciliation",
        "reconciliation.push_reconciliation",
        "reconciliation.request_cutover",
        "reconciliation.attribute_line",
        "reconciliation.add_billingsource",
        "reconciliation.add_claimrules",
        "reconciliation.import_billedfile",
        "ingest.change_customer",
        "ingest.map_product",
    ),
    "manager": ("reconciliation.approve_cutover",),
    "operator": (
        "reconciliation.operate_run",
        "reconciliation.retry_push",
        "reconciliation.retry_delivery",
        "reconciliation.add_odooconnection",
        "reconciliation.change_odooconnection",
        "reconciliation.retry_stripeevent",
        "reconciliation.import_billedfile",
        "reconciliation.add_filemapping",
        "reconciliation.change_filemapping",
        "reconciliation.add_lagoconnection",
        "reconciliation.change_lagoconnection",
        "reconciliation.add_webhookendpoint",
        "reconciliation.change_webhookendpoint",
        "ingest.add_apikey",
        "ingest.change_apikey",
        "ingest.change_service",
    ),
    "auditor": (),
}
VIEWED_APPS = ("ingest", "reconciliation")


def synchronise_groups(**kwargs: Any) -> None:
    """Makes the groups hold exactly the permissions of the table; a migration could not, it sees none yet."""
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    using = kwargs.get("using", "default")
    for app in VIEWED_APPS:
        # This may be called before Django has made them for the last app.
        create_permissions(apps.get_app_config(app), verbosity=0, using=using)
    permissions = Permission.objects.using(using).select_related("content_type")
    by_name = {f"{row.content_type.app_label}.{row.codename}": row for row in permissions}
    viewing = [
        row
        for name, row in by_name.items()
        if row.content_type.app_label in VIEWED_APPS and row.codename.startswith("view_")
    ]
    for role, names in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set(viewing + [by_name[name] for name in names])
