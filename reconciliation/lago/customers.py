"""Customers from Lago: the account links, with the time zone that they are billed in."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ingest.customers import upsert_customer
from ingest.inputs.customers import CustomerInput, to_columns
from ingest.inputs.fields import TextField, check_input
from ingest.models import Customer, LagoKind
from ingest.models.public import PublicModel
from reconciliation.connectors.lago.records import LagoRecord
from reconciliation.lago.answers import pick_customer
from reconciliation.lago.taking import RULE, Errand, Taken

Values = Mapping[str, Any]
# What an empty text takes back; the currency is not taken back by anything.
TEXTS = tuple(
    name
    for name, field in CustomerInput().fields.items()
    if isinstance(field, TextField) and field.allow_blank
)


class Customers:
    """Customers."""

    kind = LagoKind.CUSTOMER

    def name(self, values: Values) -> str:
        return str(values.get("external_id", ""))

    def pick(self, values: Values) -> dict[str, Any]:
        return pick_customer(values)

    def find(self, errand: Errand, public_id: UUID) -> tuple[PublicModel | None, bool]:
        row = Customer.objects.filter(service=errand.service, public_id=public_id).first()
        return row, row is not None and row.deleted_at is None

    def find_twin(self, errand: Errand, said: Values) -> PublicModel | None:
        external_id = said.get("external_id")
        if not isinstance(external_id, str):
            return None
        return Customer.objects.filter(service=errand.service, external_id=external_id).first()

    def is_due(self, errand: Errand, row: PublicModel) -> bool:
        return False

    def check_new(self, errand: Errand, record: LagoRecord, said: Values) -> None:
        return None

    def take(self, errand: Errand, said: Values, row: PublicModel | None) -> Taken:
        asked = {**_take_back(row, said), **said} if isinstance(row, Customer) else {**said}
        if asked.get("timezone") == errand.service.timezone:
            # The service's own, which it has without saying so.
            asked["timezone"] = ""
        values = check_input(CustomerInput(data=asked))
        customer = upsert_customer(service_id=errand.service.pk, values=to_columns(values), rule=RULE)
        return Taken(customer)


def _take_back(row: Customer, said: Values) -> dict[str, str]:
    """Empty texts for what the customer has here and Lago has no more."""
    present = {**row.profile, "name": row.name, "email": row.email, "timezone": row.timezone}
    return {name: "" for name in TEXTS if present.get(name) and name not in said}
