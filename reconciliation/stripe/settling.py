"""Settling: each object that waits is told whose it is, and a service's bill becomes a document with its amounts."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from ingest.models import Service
from reconciliation.connectors.stripe.records import Kind
from reconciliation.documents import NewDocument, retire_document, store_documents
from reconciliation.models import Amount, RecordState, Run, Side, Source, StripeRecord
from reconciliation.stripe.claims import read_books
from reconciliation.stripe.keeping import take_turns
from reconciliation.stripe.verdicts import Verdict, judge_records

CHUNK = 500
# Each after what tells whose it is: a bill before what corrects or pays it, a charge before its refunds.
ORDER = (
    Kind.INVOICES,
    Kind.CREDIT_NOTES,
    Kind.CHARGES,
    Kind.PAYMENTS,
    Kind.REFUNDS,
    Kind.DISPUTES,
    Kind.BALANCE_TRANSACTIONS,
    Kind.CUSTOMERS,
)
SOURCES = {
    Kind.INVOICES: Source.STRIPE_INVOICE,
    Kind.CREDIT_NOTES: Source.STRIPE_CREDIT_NOTE,
    Kind.CHARGES: Source.STRIPE_CHARGE,
}
Echo = Callable[[int, int], None]


@dataclass
class Settled:
    """How many objects came to which state, how many documents changed, and of which periods."""

    states: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    periods: set[tuple[int, str]] = field(default_factory=set)


def settle(
    *, account: str, run: Run | None = None, echo: Echo | None = None, kinds: Sequence[Kind] = ORDER
) -> Settled:
    """Attributes everything of these kinds that waits, some hundreds at a time, each lot in its own transaction.

    Interrupted it goes on where it was; again, or in another order, it comes to the same.
    """
    settled = Settled()
    waiting = StripeRecord.objects.filter(account=account, state=RecordState.WAITING)
    total = waiting.count() if echo else 0
    for kind in kinds:
        while count := _settle_some(account, kind, run, settled):
            if echo:
                done = settled.states.total()
                echo(done, max(total, done))
            if count < CHUNK:
                break
    return settled


@transaction.atomic
def _settle_some(account: str, kind: Kind, run: Run | None, settled: Settled) -> int:
    take_turns(account)
    waiting = StripeRecord.objects.filter(account=account, state=RecordState.WAITING, kind=kind)
    rows = list(waiting.order_by("pk")[:CHUNK])
    if not rows:
        return 0
    verdicts = judge_records(account=account, kind=kind, records=rows, books=read_books())
    if kind in SOURCES:
        _keep_documents(SOURCES[kind], verdicts, run, settled)
    changed_hands = [each.record.stripe_id for each in verdicts if each.record.service_id != each.service_id]
    _write(verdicts)
    # What belongs to a bill goes with it.
    StripeRecord.objects.filter(account=account, pays__in=changed_hands).update(state=RecordState.WAITING)
    settled.states.update(each.state for each in verdicts)
    return len(rows)


def _write(verdicts: Sequence[Verdict]) -> None:
    """One statement for all that come to the same, as most do."""
    alike: dict[tuple[str, str, int | None, str, str], list[int]] = defaultdict(list)
    for each in verdicts:
        key = (each.state, each.reason, each.service_id, each.claimed_by[:255], each.pays)
        alike[key].append(each.record.pk)
    for (state, reason, service_id, claimed_by, pays), keys in alike.items():
        StripeRecord.objects.filter(pk__in=keys).update(
            state=state, reason=reason, service=service_id, claimed_by=claimed_by, pays=pays
        )


def _keep_documents(source: Source, verdicts: Sequence[Verdict], run: Run | None, settled: Settled) -> None:
    """Stores each service's bills, and retires those that are a service's no more."""
    bills: dict[int, list[Verdict]] = defaultdict(list)
    gone: dict[int, list[StripeRecord]] = defaultdict(list)
    for each in verdicts:
        if each.service_id is not None and each.state == RecordState.CLAIMED:
            bills[each.service_id].append(each)
        old = each.record.service_id
        if old is not None and (old != each.service_id or each.state != RecordState.CLAIMED):
            gone[old].append(each.record)
    # In the order of their keys: two that lock several services never wait for each other.
    services = Service.objects.in_bulk({*bills, *gone})
    for key in sorted(services):
        service = services[key]
        for record in gone[key]:
            if retire_document(
                service=service, source=source, reference=record.stripe_id, fetched_at=record.fetched_at
            ):
                _count(settled, service, source, [record.stripe_id])
        documents = [_document_of(each) for each in bills[key]]
        changed = store_documents(
            service=service, source=source, side=Side.EXTERNAL, documents=documents, run=run
        )
        _count(settled, service, source, changed)


def _document_of(verdict: Verdict) -> NewDocument:
    record, bill = verdict.record, verdict.bill
    number = bill.number if bill else ""
    # Whose it is and for which periods is not in what Stripe says, and changes with rules and calendars.
    return NewDocument(
        reference=record.stripe_id,
        content=record.raw,
        amounts=verdict.amounts,
        fetched_at=record.fetched_at,
        title=f"{number or record.stripe_id} {record.customer}",
        number=number,
        digest=verdict.digest,
    )


def _count(settled: Settled, service: Service, source: Source, references: Iterable[str]) -> None:
    found = list(references)
    settled.changed += len(found)
    if found:
        labels = Amount.objects.filter(
            service=service, document__source=source, document__reference__in=found
        ).order_by()
        settled.periods |= {
            (service.pk, label) for label in labels.values_list("period_label", flat=True).distinct()
        }
