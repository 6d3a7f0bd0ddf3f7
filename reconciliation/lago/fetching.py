"""Fetching what Lago billed: what changed there is read whole and kept, so that a broken-off fetch goes on."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from ingest.models import Customer, Service
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.bills import LagoBills
from reconciliation.connectors.lago.records import Bills
from reconciliation.documents import NewAmount, NewDocument, digest_of, mark_versions, store_documents
from reconciliation.lago.billed import OF_CREDITS, Billed, BilledError, read_credit_note, read_invoice
from reconciliation.models import Run, Side, Source, SourceDocument
from reconciliation.shares import read_places
from reconciliation.unknown_customers import add_customers

# An invoice changes after its issue, when it is voided or finalized late: so many days are gone through again.
OVERLAP = timedelta(days=62)
PIECE = 100
MOST_PROBLEMS = 20
# Lago: an invoice bills once it is finalized; a voided one bills nothing, and says that it did.
BILLED, VOIDED = "finalized", "voided"
# What changes without the bill: where its files are.
NO_FACTS = ("file_url", "xml_url", "web_url")

Echo = Callable[[str, int, int], None]


@dataclass(slots=True)
class Fetched:
    """What a fetch came to; `periods` are those whose amounts may have changed, `problems` what could not be kept."""

    counts: Counter[str] = field(default_factory=Counter)
    periods: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def fetch_bills(
    *,
    service: Service,
    api: LagoBills,
    now: datetime,
    echo: Echo,
    since: date | None = None,
    run: Run | None = None,
) -> Fetched:
    """Brings a service's documents in step with the invoices and credit notes of its Lago.

    Each invoice that is new or says something else since is fetched whole and kept at once: a fetch that breaks off
    goes on where it was, and a second one changes nothing. Drafts, failed and pending invoices bill nothing; one
    that is voided is kept as a version without amounts. One that does not add up is a problem, and the version
    before it goes on to count. Raises ConnectorError; what was kept by then stays.
    """
    fetch = _Fetch(service, api, now, run, echo)
    invoices = api.list_bills(Bills.INVOICES, fetch.count_page, since)
    while piece := list(islice(invoices, PIECE)):
        fetch.take_invoices(piece)
    notes = api.list_bills(Bills.CREDIT_NOTES, fetch.count_page)
    try:
        while piece := list(islice(notes, PIECE)):
            fetch.take_notes(piece)
    except ConnectorError as error:
        if error.code != "forbidden":
            raise
        # Without them what was billed is too high: the run says so.
        fetch.refuse(error.message)
    return fetch.fetched


class _Fetch:
    """One fetch under way: what it keeps, and what it counts and tells."""

    def __init__(self, service: Service, api: LagoBills, now: datetime, run: Run | None, echo: Echo) -> None:
        self._service, self._api, self._now, self._run, self._echo = service, api, now, run, echo
        self._listed = 0
        self.fetched = Fetched()

    def count_page(self, entries: int) -> None:
        """One more page of a list, or one more wait."""
        self._listed += entries
        self._tell()

    def take_invoices(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Marks those that are as they were, and reads the others whole."""
        kept = _read_kept(self._service, Source.LAGO_INVOICE, entries)
        same = {entry["lago_id"] for entry in entries if _is_same(entry, kept.get(entry["lago_id"]))}
        with transaction.atomic():
            mark_versions([kept[lago_id][0] for lago_id in same], self._now)
        self.fetched.counts["invoices"] += len(same)
        for entry in entries:
            if entry["lago_id"] in same:
                continue
            self.fetched.counts["invoices"] += 1
            if entry.get("status") in {BILLED, VOIDED}:
                self._keep(Source.LAGO_INVOICE, self._api.read_invoice(entry["lago_id"], lambda _: None))
            self._tell()

    def take_notes(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Keeps credit notes, which their list gives whole."""
        for entry in entries:
            self.fetched.counts["credit_notes"] += 1
            self._keep(Source.LAGO_CREDIT_NOTE, entry)
        self._tell()

    def refuse(self, problem: str) -> None:
        """Something could not be kept: the run is partial and says why."""
        self.fetched.counts["refused"] += 1
        if len(self.fetched.problems) < MOST_PROBLEMS:
            self.fetched.problems.append(problem)

    def _tell(self) -> None:
        done = self.fetched.counts["invoices"] + self.fetched.counts["credit_notes"]
        self._echo("Reading Lago's bills", done, max(self._listed, done))

    def _keep(self, source: Source, document: Mapping[str, Any]) -> None:
        """Keeps one document with its amounts; one that cannot be told in amounts is a problem."""
        number = str(document.get("number") or document["lago_id"])
        try:
            customer = _find_customer(self._service, source, document)
            billed = _read(self._service, source, document, customer)
        except BilledError as error:
            self.refuse(f"{source.label} {number}: {error}.")
            return
        amounts = [_make_amount(billed, period, customer, document) for period in billed.lines]
        facts = {name: value for name, value in document.items() if name not in NO_FACTS}
        new = NewDocument(
            reference=document["lago_id"],
            content=document,
            amounts=amounts,
            fetched_at=self._now,
            title=f"{number} {customer.external_id}"[:1024],
            number=number[:255],
            digest=digest_of(facts),
        )
        before = _labels_of(self._service, source, document["lago_id"])
        changed = store_documents(
            service=self._service, source=source, side=Side.EXTERNAL, documents=[new], run=self._run
        )
        if changed:
            self.fetched.counts["changed"] += 1
            self.fetched.periods |= before | {amount.period_label for amount in amounts}


def _read_kept(
    service: Service, source: Source, entries: Iterable[Mapping[str, Any]]
) -> dict[str, tuple[int, Any, Any]]:
    """Of documents that count: their key, when Lago changed them last, and their status there."""
    rows = SourceDocument.objects.filter(
        service=service, source=source, is_current=True, reference__in=[entry["lago_id"] for entry in entries]
    )
    values = rows.values_list("reference", "pk", "content__updated_at", "content__status")
    return {reference: (pk, updated_at, status) for reference, pk, updated_at, status in values}


def _is_same(entry: Mapping[str, Any], kept: tuple[int, Any, Any] | None) -> bool:
    stated = entry.get("updated_at")
    return kept is not None and stated is not None and kept[1:] == (stated, entry.get("status"))


def _read(service: Service, source: Source, document: Mapping[str, Any], customer: Customer) -> Billed:
    place = read_places(service, [customer.external_id], {customer.external_id: customer})[
        customer.external_id
    ]
    if source == Source.LAGO_CREDIT_NOTE:
        if document.get("credit_status") == VOIDED:
            raise BilledError("it was voided, and nobody can tell how much of it had been used")
        return read_credit_note(document, place)
    if document.get("status") != BILLED or document.get("invoice_type") == OF_CREDITS:
        return Billed()
    return read_invoice(document, place)


def _find_customer(service: Service, source: Source, document: Mapping[str, Any]) -> Customer:
    """Whose it is, by the invoice's customer or by the fees; created unlinked where the console knows none."""
    own = document.get("customer")
    names = {own["external_id"]: own.get("name")} if isinstance(own, dict) and own.get("external_id") else {}
    for fee in _list_fees(source, document) if not names else ():
        if fee.get("external_customer_id"):
            names[fee["external_customer_id"]] = ""
    if len(names) != 1 or not all(isinstance(name, str) and len(name) <= 255 for name in names):
        raise BilledError("it does not say whose it is")
    (external_id, name) = next(iter(names.items()))
    known = service.customers.select_related("service").filter(external_id=external_id).first()
    if known:
        return known
    named = name[:255] if isinstance(name, str) else ""
    with transaction.atomic():
        return add_customers(service, {external_id: named}, rule="billed in Lago")[external_id]


def _list_fees(source: Source, document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = document.get("items" if source == Source.LAGO_CREDIT_NOTE else "fees")
    for each in found if isinstance(found, list) else ():
        fee = each.get("fee") if source == Source.LAGO_CREDIT_NOTE and isinstance(each, dict) else each
        if isinstance(fee, dict):
            yield fee


def _make_amount(billed: Billed, period: Any, customer: Customer, document: Mapping[str, Any]) -> NewAmount:
    money = billed.sum_of(period)
    return NewAmount(
        customer=customer,
        currency=document["currency"],
        period_start=period.start,
        period_end=period.end,
        period_label=period.label,
        untaxed=money.untaxed,
        tax=money.tax,
        total=money.total,
        state=str(document.get("status") or document.get("credit_status") or "")[:32],
        lines=billed.lines[period],
    )


def _labels_of(service: Service, source: Source, reference: str) -> set[str]:
    rows = SourceDocument.objects.filter(service=service, source=source, reference=reference, is_current=True)
    return set(rows.exclude(amounts=None).values_list("amounts__period_label", flat=True))
