"""The connection to Stripe that the settings name."""

from django.conf import settings

from ingest.errors import DomainError
from reconciliation.connectors.stripe.api import StripeApi


def connect() -> StripeApi:
    """A reader of the account whose key is configured; refuses with `stripe_not_configured` without one."""
    if not settings.STRIPE_API_KEY:
        raise DomainError("stripe_not_configured", "Stripe is not configured: set STRIPE_API_KEY.")
    return StripeApi(
        settings.STRIPE_API_KEY, base=settings.STRIPE_API_BASE, timeout=float(settings.STRIPE_TIMEOUT)
    )


def find_account(api: StripeApi) -> str:
    """The id of the account that is read: what the key tells of itself, else what is configured.

    Refuses with `other_account` when both are known and differ: amounts of two accounts would mix.
    """
    told, configured = api.read_account().id, str(settings.STRIPE_ACCOUNT)
    if told and configured and told != configured:
        raise DomainError(
            "other_account", f"The key is of {told}, and STRIPE_ACCOUNT says {configured}: set the right key."
        )
    return told or configured
