"""The bills of a service's periods: what the console expects, and what Odoo made of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from ingest.metering.arithmetic import ZERO
from ingest.models import Customer
from ingest.rating.money import EXPONENTS
from reconciliation.models import Amount, Reconciliation, Side


class Kind(StrEnum):
    """Whose bill it is."""

    EXPECTED = "expected"
    ODOO = "odoo"


class BillStatus(StrEnum):
    """How far a bill has come (names as in Lago)."""

    DRAFT = "draft"
    FINALIZED = "finalized"
    VOIDED = "voided"


# Odoo's states of orders and invoices; any other is a draft.
STATUS_OF_STATE: Mapping[str, BillStatus] = {
    "posted": BillStatus.FINALIZED,
    "sale": BillStatus.FINALIZED,
    "cancel": BillStatus.VOIDED,
}


@dataclass(frozen=True, slots=True)
class ExpectedBill:
    """What the console's own rating says that a period costs: always a draft, for it bills nobody."""

    row: Reconciliation
    kind: Kind = Kind.EXPECTED
    status: BillStatus = BillStatus.DRAFT

    @property
    def untaxed(self) -> Decimal:
        """The sum before tax."""
        return self.row.expected_untaxed or ZERO

    @property
    def tax(self) -> Decimal:
        """The tax by Odoo's mirror; none where it is not known."""
        return self.row.expected_tax or ZERO

    @property
    def total(self) -> Decimal:
        """The sum with the tax that is known."""
        return self.untaxed + self.tax

    @property
    def number(self) -> str:
        """A name that no document of Odoo's has."""
        return f"EXPECTED-{self.row.period_label}-{self.row.public_id.hex[:8]}"

    @property
    def version(self) -> int:
        """Rises with each change."""
        return self.row.version

    @property
    def updated_at(self) -> datetime:
        """When it was reconciled last."""
        return self.row.reconciled_at

    @property
    def note(self) -> str:
        """Why no tax is known."""
        return self.row.untaxed_because


@dataclass(frozen=True, slots=True)
class OdooBill:
    """What a document of Odoo's says that a period costs."""

    row: Amount
    kind: Kind = Kind.ODOO

    @property
    def status(self) -> BillStatus:
        """By the document's state in Odoo."""
        return STATUS_OF_STATE.get(self.row.state, BillStatus.DRAFT)

    @property
    def untaxed(self) -> Decimal:
        """The sum before tax, or what is left of the total where only that is stated."""
        return self.total - self.tax if self.row.untaxed is None else self.row.untaxed

    @property
    def tax(self) -> Decimal:
        """The tax; none where the document does not state it."""
        return self.row.tax or ZERO

    @property
    def total(self) -> Decimal:
        """The sum with tax, as far as it is stated."""
        return (self.row.untaxed or ZERO) if self.row.total is None else self.row.total

    @property
    def number(self) -> str:
        """What Odoo calls it."""
        return str(self.row.document.content.get("name") or self.row.public_id)

    @property
    def version(self) -> int:
        """Rises with each change of the document."""
        return self.row.document.version

    @property
    def updated_at(self) -> datetime:
        """When it was fetched last."""
        return self.row.fetched_at

    @property
    def note(self) -> str:
        """Nothing: Odoo computed its tax itself."""
        return ""


Bill = ExpectedBill | OdooBill


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bills are asked for; what is None or empty does not narrow down. Amounts are in minor units."""

    external_customer_id: str = ""
    currency: str = ""
    statuses: Sequence[str] = ()
    issued_from: date | None = None
    issued_to: date | None = None
    cents_from: int | None = None
    cents_to: int | None = None


class BillList:
    """A service's bills, newest period first: counted and cut in the database, then read whole."""

    def __init__(self, service_id: int, wanted: Wanted) -> None:
        expected = (
            _expected(service_id) if _is_wanted(BillStatus.DRAFT, wanted) else Reconciliation.objects.none()
        )
        self._rows = (
            _keys(expected, Kind.EXPECTED, wanted)
            .union(_keys(_of_odoo(service_id, wanted), Kind.ODOO, wanted), all=True)
            .order_by("-period_end", "kind", "-pk")
        )

    def count(self) -> int:
        """How many there are."""
        return self._rows.count()

    def read(self, start: int, size: int) -> list[Bill]:
        """Some of them, in three queries."""
        keys = [(Kind(kind), key) for key, kind, _ in self._rows[start : start + size]]
        expected = Reconciliation.objects.in_bulk([key for kind, key in keys if kind == Kind.EXPECTED])
        amounts = Amount.objects.select_related("document").in_bulk(
            [key for kind, key in keys if kind == Kind.ODOO]
        )
        bills: dict[tuple[Kind, int], Bill] = {
            **{(Kind.EXPECTED, key): ExpectedBill(row) for key, row in expected.items()},
            **{(Kind.ODOO, key): OdooBill(row) for key, row in amounts.items()},
        }
        _add_customers(bills.values())
        return [bills[key] for key in keys if key in bills]


def find_bill(*, service_id: int, public_id: UUID) -> Bill | None:
    """The bill of that id, whichever side it is of."""
    expected = _expected(service_id).select_related("customer__service").filter(public_id=public_id).first()
    if expected is not None:
        return ExpectedBill(expected)
    amounts = _of_odoo(service_id, Wanted()).select_related("customer__service", "document")
    amount = amounts.filter(public_id=public_id).first()
    return OdooBill(amount) if amount else None


def _expected(service_id: int) -> QuerySet[Reconciliation]:
    return Reconciliation.objects.filter(service=service_id, expected_untaxed__isnull=False)


def _of_odoo(service_id: int, wanted: Wanted) -> QuerySet[Amount]:
    rows = Amount.objects.filter(service=service_id, side=Side.ODOO, is_current=True)
    if not wanted.statuses:
        return rows
    known = {state for state, status in STATUS_OF_STATE.items() if status in wanted.statuses}
    is_wanted = Q(state__in=known)
    if _is_wanted(BillStatus.DRAFT, wanted):
        is_wanted |= ~Q(state__in=STATUS_OF_STATE)
    return rows.filter(is_wanted)


def _is_wanted(status: BillStatus, wanted: Wanted) -> bool:
    return not wanted.statuses or status in wanted.statuses


def _keys(rows: QuerySet[Any], kind: Kind, wanted: Wanted) -> QuerySet[Any]:
    """Key, kind and period end of the rows that are asked for."""
    total = (
        F("expected_untaxed") + Coalesce("expected_tax", Value(ZERO))
        if kind == Kind.EXPECTED
        else Coalesce("total", "untaxed")
    )
    if wanted.external_customer_id:
        rows = rows.filter(customer__external_id=wanted.external_customer_id)
    if wanted.currency:
        rows = rows.filter(currency=wanted.currency)
    if wanted.issued_from:
        rows = rows.filter(period_end__date__gte=wanted.issued_from)
    if wanted.issued_to:
        rows = rows.filter(period_end__date__lte=wanted.issued_to)
    if wanted.cents_from is not None or wanted.cents_to is not None:
        rows = rows.annotate(cents=total * _minor_units())
    if wanted.cents_from is not None:
        rows = rows.filter(cents__gte=wanted.cents_from)
    if wanted.cents_to is not None:
        rows = rows.filter(cents__lte=wanted.cents_to)
    named = rows.order_by().annotate(kind=Value(str(kind), CharField()))
    return named.values_list("pk", "kind", "period_end")


def _minor_units() -> Case:
    """How many minor units one of a row's currency has."""
    by_exponent: dict[int, list[str]] = {}
    for currency, exponent in EXPONENTS.items():
        by_exponent.setdefault(exponent, []).append(currency)
    whens = [When(currency__in=names, then=Value(10**exponent)) for exponent, names in by_exponent.items()]
    return Case(*whens, default=Value(100), output_field=IntegerField())


def _add_customers(bills: Iterable[Bill]) -> None:
    rows = [bill.row for bill in bills]
    customers = Customer.objects.select_related("service").in_bulk({row.customer_id for row in rows})
    for row in rows:
        row.customer = customers[row.customer_id]
