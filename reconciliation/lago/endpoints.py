"""Webhook endpoints from Lago: where a service listens goes on, the key that signs is another."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ingest.inputs.fields import check_input
from ingest.models import LagoKind
from ingest.models.public import PublicModel
from reconciliation.connectors.lago.records import LagoRecord
from reconciliation.endpoint_input import WebhookEndpointInput, to_columns
from reconciliation.lago.answers import ENDPOINT, pick
from reconciliation.lago.taking import RULE, Errand, Taken
from reconciliation.models import SignatureAlgorithm, WebhookEndpoint
from reconciliation.webhooks import change_endpoint, create_endpoint, find_endpoints

Values = Mapping[str, Any]
# What Lago signs with where nothing is said, and what is told of where nothing is.
USUAL: Values = {"algorithm": SignatureAlgorithm.JWT.value, "name": "", "event_types": None}
NEW_KEY = "its HMAC key is new: “New key” on its page in the admin shows one, for the service to verify with"


class Endpoints:
    """Webhook endpoints."""

    kind = LagoKind.WEBHOOK_ENDPOINT

    def name(self, values: Values) -> str:
        return str(values.get("webhook_url", "")).rpartition("@")[2]

    def pick(self, values: Values) -> dict[str, Any]:
        return pick(values, ENDPOINT)

    def find(self, errand: Errand, public_id: UUID) -> tuple[PublicModel | None, bool]:
        row = WebhookEndpoint.objects.filter(service=errand.service, public_id=public_id).first()
        return row, row is not None and row.deleted_at is None

    def find_twin(self, errand: Errand, said: Values) -> PublicModel | None:
        url = said.get("webhook_url")
        return find_endpoints(errand.service.pk).filter(url=url).first() if isinstance(url, str) else None

    def is_due(self, errand: Errand, row: PublicModel) -> bool:
        return False

    def check_new(self, errand: Errand, record: LagoRecord, said: Values) -> None:
        return None

    def take(self, errand: Errand, said: Values, row: PublicModel | None) -> Taken:
        values = {**USUAL, **to_columns(check_input(WebhookEndpointInput(data=said)))}
        if isinstance(row, WebhookEndpoint):
            endpoint, key = change_endpoint(endpoint=row, values=values, rule=RULE)
        else:
            endpoint, key = create_endpoint(service=errand.service, actor=None, rule=RULE, **values)
        return Taken(endpoint, NEW_KEY if key else "")
