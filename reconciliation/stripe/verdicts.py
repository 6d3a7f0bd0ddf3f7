"""Verdicts: whose an object of Stripe's is, and what it bills; where that is not certain, why not."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.models import Customer, Service
from reconciliation.comparison.ownership import Book, Claim, find_claims
from reconciliation.connectors.stripe.bills import read_bill
from reconciliation.connectors.stripe.facts import read_facts
from reconciliation.connectors.stripe.records import Bill, BillError, Kind
from reconciliation.documents import NewAmount, digest_of
from reconciliation.models import RecordState, Source, SourceDocument, StripeRecord
from reconciliation.stripe.billing import make_amounts, read_calendars
from reconciliation.stripe.keeping import GONE
from reconciliation.stripe.odoo_charges import find_odoo_charges


@dataclass(slots=True)
class Verdict:
    """What an object is: its state and why, whose, and of a bill the amounts that it states."""

    record: StripeRecord
    state: RecordState
    reason: str = ""
    service_id: int | None = None
    claimed_by: str = ""
    pays: str = ""
    bill: Bill | None = None
    corrected: Bill | None = None
    amounts: Sequence[NewAmount] = field(default_factory=tuple)

    @property
    def digest(self) -> str:
        """Of what Stripe says and of what it comes to: another customer or calendar is another version."""
        said = [
            [each.customer.pk, each.period_start, each.period_end, each.untaxed, each.tax, each.total]
            for each in self.amounts
        ]
        return digest_of([self.record.digest, [[str(value) for value in each] for each in said]])


def judge_records(
    *, account: str, kind: Kind, records: Sequence[StripeRecord], books: Sequence[Book]
) -> list[Verdict]:
    """A verdict for each object of one kind, in their order; reads what it needs in a few statements."""
    judges: Mapping[Kind, Callable[[str, Sequence[StripeRecord], Sequence[Book]], list[Verdict]]] = {
        Kind.INVOICES: _judge_invoices,
        Kind.CREDIT_NOTES: _judge_credit_notes,
        Kind.CHARGES: _judge_charges,
    }
    verdicts = judges.get(kind, _judge_evidence)(account, records, books)
    _attribute(verdicts)
    return verdicts


def _judge_invoices(account: str, records: Sequence[StripeRecord], books: Sequence[Book]) -> list[Verdict]:
    return [_claim(record, books) for record in records]


def _judge_credit_notes(
    account: str, records: Sequence[StripeRecord], books: Sequence[Book]
) -> list[Verdict]:
    """A credit note is whose its invoice is."""
    invoices = _read_bills(account, [record.pays for record in records])
    return [_follow(record, invoices.get(record.pays)) for record in records]


def _judge_charges(account: str, records: Sequence[StripeRecord], books: Sequence[Book]) -> list[Verdict]:
    """A charge that paid an invoice is evidence of it, Odoo's own is Odoo's, and any other is a bill by itself."""
    paid = _find_payments(account, records)
    invoices = _read_bills(account, paid.values())
    lago = _find_lago([record.pays for record in records])
    odoo = find_odoo_charges(records)
    verdicts = []
    for record in records:
        invoice_id = paid.get(record.intent) or paid.get(record.stripe_id)
        if invoice_id:
            invoice = invoices.get(invoice_id)
            service_id = invoice.service_id if invoice else None
            verdict = Verdict(record, RecordState.EVIDENCE, service_id=service_id, pays=invoice_id)
        elif record.stripe_id in odoo:
            verdict = Verdict(record, RecordState.ODOO, claimed_by=odoo[record.stripe_id])
        elif _names_lago(record):
            service_id = lago.get(record.pays) or _only_claim(record, books)
            verdict = Verdict(record, RecordState.EVIDENCE, service_id=service_id, pays=record.pays)
        else:
            verdict = _claim(record, books)
        verdicts.append(verdict)
    return verdicts


def _judge_evidence(account: str, records: Sequence[StripeRecord], books: Sequence[Book]) -> list[Verdict]:
    """Refunds, disputes, fees, payments and customers never change what was billed."""
    owners = _read_bills(account, [record.pays for record in records if record.pays])
    return [
        Verdict(
            record,
            RecordState.EVIDENCE,
            service_id=owners[record.pays].service_id if record.pays in owners else None,
            pays=record.pays,
        )
        for record in records
    ]


def _read(record: StripeRecord) -> Bill | Verdict:
    """The bill, or the verdict on what cannot be read as one or bills nothing."""
    pays = record.pays if record.kind == Kind.CREDIT_NOTES else ""
    if record.status == GONE:
        return Verdict(record, RecordState.UNBILLED, "Stripe has it no more.", pays=pays)
    try:
        bill = read_bill(Kind(record.kind), record.raw)
    except BillError as error:
        return Verdict(record, RecordState.PARKED, error.message, pays=pays)
    return bill if bill.is_billed else Verdict(record, RecordState.UNBILLED, pays=pays)


def _claim(record: StripeRecord, books: Sequence[Book]) -> Verdict:
    bill = _read(record)
    if isinstance(bill, Verdict):
        return bill
    claims = find_claims(read_facts(record.raw), books)
    if not claims:
        return Verdict(record, RecordState.UNCLAIMED)
    if len(claims) > 1:
        return Verdict(record, RecordState.CONFLICT, _say_conflict(claims))
    rule = f"{claims[0].rule} (version {claims[0].version})"
    return Verdict(record, RecordState.CLAIMED, service_id=claims[0].service_id, claimed_by=rule, bill=bill)


def _say_conflict(claims: Sequence[Claim]) -> str:
    names = Service.objects.in_bulk([claim.service_id for claim in claims])
    return "; ".join(f"{names[claim.service_id]} by {claim.rule}" for claim in claims)


def _follow(record: StripeRecord, invoice: StripeRecord | None) -> Verdict:
    bill = _read(record)
    if isinstance(bill, Verdict):
        return bill
    if invoice is None:
        reason = f"Its invoice {record.pays} was not read yet."
        return Verdict(record, RecordState.PARKED, reason, pays=record.pays)
    verdict = Verdict(record, RecordState(invoice.state), pays=record.pays)
    if invoice.state in {RecordState.PARKED, RecordState.CONFLICT}:
        verdict.reason = f"So is its invoice: {invoice.reason}"
    if invoice.state == RecordState.CLAIMED:
        verdict.service_id, verdict.claimed_by = invoice.service_id, invoice.claimed_by
        verdict.bill, verdict.corrected = bill, read_bill(Kind.INVOICES, invoice.raw)
    return verdict


def _attribute(verdicts: Sequence[Verdict]) -> None:
    """Finds the customer and the periods of each claimed bill; without, it is parked."""
    by_service: dict[int, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.service_id is not None and verdict.bill is not None:
            by_service[verdict.service_id].append(verdict)
    for service_id, claimed in by_service.items():
        service = Service.objects.get(pk=service_id)
        known = _find_customers(service, [each.bill.customer for each in claimed if each.bill])
        everyone = [customer for customers in known.values() for customer in customers]
        calendars = read_calendars(service, everyone)
        for verdict in claimed:
            _attribute_one(verdict, service, known, calendars)


def _attribute_one(
    verdict: Verdict, service: Service, known: Mapping[str, Sequence[Customer]], calendars: Mapping[int, Any]
) -> None:
    bill = verdict.bill
    customers = known.get(bill.customer, ()) if bill else ()
    if bill is None or len(customers) != 1:
        names = " and ".join(str(customer) for customer in customers) or "none"
        who = bill.customer if bill and bill.customer else "nobody"
        return _park(verdict, f"{service} has {names} with the Stripe customer {who}: link exactly one.")
    try:
        verdict.amounts = make_amounts(bill, customers[0], calendars[customers[0].pk], verdict.corrected)
    except BillError as error:
        _park(verdict, error.message)


def _park(verdict: Verdict, reason: str) -> None:
    """It stays the service's, and counts for nothing until somebody has put it right."""
    verdict.state, verdict.reason, verdict.amounts = RecordState.PARKED, reason, ()


def _find_customers(service: Service, ids: Sequence[str]) -> Mapping[str, Sequence[Customer]]:
    found: dict[str, list[Customer]] = defaultdict(list)
    rows = Customer.objects.filter(service=service, stripe_customer_id__in={*ids} - {""})
    for customer in rows.select_related("service").order_by("pk"):
        found[customer.stripe_customer_id].append(customer)
    return found


def _read_bills(account: str, ids: Any) -> dict[str, StripeRecord]:
    rows = StripeRecord.objects.filter(account=account, stripe_id__in={*ids})
    return {row.stripe_id: row for row in rows}


def _find_payments(account: str, charges: Sequence[StripeRecord]) -> dict[str, str]:
    """Which invoice each intent, or charge without one, paid."""
    keys = {charge.intent for charge in charges if charge.intent} | {charge.stripe_id for charge in charges}
    rows = StripeRecord.objects.filter(account=account, kind=Kind.PAYMENTS, intent__in=keys)
    return dict(rows.order_by("pk").values_list("intent", "pays"))


def _names_lago(record: StripeRecord) -> bool:
    return bool(record.pays) and not record.pays.startswith("in_")


def _find_lago(ids: Sequence[str]) -> dict[str, int]:
    """The service of each Lago invoice that was read."""
    rows = SourceDocument.objects.filter(
        source=Source.LAGO_INVOICE, reference__in={*ids} - {""}, is_current=True
    )
    return dict(rows.values_list("reference", "service"))


def _only_claim(record: StripeRecord, books: Sequence[Book]) -> int | None:
    claims = find_claims(read_facts(record.raw), books)
    return claims[0].service_id if len(claims) == 1 else None
