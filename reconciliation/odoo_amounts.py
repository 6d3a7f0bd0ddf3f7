"""Odoo's side: the amounts of shadow quotations and invoices, as Odoo computed them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ingest.models import Fee, FeeKind, Service
from ingest.services import lock_service
from reconciliation import alarms, drift
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.records import Quotation, QuotationLine
from reconciliation.documents import NewAmount, NewDocument, NewLine, retire_document, store_documents
from reconciliation.models import (
    AlarmKind,
    LineKind,
    Push,
    PushKind,
    PushStatus,
    Side,
    Source,
    SourceDocument,
    Strategy,
)
from reconciliation.runs import Progress
from reconciliation.strategies import read_strategy

BATCH = 200


def fetch_amounts(
    *,
    service: Service,
    period_label: str,
    connector: OdooConnector,
    unread_since: datetime,
    progress: Progress | None = None,
    customers: Iterable[int] | None = None,
) -> dict[str, int]:
    """Reads back every quotation that was pushed for a period and not read since, and keeps what changed.

    A quotation that somebody confirmed raises an alarm; one that is gone no longer counts. Its push has failed,
    and so has one that Odoo no longer holds as it was pushed: the next one writes it again. A failed fetch raises
    ConnectorError and changes nothing: it is never a zero.
    """
    pushes = _pushed(service, period_label, customers, unread_since)
    counts = {"quotations": 0, "changed": 0, "gone": 0}
    for start in range(0, len(pushes), BATCH):
        batch = pushes[start : start + BATCH]
        read_at = timezone.now()
        held = connector.read_quotations(
            [push.key for push in batch], {push.key: push.odoo_id for push in batch if push.odoo_id}
        )
        counts["gone"] += sum(_forget(push, read_at) for push in batch if push.key not in held)
        found = [(push, held[push.key]) for push in batch if push.key in held]
        counts["quotations"] += len(found)
        counts["changed"] += store_quotations(found, fetched_at=read_at)
        drift.fail_changed(found)
        if progress:
            progress.report("Reading quotations", min(start + BATCH, len(pushes)), len(pushes))
    return counts


@transaction.atomic(savepoint=False)
def store_quotations(held: Sequence[tuple[Push, Quotation]], *, fetched_at: datetime) -> int:
    """Keeps one service's quotations as Odoo's side of their bills; returns how many are new or changed.

    Only where that side comes from quotations: beside invoices or orders they would count a second time. An alarm
    says which of them are no longer drafts, wherever the amounts come from, and is cleared for those that are. A
    handful of statements, however many quotations there are.
    """
    if not held:
        return 0
    # First of all, as whoever settles a push asks for it before an alarm's, too.
    service = lock_service(held[0][0].service_id)
    _watch_states(held)
    if read_strategy(service) != Strategy.QUOTATION:
        return 0
    fees = _fees_by_key([quotation for _, quotation in held])
    changed = store_documents(
        service=service,
        source=Source.ODOO_QUOTATION,
        side=Side.ODOO,
        documents=[_read_document(push, quotation, fees, fetched_at) for push, quotation in held],
    )
    return len(changed)


def _read_document(
    push: Push, quotation: Quotation, fees: Mapping[str, Fee], fetched_at: datetime
) -> NewDocument:
    amount = NewAmount(
        customer=push.customer,
        # Odoo's own currency, whatever we meant: the pricelist decides, and a difference must show.
        currency=quotation.currency,
        period_start=push.period_start,
        period_end=push.period_end,
        period_label=push.period_label,
        untaxed=quotation.untaxed,
        tax=quotation.tax,
        total=quotation.total,
        state=quotation.state,
        lines=[_line(line, fees.get(line.external_key or "")) for line in quotation.lines],
    )
    return NewDocument(reference=push.key, content=quotation.raw, amounts=[amount], fetched_at=fetched_at)


def _watch_states(held: Sequence[tuple[Push, Quotation]]) -> None:
    drafts = [push.key for push, quotation in held if quotation.state == "draft"]
    alarms.clear_alarms(kind=AlarmKind.QUOTATION_NOT_DRAFT, references=drafts)
    for push, quotation in held:
        if quotation.state != "draft":
            _alarm_not_draft(push, f"{quotation.name} is “{quotation.state}”")


def watch_state(push: Push, error: ConnectorError) -> None:
    """Raises the alarm when a write was refused because the quotation is no longer a draft."""
    if error.code == "not_draft":
        _alarm_not_draft(push, error.message)


def _pushed(
    service: Service, period_label: str, customers: Iterable[int] | None, unread_since: datetime
) -> list[Push]:
    """One push for each quotation that Odoo has held, whatever became of it, and that was not read since."""
    read = SourceDocument.objects.filter(
        service=service, source=Source.ODOO_QUOTATION, is_current=True, fetched_at__gte=unread_since
    )
    pushes = Push.objects.filter(
        kind=PushKind.QUOTATION, service=service, period_label=period_label, odoo_id__isnull=False
    ).exclude(key__in=read.values("reference"))
    if customers is not None:
        pushes = pushes.filter(customer__in=customers)
    return list(pushes.order_by("key", "-version").distinct("key").select_related("service", "customer"))


@transaction.atomic
def _forget(push: Push, read_at: datetime) -> bool:
    is_gone = retire_document(
        service=push.service, source=Source.ODOO_QUOTATION, reference=push.key, fetched_at=read_at
    )
    if is_gone:
        alarms.clear_alarm(kind=AlarmKind.QUOTATION_NOT_DRAFT, reference=push.key)
        versions = Push.objects.filter(key=push.key)
        newest = versions.latest("version").pk
        done = versions.filter(status=PushStatus.DONE)
        done.exclude(pk=newest).update(status=PushStatus.SUPERSEDED)
        done.update(status=PushStatus.FAILED, error_code="gone", error="Odoo no longer has the quotation.")
    return is_gone


def _fees_by_key(quotations: Iterable[Quotation]) -> Mapping[str, Fee]:
    keys = {line.external_key for quotation in quotations for line in quotation.lines if line.external_key}
    # What its line says of a fee, and no more: there are thousands.
    fees = (
        Fee.objects.filter(public_id__in=keys)
        .select_related("charge__metric", "subscription__plan")
        .only("public_id", "kind", "quantity", "charge__metric__code", "subscription__plan__code")
    )
    return {fee.public_id.hex: fee for fee in fees}


def _line(line: QuotationLine, fee: Fee | None) -> NewLine:
    if fee is None:
        # Somebody added it in Odoo: it counts, and it is nobody's metric.
        return NewLine(
            code="",
            description=line.name,
            kind=LineKind.ADJUSTMENT,
            quantity=line.quantity,
            unit_price=line.price_unit,
            untaxed=line.untaxed,
            tax=line.tax,
            total=line.total,
            is_priced_by_odoo=True,
        )
    is_plan = fee.charge is None
    is_base = fee.kind == FeeKind.PLAN
    return NewLine(
        code=fee.subscription.plan.code if fee.charge is None else fee.charge.metric.code,
        description=line.name,
        kind=LineKind.PLAN if is_plan else LineKind.USAGE,
        # A line of ours is 1 × our amount in Odoo; the quantity that means something is the fee's.
        quantity=line.quantity if is_base else fee.quantity,
        unit_price=line.price_unit if is_base else None,
        untaxed=line.untaxed,
        tax=line.tax,
        total=line.total,
        is_priced_by_odoo=is_base,
    )


def _alarm_not_draft(push: Push, what: str) -> None:
    alarms.raise_alarm(
        kind=AlarmKind.QUOTATION_NOT_DRAFT,
        service=push.service,
        reference=push.key,
        message=f"The shadow quotation of {push.customer} for {push.period_label} is no longer a draft: {what}."
        " Cancel it in Odoo before it is invoiced.",
    )
