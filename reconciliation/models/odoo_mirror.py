"""The mirror of Odoo's records that linking and pushing need; each row keeps the raw record."""

from django.contrib.postgres.fields import ArrayField
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
    """A partner (`res.partner`): who Odoo bills.

    A row from before taxes were mirrored has no company: what decides its taxes is not known.
    """

    name = models.CharField(max_length=512)
    ref = models.CharField(max_length=255, blank=True, db_index=True)
    email = models.CharField(max_length=255, blank=True)
    company_id = models.BigIntegerField(null=True, help_text="For which company its position was read.")
    position_id = models.BigIntegerField(
        "fiscal position", null=True, help_text="The one that somebody gave it; else Odoo detects one."
    )
    country_id = models.BigIntegerField(null=True)
    state_id = models.BigIntegerField("province", null=True)
    parent_id = models.BigIntegerField(null=True, db_index=True)
    address_type = models.CharField(max_length=32, blank=True)

    def __str__(self) -> str:
        return self.name


class OdooProduct(OdooRecord):
    """A product (`product.product`): what charges and plans bill as."""

    name = models.CharField(max_length=512)
    default_code = models.CharField(max_length=255, blank=True, db_index=True)
    list_price = ExactDecimalField()
    tax_ids = ArrayField(
        models.BigIntegerField(), null=True, help_text="Its sales taxes before any fiscal position."
    )

    def __str__(self) -> str:
        return self.name


class OdooPricelist(OdooRecord):
    """A pricelist (`product.pricelist`): it sets a quotation's currency."""

    name = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    company_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"


class OdooTax(OdooRecord):
    """A tax (`account.tax`): a percentage of the price, unless its kind says otherwise."""

    name = models.CharField(max_length=255)
    percent = ExactDecimalField(help_text="Odoo's amount; of a group and of a fixed tax it is none.")
    kind = models.CharField(max_length=32, help_text="Odoo's amount_type.")
    use = models.CharField(max_length=16, help_text="Odoo's type_tax_use.")
    is_included = models.BooleanField("included in the price")
    affects_base = models.BooleanField("affects the base of later taxes")
    is_active = models.BooleanField("active")
    company_id = models.BigIntegerField(db_index=True)
    child_ids = ArrayField(models.BigIntegerField(), help_text="The taxes of a group.")
    original_ids = ArrayField(
        models.BigIntegerField(), help_text="The taxes that it stands in for under its fiscal positions."
    )

    class Meta:
        verbose_name_plural = "odoo taxes"

    def __str__(self) -> str:
        return self.name


class OdooFiscalPosition(OdooRecord):
    """A fiscal position (`account.fiscal.position`): which taxes stand in for a product's own, and where."""

    name = models.CharField(max_length=255)
    sequence = models.IntegerField()
    is_automatic = models.BooleanField("detected automatically")
    is_conditional = models.BooleanField(
        "has further conditions", help_text="A VAT number, a group of countries or a range of postal codes."
    )
    is_active = models.BooleanField("active")
    company_id = models.BigIntegerField(db_index=True)
    country_id = models.BigIntegerField(null=True)
    state_ids = ArrayField(models.BigIntegerField())
    tax_ids = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return self.name


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
