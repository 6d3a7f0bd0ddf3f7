"""The Odoo product that a plan or a charge bills as: what has none is billed by nobody in Odoo."""

from django.contrib.auth.models import User
from django.db import transaction

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Charge, Plan

PERMISSION = "ingest.map_product"


@transaction.atomic
def set_product(*, sold: Plan | Charge, odoo_product_id: int | None, actor: User) -> bool:
    """Sets the Odoo product of a plan or a charge, or none, audited; returns whether that changed anything.

    What was pushed already keeps its product; what is pushed from now on has this one. Refuses who may not
    (`permission_denied`) and an id that Odoo cannot have (`invalid_product`). Several may share one product.
    """
    require_permission(actor, PERMISSION)
    if odoo_product_id is not None and odoo_product_id < 1:
        raise DomainError("invalid_product", "An Odoo product id is a whole number from 1 on.")
    row = (
        type(sold)._default_manager.select_for_update(of=("self",)).select_related("service").get(pk=sold.pk)
    )
    before = row.odoo_product_id
    if before == odoo_product_id:
        return False
    row.odoo_product_id = odoo_product_id
    row.save(update_fields=["odoo_product_id"])
    audit.record(
        actor=actor,
        action=f"{row._meta.model_name}.map",
        target=row,
        service=row.service,
        before={"odoo_product_id": before},
        after={"odoo_product_id": odoo_product_id},
    )
    return True
