"""Checking the connection: whose key it is, in which mode, what it may read, and whether webhooks can be verified."""

from collections.abc import Callable, Iterator, Mapping

from django.conf import settings

from ingest.errors import DomainError
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.stripe.api import StripeApi
from reconciliation.connectors.stripe.records import API_VERSION, Kind
from reconciliation.models import Run, StripeCheck

# Fees are read only where finance asks for them.
OPTIONAL = frozenset({Kind.BALANCE_TRANSACTIONS})
Echo = Callable[[str, int, int], None]


def check_connection(*, api: StripeApi, run: Run | None = None, echo: Echo | None = None) -> StripeCheck:
    """Reads one object of each list and keeps what was found: every problem, with what to do about it.

    Raises ConnectorError when Stripe does not answer at all or does not know the key.
    """
    account = api.read_account()
    rights: dict[str, str] = {}
    for done, kind in enumerate(Kind, start=1):
        rights[kind] = _try(api, kind)
        if echo:
            echo(f"Asked for {kind.replace('_', ' ')}", done, len(Kind))
    return StripeCheck.objects.create(
        account=account.id or settings.STRIPE_ACCOUNT,
        name=account.name[:255],
        is_live=api.is_live,
        api_version=API_VERSION,
        api_base=settings.STRIPE_API_BASE,
        has_webhook_secret=bool(settings.STRIPE_WEBHOOK_SECRETS),
        rights=rights,
        problems=list(_find_problems(account.id, rights)),
        run=run,
    )


def _try(api: StripeApi, kind: Kind) -> str:
    """Empty when the list may be read, else why not."""
    try:
        api.read_page(kind, size=1)
    except ConnectorError as error:
        if error.code in {"authentication", "unreachable", "throttled"}:
            raise
        return error.message.removeprefix(f"{kind}: ").strip()
    return ""


def _find_problems(account: str, rights: Mapping[str, str]) -> Iterator[str]:
    configured = settings.STRIPE_ACCOUNT
    if account and configured and account != configured:
        yield f"The key is of {account}, and STRIPE_ACCOUNT says {configured}."
    if not account and not configured:
        yield "Nobody can tell whose key it is: set STRIPE_ACCOUNT, or give the key the right to read its account."
    for kind, why in rights.items():
        if why and kind not in OPTIONAL:
            yield f"{kind}: {why.rstrip('.')}."
    if not settings.STRIPE_WEBHOOK_SECRETS:
        yield "No webhook can be verified: set STRIPE_WEBHOOK_SECRETS. Until then the poll finds what changed."


def refuse_problems(check: StripeCheck) -> None:
    """Raises DomainError `stripe_has_problems` with all of them."""
    if check.problems:
        raise DomainError("stripe_has_problems", " ".join(check.problems))
