"""Corrections: what finance accepts of a resolved row becomes a draft invoice or credit note in Odoo."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from ingest import audit
from ingest.billers import BillerBook
from ingest.errors import DomainError, require_permission
from ingest.models import Biller, Customer
from ingest.rating.money import round_to_currency
from ingest.services import lock_service
from reconciliation.connectors.odoo.corrections import CorrectionDraft
from reconciliation.models import OdooProduct, Push, PushKind, Reconciliation, Status

PERMISSION = "reconciliation.push_reconciliation"


def suggest_amount(row: Reconciliation) -> Decimal | None:
    """What would make Odoo's amount the external one: below zero is a credit. None without a delta."""
    return None if row.delta is None else -row.delta


def is_billed_by_odoo(*, customer: Customer, period_start: datetime) -> bool:
    """Whether Odoo bills the customer's period that starts then: a document there is Odoo's to send."""
    subscriptions = list(customer.subscriptions.values_list("pk", flat=True))
    book = BillerBook(subscriptions)
    return any(
        book.find(subscription_id=pk, period_start=period_start) == Biller.ODOO for pk in subscriptions
    )


@transaction.atomic
def draft_correction(
    *, reconciliation_id: int, amount: Decimal, product_id: int, reason: str, actor: User
) -> Push:
    """Stores the intent to draft a correction in Odoo for a resolved row, audited; only a person there posts it.

    `amount` is untaxed, in the row's currency: below zero a credit note, above it an invoice. Once per resolution
    (`already_drafted`). Refuses a row that is not resolved (`not_resolved`), a period that the service bills itself
    (`billed_by_service`), a customer without a partner (`unlinked`), a product that the mirror does not have
    (`no_product`), an amount of nothing or of parts of the smallest unit (`bad_amount`), and no reason
    (`reason_required`).
    """
    require_permission(actor, PERMISSION)
    lock_service(Reconciliation.objects.values_list("service", flat=True).get(pk=reconciliation_id))
    row = Reconciliation.objects.select_related("service", "customer__service").get(pk=reconciliation_id)
    _refuse(row, amount, product_id, reason)
    _refuse_second(row)
    draft = CorrectionDraft(
        key=f"{row.public_id.hex}_{row.version}",
        partner_id=row.customer.odoo_partner_id or 0,
        currency=row.currency,
        product_id=product_id,
        reference=f"{row.service.name} {row.period_label}, correction",
        name=f"{row.service.name} {row.period_label}: {reason.strip()}",
        amount=amount,
    )
    push = _store(row, draft, actor)
    audit.record(
        actor=actor,
        action="correction.draft",
        target=row,
        service=row.service,
        after={"amount": str(amount), "currency": row.currency, "push": str(push.public_id)},
        reason=reason.strip(),
        evidence_digest=push.digest,
    )
    return push


def _refuse(row: Reconciliation, amount: Decimal, product_id: int, reason: str) -> None:
    if not reason.strip():
        raise DomainError("reason_required", "Give the reason: the customer reads it on the document.")
    if row.status != Status.RESOLVED:
        raise DomainError("not_resolved", "Resolve the row first: a correction follows an explanation.")
    if not is_billed_by_odoo(customer=row.customer, period_start=row.period_start):
        raise DomainError("billed_by_service", "The service bills this period itself: correct it there.")
    if row.customer.odoo_partner_id is None:
        raise DomainError("unlinked", f"{row.customer} is not linked to an Odoo partner: link it.")
    if not OdooProduct.objects.filter(odoo_id=product_id).exists():
        raise DomainError("no_product", "The mirror has no such product.")
    if not amount.is_finite() or amount == 0 or amount != round_to_currency(amount, row.currency):
        raise DomainError("bad_amount", f"Give an amount of {row.currency} that is not zero, in whole units.")


def _refuse_second(row: Reconciliation) -> None:
    """A resolved row has new versions too, by another owner or figures that it does not rest on: it is still one."""
    drafted = Push.objects.filter(kind=PushKind.CORRECTION, key__startswith=f"{row.public_id.hex}_")
    if drafted.filter(created_at__gte=row.resolved_at).exists():
        raise DomainError("already_drafted", "A correction of this resolution was drafted already.")


def _store(row: Reconciliation, draft: CorrectionDraft, actor: User) -> Push:
    try:
        with transaction.atomic():
            return Push.objects.create(
                kind=PushKind.CORRECTION,
                service=row.service,
                customer=row.customer,
                currency=row.currency,
                period_start=row.period_start,
                period_end=row.period_end,
                period_label=row.period_label,
                key=draft.key,
                payload=draft.payload(),
                digest=draft.digest(),
                next_attempt_at=timezone.now(),
                requested_by=actor,
            )
    except IntegrityError as error:
        raise DomainError(
            "already_drafted", "A correction of this resolution was drafted already."
        ) from error
