"""The mirror: Odoo's partners, products, taxes, pricelists, orders and invoices as they were last read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.db import models
from django.utils import timezone

from ingest.models import Service, Subscription
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.records import (
    FiscalPosition,
    Invoice,
    Partner,
    Pricelist,
    Product,
    SubscriptionOrder,
    Tax,
)
from reconciliation.models import (
    OdooFiscalPosition,
    OdooInvoice,
    OdooOrder,
    OdooPartner,
    OdooPricelist,
    OdooProduct,
    OdooTax,
    Run,
    RunKind,
    RunStatus,
)
from reconciliation.odoo import company_of
from reconciliation.runs import Progress

BATCH = 500
OVERLAP = timedelta(days=1)


def sync(
    *, connector: OdooConnector, since: datetime | None = None, progress: Progress | None = None
) -> dict[str, int]:
    """Reads what linking and pushing need, all of it or what was written since; returns the counts per kind.

    Nothing is deleted here: what is gone in Odoo shows when a push or a fetch meets it. Taxes and fiscal
    positions are met by neither: those that Odoo has no longer are set inactive.
    """
    company_id = connector.company_id
    steps: Sequence[tuple[str, type[models.Model], Callable[[], Iterator[Any]], Callable[[Any], Any]]] = [
        ("partners", OdooPartner, lambda: connector.read_partners(since), partial(_partner, company_id)),
        ("products", OdooProduct, lambda: connector.read_products(since), _product),
        ("pricelists", OdooPricelist, connector.read_pricelists, _pricelist),
        ("orders", OdooOrder, lambda: connector.read_subscription_orders(since), _order),
        ("fiscal positions", OdooFiscalPosition, connector.read_fiscal_positions, _position),
        # The last: that there are any says that all else was read since there is a mirror of them.
        ("taxes", OdooTax, connector.read_taxes, _tax),
    ]
    started_at = timezone.now()
    counts: dict[str, int] = {}
    for name, model, read, make in steps:
        counts[name] = _keep(model, (make(record) for record in read()))
        if progress:
            progress.report(f"Mirrored {name}", len(counts), len(steps))
    for model in (OdooFiscalPosition, OdooTax):
        gone = model._default_manager.filter(company_id=company_id, mirrored_at__lt=started_at)
        gone.update(is_active=False)
    return counts


def find_start(run: Run) -> datetime | None:
    """From when on a sync has to read: with room for slow clocks and late commits, None for everything.

    The newest row in the mirror would not do: a sync that failed half-way has kept it and missed older ones,
    and another company's rows say nothing of this one's. A mirror from before taxes were mirrored lacks what
    decides them: it is read whole once more.
    """
    if not OdooTax.objects.filter(company_id=company_of(run.service)).exists():
        return None
    company_id = run.service.odoo_company_id if run.service else None
    complete = Run.objects.filter(
        kind=RunKind.SYNC,
        status=RunStatus.SUCCEEDED,
        started_at__isnull=False,
        service__odoo_company_id=company_id,
    )
    last = complete.order_by("-started_at").first()
    return last.started_at - OVERLAP if last and last.started_at else None


def sync_invoices(*, service: Service, connector: OdooConnector) -> int:
    """Reads the draft and posted invoices of a service's subscription orders; returns how many there are."""
    orders = Subscription.objects.filter(service=service, odoo_order_id__isnull=False)
    ids = [order_id for order_id in orders.values_list("odoo_order_id", flat=True).distinct() if order_id]
    if not ids:
        return 0
    known = dict(OdooOrder.objects.filter(odoo_id__in=ids).values_list("odoo_id", "pk"))
    invoices = connector.read_invoices(order_ids=ids)
    return _keep(OdooInvoice, (_invoice(invoice, known) for invoice in invoices))


def _keep(model: type[models.Model], rows: Iterable[Any]) -> int:
    """Upserts by Odoo's id, in batches; returns how many rows were read."""
    names = [field.name for field in model._meta.fields if field.name not in {"id", "odoo_id"}]
    count = 0
    remaining = map(_cut_texts, rows)
    while batch := list(islice(remaining, BATCH)):
        model._default_manager.bulk_create(
            batch, update_conflicts=True, unique_fields=["odoo_id"], update_fields=names
        )
        count += len(batch)
    return count


def _cut_texts(row: models.Model) -> models.Model:
    """Odoo's texts have no limit: one that is too long for its column must not stop the mirror; `raw` has it."""
    for field in row._meta.fields:
        if isinstance(field, models.CharField) and field.max_length:
            setattr(row, field.name, getattr(row, field.name)[: field.max_length])
    return row


def _partner(company_id: int, partner: Partner) -> OdooPartner:
    return OdooPartner(
        odoo_id=partner.id,
        name=partner.name,
        ref=partner.ref or "",
        email=partner.email or "",
        company_id=company_id,
        position_id=partner.fiscal_position_id,
        country_id=partner.country_id,
        state_id=partner.state_id,
        parent_id=partner.parent_id,
        address_type=partner.address_type,
        raw=dict(partner.raw),
        written_at=partner.write_date,
        mirrored_at=timezone.now(),
    )


def _product(product: Product) -> OdooProduct:
    return OdooProduct(
        odoo_id=product.id,
        name=product.name,
        default_code=product.default_code or "",
        list_price=product.list_price,
        tax_ids=list(product.tax_ids),
        raw=dict(product.raw),
        written_at=product.write_date,
        mirrored_at=timezone.now(),
    )


def _pricelist(pricelist: Pricelist) -> OdooPricelist:
    return OdooPricelist(
        odoo_id=pricelist.id,
        name=pricelist.name,
        currency=pricelist.currency,
        company_id=pricelist.company_id,
        raw=dict(pricelist.raw),
        mirrored_at=timezone.now(),
    )


def _position(position: FiscalPosition) -> OdooFiscalPosition:
    return OdooFiscalPosition(
        odoo_id=position.id,
        name=position.name,
        sequence=position.sequence,
        is_automatic=position.is_automatic,
        is_conditional=position.is_conditional,
        is_active=position.is_active,
        company_id=position.company_id,
        country_id=position.country_id,
        state_ids=list(position.state_ids),
        tax_ids=list(position.tax_ids),
        raw=dict(position.raw),
        written_at=position.write_date,
        mirrored_at=timezone.now(),
    )


def _tax(tax: Tax) -> OdooTax:
    return OdooTax(
        odoo_id=tax.id,
        name=tax.name,
        percent=tax.amount,
        kind=tax.amount_type,
        use=tax.use,
        is_included=tax.is_price_included,
        affects_base=tax.affects_base,
        is_active=tax.is_active,
        company_id=tax.company_id,
        child_ids=list(tax.child_ids),
        original_ids=list(tax.original_ids),
        raw=dict(tax.raw),
        written_at=tax.write_date,
        mirrored_at=timezone.now(),
    )


def _order(order: SubscriptionOrder) -> OdooOrder:
    return OdooOrder(
        odoo_id=order.id,
        name=order.name,
        state=order.state,
        partner_id=order.partner_id,
        pricelist_id=order.pricelist_id,
        currency=order.currency,
        client_order_ref=order.client_order_ref or "",
        plan_name=order.plan[1] if order.plan else "",
        subscription_state=order.subscription_state or "",
        next_invoice_date=order.next_invoice_date,
        untaxed=order.untaxed,
        total=order.total,
        raw=dict(order.raw),
        written_at=order.write_date,
        mirrored_at=timezone.now(),
    )


def _invoice(invoice: Invoice, orders: Mapping[int, int]) -> OdooInvoice:
    order_ids = [orders[order_id] for order_id in invoice.order_ids if order_id in orders]
    return OdooInvoice(
        odoo_id=invoice.id,
        name=invoice.name or "",
        state=invoice.state,
        move_type=invoice.move_type,
        partner_id=invoice.partner_id,
        order_id=order_ids[0] if order_ids else None,
        invoice_date=invoice.invoice_date,
        payment_state=invoice.payment_state,
        currency=invoice.currency,
        untaxed=invoice.untaxed,
        tax=invoice.tax,
        total=invoice.total,
        raw=dict(invoice.raw),
        written_at=invoice.write_date,
        mirrored_at=timezone.now(),
    )
