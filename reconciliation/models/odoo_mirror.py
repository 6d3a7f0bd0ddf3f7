"""The mirror of Odoo's records that linking and pushing need; each row keeps the raw record."""

from django.db import models

from ingest.models.fields import ExactDecimalField


class OdooRecord(models.Model):
    """One record of Odoo as it was last read."""

    odoo_id = models.BigIntegerField(unique=True)
    raw = models.JSONField()
    written_at = models.DateTimeField(null=True, help_text="Odoo's own write date.")
    mirrored_at = models.DateTimeField()

    class Meta:
        abstract = True


class OdooPartner(OdooRecord):
    """A partner (`res.partner`): who Odoo bills."""

    name = models.CharField(max_length=512)
    ref = models.CharField(max_length=255, blank=True, db_index=True)
    email = models.CharField(max_length=255, blank=True)

    def __str__(self) -> str:
        return self.name


class OdooProduct(OdooRecord):
    """A product (`product.product`): what charges and plans bill as."""

    name = models.CharField(max_length=512)
    default_code = models.CharField(max_length=255, blank=True, db_index=True)
    list_price = ExactDecimalField()

    def __str__(self) -> str:
        return self.name


class OdooPricelist(OdooRecord):
    """A pricelist (`product.pricelist`): it sets a quotation's currency."""

    name = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    company_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"


class OdooOrder(OdooRecord):
    """A subscription order (`sale.order`) with its lines in the raw record."""

    name = models.CharField(max_length=64)
    state = models.CharField(max_length=32)
    partner_id = models.BigIntegerField(db_index=True)
    pricelist_id = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    client_order_ref = models.CharField(max_length=255, blank=True, db_index=True)
    plan_name = models.CharField(max_length=255, blank=True)
    subscription_state = models.CharField(max_length=32, blank=True)
    next_invoice_date = models.DateField(null=True)
    untaxed = ExactDecimalField()
    total = ExactDecimalField()

    def __str__(self) -> str:
        return self.name


class OdooInvoice(OdooRecord):
    """An invoice or credit note (`account.move`), draft or posted; amounts of credit notes are negative."""

    name = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=16)
    move_type = models.CharField(max_length=16)
    partner_id = models.BigIntegerField(db_index=True)
    order = models.ForeignKey(OdooOrder, null=True, on_delete=models.PROTECT, related_name="invoices")
    invoice_date = models.DateField(null=True)
    payment_state = models.CharField(max_length=32, blank=True)
    currency = models.CharField(max_length=3)
    untaxed = ExactDecimalField()
    tax = ExactDecimalField()
    total = ExactDecimalField()

    def __str__(self) -> str:
        return self.name or f"draft {self.odoo_id}"
