"""The documents of a file: judged against what counts already, and written where they are new or changed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ingest import audit
from ingest.metering.arithmetic import exact_sum
from ingest.metering.periods import Period
from ingest.models import Customer, Service
from reconciliation.connectors.files.records import RowError
from reconciliation.documents import Version, mark_versions, read_versions, retire_versions
from reconciliation.file_writing import Batch, Documents
from reconciliation.models import Amount, Run, Side, Source, SourceDocument
from reconciliation.shares import Place
from reconciliation.statements import Kept, Part, Statement, find_conflicts, find_replaced
from reconciliation.unknown_customers import add_customers

# What a preview lists; all are counted.
MOST_LISTED = 200

# A bill of a period as the database knows it: the customer, the currency and both ends.
_Bill = tuple[int, str, datetime, datetime]


class Change(NamedTuple):
    """A document that would not be as it was: `what` is new, changed or replaced; amounts as it states them."""

    title: str
    what: str
    currency: str
    before: str
    after: str
    row: int


class Writer:
    """One import's documents, batch by batch, and what it counted; the service is locked by whoever writes."""

    def __init__(
        self, *, service: Service, now: datetime, run: Run | None, is_dry: bool, is_replacing: bool
    ) -> None:
        self._service = service
        self._now = now
        self._run = run
        self.is_dry = is_dry
        self._is_replacing = is_replacing
        self._digest = hashlib.sha256()
        self.lines = self.bills = self.changed = self.new = 0
        self.new_customers: set[str] = set()
        self.replaced: set[str] = set()
        self.listed: list[Change] = []

    @property
    def digest(self) -> str:
        """Of all that is new, changed or replaced: the same for a preview and for the import that it shows."""
        return self._digest.hexdigest()

    def write(
        self,
        statements: Sequence[Statement],
        known: dict[str, Customer],
        places: Mapping[str, Place],
        *,
        may_write: bool,
    ) -> list[RowError]:
        """Counts a batch of some customers' documents and writes it, unless this is a dry run or a row is wrong."""
        if not statements or not may_write:
            return []
        kept = self._read_kept(statements, known)
        errors, replaced = self._find_conflicts(statements, known, kept)
        current, last = read_versions(
            service=self._service,
            source=Source.FILE,
            references=[
                *(row.key.reference for row in statements),
                *(document.reference for document in replaced),
            ],
        )
        stated = _read_stated([version.pk for version in current.values()])
        fresh = [
            row for row in statements if not _is_same(row, current.get(row.key.reference), stated, self._now)
        ]
        batch = Batch(statements, fresh, replaced, current, last, known, places)
        self._count(batch)
        if not errors and not self.is_dry:
            self._store(batch)
        return errors

    def _read_kept(
        self, statements: Sequence[Statement], known: Mapping[str, Customer]
    ) -> Mapping[_Bill | None, list[Kept]]:
        """What earlier files state of the same periods and the batch does not state anew."""
        parts = [part for row in statements for part in row.parts]
        bills = {_bill_of(part, known) for part in parts} - {None}
        amounts = Amount.objects.filter(
            service=self._service,
            side=Side.EXTERNAL,
            document__is_current=True,
            document__source=Source.FILE,
            customer__in={bill[0] for bill in bills if bill},
            period_start__in={bill[2] for bill in bills if bill},
        ).select_related("document")
        anew = {row.key.reference for row in statements}
        kept: dict[_Bill | None, list[Kept]] = defaultdict(list)
        for amount in amounts.order_by("pk").defer("document__content"):
            bill = (amount.customer_id, amount.currency, amount.period_start, amount.period_end)
            document = amount.document
            if bill in bills and document.reference not in anew:
                numbered = bool(document.number)
                kept[bill].append(
                    Kept(document.reference, document.title, numbered, amount.untaxed, amount.total)
                )
        return kept

    def _find_conflicts(
        self,
        statements: Sequence[Statement],
        known: Mapping[str, Customer],
        kept: Mapping[_Bill | None, list[Kept]],
    ) -> tuple[list[RowError], list[Kept]]:
        """What cannot count together, and the kept documents that are replaced."""
        errors: list[RowError] = []
        replaced: dict[str, Kept] = {}
        periods: dict[tuple[str, str, Period], list[Part]] = defaultdict(list)
        for part in (part for row in statements for part in row.parts):
            periods[part.key.customer, part.key.currency, part.period].append(part)
        for parts in periods.values():
            of_bill = kept.get(_bill_of(parts[0], known), [])
            errors += find_conflicts(parts, of_bill, is_replacing=self._is_replacing)
            replaced |= {document.reference: document for document in find_replaced(parts, of_bill)}
        return errors, list(replaced.values())

    def _count(self, batch: Batch) -> None:
        self.lines += sum(row.rows for row in batch.statements)
        self.bills += len(batch.statements)
        self.changed += len(batch.fresh)
        self.new_customers |= {row.key.customer for row in batch.statements} - batch.known.keys()
        self.replaced |= {document.reference for document in batch.replaced}
        versions = {row.key: batch.current.get(row.key.reference) for row in batch.fresh}
        was = _sum_up([version.pk for version in versions.values() if version])
        for row in batch.fresh:
            version = versions[row.key]
            self.new += version is None
            before = was.get(version.pk, "") if version else ""
            what = "changed" if version else "new"
            after = _show([_amount_of(part) for part in row.parts])
            periods = " ".join(part.period.label for part in row.parts)
            change = Change(row.key.title, what, row.key.currency, before, after, row.row)
            self._list(change, f"{row.digest} {periods}")
        for document in batch.replaced:
            amount = document.untaxed if document.total is None else document.total
            change = Change(document.title, "replaced", "", _show([amount]), "", 0)
            self._list(change, document.reference)

    def _list(self, change: Change, digest: str) -> None:
        self._digest.update(
            f"{change.what} {change.title} {change.before} {change.after} {digest}\n".encode()
        )
        if len(self.listed) < MOST_LISTED:
            self.listed.append(change)

    def _store(self, batch: Batch) -> None:
        known, current = batch.known, batch.current
        new = {row.key.customer: row.customer_name for row in reversed(batch.statements)}
        new = {external_id: name for external_id, name in new.items() if external_id not in known}
        if new:
            known |= add_customers(self._service, new, rule="billed in an imported file")
        self._replace(batch.replaced)
        references = {row.key.reference for row in batch.fresh}
        same = {row.key.reference for row in batch.statements} - references
        read_before = [current[reference] for reference in same if current[reference].fetched_at <= self._now]
        mark_versions([version.pk for version in read_before], self._now)
        retire_versions([current[reference].pk for reference in references if reference in current])
        Documents(self._service, self._now, self._run, batch).write()

    def _replace(self, replaced: Sequence[Kept]) -> None:
        documents = SourceDocument.objects.filter(
            service=self._service,
            source=Source.FILE,
            reference__in=[document.reference for document in replaced],
            is_current=True,
        )
        found = list(documents.defer("content").order_by("pk")) if replaced else []
        retire_versions([document.pk for document in found])
        for document in found:
            audit.record(
                actor=None,
                action="document.replace",
                target=document,
                service=self._service,
                before={"is_current": True},
                after={"is_current": False},
                rule="an imported file took its place",
                evidence_digest=document.digest,
            )


# What a document says of a period: both ends and the three amounts.
_Stated = tuple[datetime, datetime, Decimal | None, Decimal | None, Decimal | None]


def _read_stated(documents: Sequence[int]) -> dict[int, set[_Stated]]:
    stated: dict[int, set[_Stated]] = defaultdict(set)
    for row in Amount.objects.filter(document__in=documents):
        stated[row.document_id].add((row.period_start, row.period_end, row.untaxed, row.tax, row.total))
    return stated


def _is_same(
    statement: Statement, version: Version | None, stated: Mapping[int, set[_Stated]], now: datetime
) -> bool:
    """Whether what counts has the file's rows and puts them in the same periods, or was read later.

    The same rows are for other periods once their customer has another time zone, or a subscription.
    """
    if version is None or version.fetched_at > now:
        return version is not None
    says = {
        (part.period.start, part.period.end, part.untaxed, part.tax, part.total) for part in statement.parts
    }
    return version.digest == statement.digest and stated.get(version.pk, set()) == says


def _bill_of(part: Part, known: Mapping[str, Customer]) -> _Bill | None:
    """The bill's key, None of a customer that nobody has billed before."""
    customer = known.get(part.key.customer)
    if customer is None:
        return None
    return customer.pk, part.key.currency, part.period.start, part.period.end


def _amount_of(row: Part | Amount) -> Decimal | None:
    return row.untaxed if row.total is None else row.total


def _sum_up(documents: Sequence[int]) -> dict[int, str]:
    """What each of the documents states, as a text."""
    amounts: dict[int, list[Decimal | None]] = defaultdict(list)
    for amount in Amount.objects.filter(document__in=documents).order_by("pk") if documents else ():
        amounts[amount.document_id].append(_amount_of(amount))
    return {document: _show(stated) for document, stated in amounts.items()}


def _show(amounts: Sequence[Decimal | None]) -> str:
    known = [amount for amount in amounts if amount is not None]
    return f"{exact_sum(known):f}" if known and len(known) == len(amounts) else ""
