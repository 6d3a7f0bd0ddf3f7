"""Which table mirrors which kind of Odoo's records, and the columns that are made of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciliation.connectors.odoo.invoices import INVOICE_LINES, INVOICES
from reconciliation.connectors.odoo.kinds import Kind
from reconciliation.connectors.odoo.mirror import PARTNERS, PLANS, PRICELISTS, PRODUCTS
from reconciliation.connectors.odoo.orders import ORDER_LINES, ORDERS
from reconciliation.connectors.odoo.records import (
    FiscalPosition,
    Invoice,
    InvoiceLine,
    OrderLine,
    Partner,
    Pricelist,
    Product,
    RecurringPlan,
    SubscriptionOrder,
    Tax,
)
from reconciliation.connectors.odoo.taxes import FISCAL_POSITIONS, TAXES
from reconciliation.models import (
    OdooFiscalPosition,
    OdooInvoice,
    OdooInvoiceLine,
    OdooOrder,
    OdooOrderLine,
    OdooPartner,
    OdooPlan,
    OdooPricelist,
    OdooProduct,
    OdooTax,
)
from reconciliation.models.odoo_mirror import OdooRecord

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of record, the table that mirrors it, and the columns of a row; a row's own ones come first."""

    kind: Kind[Any]
    model: type[OdooRecord]
    columns: Callable[[Any], Columns]

    @property
    def name(self) -> str:
        return self.kind.name


def _partner(partner: Partner) -> Columns:
    return {
        "name": partner.name,
        "ref": partner.ref or "",
        "email": partner.email or "",
        "vat": partner.vat or "",
        "position_id": partner.fiscal_position_id,
        "country_id": partner.country_id,
        "state_id": partner.state_id,
        "parent_id": partner.parent_id,
        "address_type": partner.address_type,
        "is_active": partner.is_active,
    }


def _product(product: Product) -> Columns:
    return {
        "name": product.name,
        "default_code": product.default_code or "",
        "list_price": product.list_price,
        "tax_ids": product.tax_ids,
        "is_recurring": product.is_recurring,
        "is_active": product.is_active,
    }


def _pricelist(pricelist: Pricelist) -> Columns:
    return {
        "name": pricelist.name,
        "currency": pricelist.currency,
        "company_id": pricelist.company_id,
        "is_active": pricelist.is_active,
    }


def _tax(tax: Tax) -> Columns:
    return {
        "name": tax.name,
        "percent": tax.amount,
        "kind": tax.amount_type,
        "use": tax.use,
        "is_included": tax.is_price_included,
        "affects_base": tax.affects_base,
        "is_active": tax.is_active,
        "child_ids": tax.child_ids,
        "original_ids": tax.original_ids,
    }


def _position(position: FiscalPosition) -> Columns:
    return {
        "name": position.name,
        "sequence": position.sequence,
        "is_automatic": position.is_automatic,
        "is_conditional": position.is_conditional,
        "is_active": position.is_active,
        "country_id": position.country_id,
        "state_ids": position.state_ids,
        "tax_ids": position.tax_ids,
    }


def _plan(plan: RecurringPlan) -> Columns:
    return {"name": plan.name, "every": plan.every, "unit": plan.unit}


def _order(order: SubscriptionOrder) -> Columns:
    return {
        "name": order.name,
        "state": order.state,
        "partner_id": order.partner_id,
        "pricelist_id": order.pricelist_id,
        "currency": order.currency,
        "client_order_ref": order.client_order_ref or "",
        "plan_id": order.plan[0] if order.plan else None,
        "plan_name": order.plan[1] if order.plan else "",
        "subscription_state": order.subscription_state or "",
        "start_date": order.start_date,
        "next_invoice_date": order.next_invoice_date,
        "untaxed": order.untaxed,
        "tax": order.tax,
        "total": order.total,
    }


def _order_line(line: OrderLine) -> Columns:
    return {
        "order_id": line.order_id,
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "delivered": line.delivered,
        "invoiced": line.invoiced,
        "to_invoice": line.to_invoice,
        "price_unit": line.price_unit,
        "untaxed": line.untaxed,
        "total": line.total,
        "untaxed_to_invoice": line.untaxed_to_invoice,
        "tax_ids": line.tax_ids,
        "external_id": line.external_id,
    }


def _invoice(invoice: Invoice) -> Columns:
    return {
        "name": invoice.name or "",
        "ref": invoice.ref or "",
        "state": invoice.state,
        "move_type": invoice.move_type,
        "partner_id": invoice.partner_id,
        "invoice_date": invoice.invoice_date,
        "due_date": invoice.due_date,
        "payment_state": invoice.payment_state,
        "currency": invoice.currency,
        "untaxed": invoice.untaxed,
        "tax": invoice.tax,
        "total": invoice.total,
        "reversed_id": invoice.reversed_id,
    }


def _invoice_line(line: InvoiceLine) -> Columns:
    return {
        "move_id": line.move_id,
        "display_type": line.display_type,
        "product_id": line.product_id,
        "name": line.name or "",
        "quantity": line.quantity,
        "price_unit": line.price_unit,
        "untaxed": line.untaxed,
        "total": line.total,
        "balance": line.balance,
        "tax_ids": line.tax_ids,
        "sale_line_ids": line.sale_line_ids,
        "deferred_from": line.deferred_from,
        "deferred_to": line.deferred_to,
        "external_id": line.external_id,
    }


BILLED = (
    Shelf(INVOICES, OdooInvoice, _invoice),
    Shelf(INVOICE_LINES, OdooInvoiceLine, _invoice_line),
)
ORDERED = (
    Shelf(ORDERS, OdooOrder, _order),
    Shelf(ORDER_LINES, OdooOrderLine, _order_line),
)

# What others refer to comes before them, for who looks at the mirror while it is filled.
SHELVES = (
    Shelf(PARTNERS, OdooPartner, _partner),
    Shelf(PRODUCTS, OdooProduct, _product),
    Shelf(PRICELISTS, OdooPricelist, _pricelist),
    Shelf(FISCAL_POSITIONS, OdooFiscalPosition, _position),
    Shelf(TAXES, OdooTax, _tax),
    Shelf(PLANS, OdooPlan, _plan),
    *ORDERED,
    *BILLED,
)
