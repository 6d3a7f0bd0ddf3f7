"""Factories of what is mirrored of Odoo."""

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from reconciliation import models as reconciliation
from tests.factories.base import SEEN_AT


class OdooRecordFactory(DjangoModelFactory):
    """The base of mirrored rows."""

    class Meta:
        abstract = True

    odoo_id = factory.Sequence(lambda n: 1000 + n)
    raw = factory.LazyFunction(dict)
    mirrored_at = SEEN_AT


class OdooPartnerFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooPartner

    name = factory.Sequence(lambda n: f"Partner {n}")


class OdooProductFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooProduct

    name = factory.Sequence(lambda n: f"Product {n}")
    list_price = Decimal("99.00")


class OdooTaxFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooTax

    name = "13% HST"
    percent = Decimal("13.0")
    kind = "percent"
    use = "sale"
    is_included = False
    affects_base = False
    is_active = True
    company_id = 1
    child_ids = factory.LazyFunction(list)
    original_ids = factory.LazyFunction(list)


class OdooFiscalPositionFactory(OdooRecordFactory):
    """A position of one province; `tax_ids` are what it charges."""

    class Meta:
        model = reconciliation.OdooFiscalPosition

    name = factory.Sequence(lambda n: f"Position {n}")
    sequence = 0
    is_automatic = True
    is_conditional = False
    is_active = True
    company_id = 1
    country_id = 38
    state_ids = factory.LazyFunction(list)
    tax_ids = factory.LazyFunction(list)


class OdooPricelistFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooPricelist

    name = "Public"
    currency = "CAD"


class OdooOrderFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooOrder

    name = factory.Sequence(lambda n: f"S{n:05}")
    state = "draft"
    partner_id = 1001
    currency = "CAD"
    untaxed = Decimal("100.00")
    total = Decimal("113.00")


class OdooInvoiceFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooInvoice

    name = factory.Sequence(lambda n: f"INV/2026/{n:05}")
    state = "posted"
    move_type = "out_invoice"
    partner_id = 1001
    currency = "CAD"
    untaxed = Decimal("100.00")
    tax = Decimal("13.00")
    total = Decimal("113.00")


class OdooPlanFactory(OdooRecordFactory):
    class Meta:
        model = reconciliation.OdooPlan

    name = "Monthly"
    every = 1
    unit = "month"


class OdooOrderLineFactory(OdooRecordFactory):
    """A plan at 100.00 that is still to be invoiced."""

    class Meta:
        model = reconciliation.OdooOrderLine

    order_id = 1
    name = "Pro"
    quantity = Decimal(1)
    delivered = Decimal(0)
    invoiced = Decimal(0)
    to_invoice = Decimal(1)
    price_unit = Decimal("100.00")
    untaxed = Decimal("100.00")
    total = Decimal("113.00")
    untaxed_to_invoice = Decimal("100.00")
    tax_ids = factory.LazyFunction(list)


class OdooInvoiceLineFactory(OdooRecordFactory):
    """A line of 100.00 and 13.00 of tax."""

    class Meta:
        model = reconciliation.OdooInvoiceLine

    move_id = 1
    display_type = "product"
    name = "Pro"
    quantity = Decimal(1)
    price_unit = Decimal("100.00")
    untaxed = Decimal("100.00")
    total = Decimal("113.00")
    balance = factory.LazyAttribute(lambda line: -line.untaxed)
    tax_ids = factory.LazyFunction(list)
    sale_line_ids = factory.LazyFunction(list)


class MirrorCursorFactory(DjangoModelFactory):
    """A kind that is completely mirrored."""

    class Meta:
        model = reconciliation.MirrorCursor

    company_id = 1
    kind = factory.Sequence(lambda n: f"kind {n}")
    completed_at = SEEN_AT


class OdooTaxPastFactory(DjangoModelFactory):
    """A tax that was at 15 % until then."""

    class Meta:
        model = reconciliation.OdooTaxPast

    company_id = 1
    odoo_id = factory.Sequence(lambda n: 1000 + n)
    name = "HST"
    percent = Decimal("15.0")
    kind = "percent"
    is_included = False
    affects_base = False
    is_active = True
    until = SEEN_AT
    noticed_at = SEEN_AT
