"""Customers whom the console does not know and somebody billed: kept unlinked, so that what was billed shows."""

from collections.abc import Mapping

from ingest import audit
from ingest.models import Customer, Service


def add_customers(service: Service, names: Mapping[str, str], *, rule: str) -> dict[str, Customer]:
    """The customers of those ids, created where nobody else did so meanwhile; the admin waits for no lock."""
    made = Customer.objects.bulk_create(
        (
            Customer(service=service, external_id=external_id, name=name)
            for external_id, name in names.items()
        ),
        ignore_conflicts=True,
    )
    ids = {customer.public_id for customer in made}
    found = service.customers.filter(external_id__in=names).select_related("service")
    rows = {customer.external_id: customer for customer in found}
    audit.record_all(
        audit.Decision(
            actor=None,
            action="customer.create",
            target=customer,
            service=service,
            after={"external_id": customer.external_id},
            rule=rule,
        )
        for customer in rows.values()
        if customer.public_id in ids
    )
    return rows
