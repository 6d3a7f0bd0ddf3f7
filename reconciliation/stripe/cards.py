"""The check of cards: whether Odoo could charge each customer that it is going to bill, and what it lacks where not.

Odoo charges a card only through a `payment.token` that holds the customer's `cus_…` and the payment method. Only an
administrator of Odoo can create one: the console tells which.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.calendar import running_subscriptions
from ingest.models import Customer, Service
from reconciliation.connectors.stripe.lines import id_of, members
from reconciliation.connectors.stripe.records import Kind
from reconciliation.models import OdooToken, StripeRecord


@dataclass(frozen=True, slots=True)
class MissingCard:
    """A customer that Odoo could not charge: why, and what its token has to hold."""

    customer: Customer
    payment_method: str
    reason: str


def find_missing_cards(*, service: Service, now: datetime) -> list[MissingCard]:
    """The service's customers with a running subscription whose card Odoo does not hold, in order of their names.

    A card that Stripe does not name as the default cannot be told: then any active token of the customer will do.
    """
    running = running_subscriptions(service, now).values("customer")
    customers = list(Customer.objects.filter(service=service, pk__in=running).order_by("name", "pk"))
    partners = {each.odoo_partner_id for each in customers if each.odoo_partner_id}
    tokens: dict[int, list[OdooToken]] = defaultdict(list)
    for token in OdooToken.objects.filter(partner_id__in=partners, is_active=True):
        tokens[token.partner_id].append(token)
    defaults = _read_defaults([each.stripe_customer_id for each in customers])
    missing = []
    for customer in customers:
        reason = _find_reason(customer, tokens.get(customer.odoo_partner_id or 0, ()), defaults)
        if reason:
            method = defaults.get(customer.stripe_customer_id, "")
            missing.append(MissingCard(customer, method, reason))
    return missing


def _find_reason(customer: Customer, tokens: Sequence[OdooToken], defaults: Mapping[str, str]) -> str:
    """The first condition that is not met; empty when Odoo could charge the customer."""
    own = [token for token in tokens if token.stripe_customer == customer.stripe_customer_id]
    default = defaults.get(customer.stripe_customer_id, "")
    conditions = (
        (customer.odoo_partner_id is not None, "it is not linked to a partner of Odoo's"),
        (customer.stripe_customer_id != "", "its Stripe customer is not known here"),
        (customer.stripe_customer_id in defaults, "Stripe's customer was not read, or Stripe has it no more"),
        (tokens, "Odoo has no card for this partner"),
        (own, "Odoo's card is of another Stripe customer"),
        (
            not default or default in {token.payment_method for token in own},
            "Odoo's card is not the one that Stripe charges",
        ),
    )
    return next((reason for is_met, reason in conditions if not is_met), "")


def _read_defaults(ids: Sequence[str]) -> dict[str, str]:
    """Of each Stripe customer that there is the payment method that it is charged by, empty where none is named."""
    rows = StripeRecord.objects.filter(kind=Kind.CUSTOMERS, stripe_id__in={*ids} - {""})
    return {
        row.stripe_id: id_of(members(row.raw, "invoice_settings", "default_payment_method"))
        or id_of(row.raw.get("default_source"))
        for row in rows
        if row.raw.get("deleted") is not True
    }
