"""What Odoo's taxes charged at an instant: their pasts, kept when the mirror sees them change.

Rates alone have a history. Which taxes a product has, and what stands in for them where, is taken as it is set up
now: who corrects that in Odoo corrects what is expected of past periods too.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import QuerySet

from reconciliation.comparison.taxation import FiscalPosition, Tax, TaxChart
from reconciliation.connectors.odoo.records import Tax as OdoosTax
from reconciliation.models import OdooFiscalPosition, OdooTax, OdooTaxPast

# The columns that decide what a tax charges; a past has them too.
CHARGED = ("percent", "kind", "is_included", "affects_base", "is_active")


def keep_past(*, taxes: Sequence[OdoosTax], now: datetime) -> None:
    """Keeps what the mirrored taxes charged that these are about to change.

    Call it in the transaction that stores them. A change is dated by Odoo's write date where that is later than
    the mirror last saw the tax as it was, else by when it is noticed.
    """
    known = OdooTax.objects.in_bulk([tax.id for tax in taxes], field_name="odoo_id")
    pasts = []
    for tax in taxes:
        row = known.get(tax.id)
        told = (tax.amount, tax.amount_type, tax.is_price_included, tax.affects_base, tax.is_active)
        if row is not None and told != tuple(getattr(row, name) for name in CHARGED):
            until = tax.write_date if tax.write_date > row.mirrored_at else now
            pasts.append(_past(row, until, now))
    OdooTaxPast.objects.bulk_create(pasts, ignore_conflicts=True)


def keep_end(*, ids: Collection[int], now: datetime) -> None:
    """Keeps what these rows charged until Odoo had them no more, and sets them inactive."""
    rows = OdooTax.objects.filter(pk__in=ids, is_active=True)
    OdooTaxPast.objects.bulk_create([_past(row, now, now) for row in rows], ignore_conflicts=True)
    rows.update(is_active=False)


class TaxCharts:
    """The taxes and fiscal positions of a company as the mirror has them, with the rates of any instant."""

    def __init__(self, company_id: int) -> None:
        self._company_id = company_id
        self._taxes = list(OdooTax.objects.filter(company_id=company_id).defer("raw"))
        positions = OdooFiscalPosition.objects.filter(company_id=company_id).defer("raw")
        self._positions = [_read_position(position) for position in positions]
        self._pasts: list[OdooTaxPast] | None = None
        self._charts: dict[datetime | None, TaxChart] = {}

    def at(self, instant: datetime | None) -> TaxChart:
        """The chart with the rates that held at an instant, today's for None; pasts are read once."""
        if instant not in self._charts:
            pasts = [past for past in self._read_pasts() if instant < past.until] if instant else []
            # The latest first, so that the one that ended next after the instant is what is left.
            charged: dict[int, OdooTaxPast] = {past.odoo_id: past for past in pasts}
            taxes = {tax.odoo_id: _read_tax(tax, charged.get(tax.odoo_id, tax)) for tax in self._taxes}
            self._charts[instant] = TaxChart(taxes=taxes, positions=self._positions)
        return self._charts[instant]

    def _read_pasts(self) -> list[OdooTaxPast]:
        if self._pasts is None:
            rows: QuerySet[OdooTaxPast] = OdooTaxPast.objects.filter(company_id=self._company_id)
            self._pasts = list(rows.order_by("-until"))
        return self._pasts


def _past(row: OdooTax, until: datetime, now: datetime) -> OdooTaxPast:
    charged = {name: getattr(row, name) for name in CHARGED}
    return OdooTaxPast(
        company_id=row.company_id,
        odoo_id=row.odoo_id,
        name=row.name,
        until=until,
        noticed_at=now,
        **charged,
    )


def _read_tax(tax: OdooTax, charged: OdooTax | OdooTaxPast) -> Tax:
    return Tax(
        id=tax.odoo_id,
        name=tax.name,
        percent=charged.percent,
        kind=charged.kind,
        is_included=charged.is_included,
        affects_base=charged.affects_base,
        is_active=charged.is_active,
        child_ids=tuple(tax.child_ids),
        original_ids=tuple(tax.original_ids),
    )


def _read_position(position: OdooFiscalPosition) -> FiscalPosition:
    return FiscalPosition(
        id=position.odoo_id,
        name=position.name,
        tax_ids=tuple(position.tax_ids),
        country_id=position.country_id,
        state_ids=tuple(position.state_ids),
        sequence=position.sequence,
        is_automatic=position.is_automatic and position.is_active,
        is_conditional=position.is_conditional,
    )
