"""The mirror: Odoo's partners, products, pricelists, orders and invoices as they were last read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import models
from django.utils import timezone

from ingest.models import Service, Subscription
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.records import Invoice, Partner, Pricelist, Product, SubscriptionOrder
from reconciliation.models import OdooInvoice, OdooOrder, OdooPartner, OdooPricelist, OdooProduct
from reconciliation.runs import Progress

BATCH = 500


def sync(*, connector: OdooConnector, progress: Progress | None = None) -> dict[str, int]:
    """Reads everything that linking and pushing need and keeps it; returns the counts per kind.

    Reads only what was written since the newest row of each kind, with the connector's overlap. Nothing is
    deleted here: what is gone in Odoo shows when a push or a fetch meets it.
    """
    steps: Sequence[tuple[str, type[models.Model], Callable[[], Iterator[Any]], Callable[[Any], Any]]] = [
        ("partners", OdooPartner, lambda: connector.read_partners(_newest(OdooPartner)), _partner),
        ("products", OdooProduct, lambda: connector.read_products(_newest(OdooProduct)), _product),
        ("pricelists", OdooPricelist, connector.read_pricelists, _pricelist),
        ("orders", OdooOrder, lambda: connector.read_subscription_orders(_newest(OdooOrder)), _order),
    ]
    counts: dict[str, int] = {}
    for name, model, read, make in steps:
        counts[name] = _keep(model, (make(record) for record in read()))
        if progress:
            progress.report(f"Mirrored {name}", len(counts), len(steps))
    return counts


def sync_invoices(*, service: Service, connector: OdooConnector) -> int:
    """Reads the draft and posted invoices of a service's subscription orders; returns how many there are."""
    orders = Subscription.objects.filter(service=service, odoo_order_id__isnull=False)
    ids = [order_id for order_id in orders.values_list("odoo_order_id", flat=True).distinct() if order_id]
    if not ids:
        return 0
    known = dict(OdooOrder.objects.filter(odoo_id__in=ids).values_list("odoo_id", "pk"))
    invoices = connector.read_invoices(order_ids=ids)
    return _keep(OdooInvoice, (_invoice(invoice, known) for invoice in invoices))


def _newest(model: type[models.Model]) -> datetime | None:
    newest: datetime | None = model._default_manager.aggregate(newest=models.Max("written_at"))["newest"]
    return newest


def _keep(model: type[models.Model], rows: Iterable[Any]) -> int:
    """Upserts by Odoo's id, in batches; returns how many rows were read."""
    names = [field.name for field in model._meta.fields if field.name not in {"id", "odoo_id"}]
    count = 0
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        model._default_manager.bulk_create(
            batch, update_conflicts=True, unique_fields=["odoo_id"], update_fields=names
        )
        count += len(batch)
    return count


def _partner(partner: Partner) -> OdooPartner:
    return OdooPartner(
        odoo_id=partner.id,
        name=partner.name,
        ref=partner.ref or "",
        email=partner.email or "",
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
