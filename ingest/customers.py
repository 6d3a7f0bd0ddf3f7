"""The account link: which Odoo partner a service's customer is."""

from django.contrib.auth.models import User
from django.db import transaction

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Customer


@transaction.atomic
def link(*, customer: Customer, odoo_partner_id: int | None, actor: User) -> bool:
    """Links a customer to an Odoo partner, or to none, audited; returns whether that changed anything.

    Refuses who may not change customers (`permission_denied`) and an id that Odoo cannot have
    (`invalid_partner`). Several customers may share one partner.
    """
    require_permission(actor, "ingest.change_customer")
    if odoo_partner_id is not None and odoo_partner_id < 1:
        raise DomainError("invalid_partner", "An Odoo partner id is a whole number from 1 on.")
    row = Customer.objects.select_for_update(of=("self",)).select_related("service").get(pk=customer.pk)
    before = row.odoo_partner_id
    if before == odoo_partner_id:
        return False
    row.odoo_partner_id = odoo_partner_id
    row.save(update_fields=["odoo_partner_id"])
    audit.record(
        actor=actor,
        action="customer.link",
        target=row,
        service=row.service,
        before={"odoo_partner_id": before},
        after={"odoo_partner_id": odoo_partner_id},
    )
    return True
