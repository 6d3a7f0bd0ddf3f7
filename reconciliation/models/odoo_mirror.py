"""The mirror of Odoo's records that linking, pushing and comparing need; each row keeps the raw record."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ingest.models.fields import ExactDecimalField


class OdooRecord(models.Model):
    """One record of Odoo as it was last read; one that is gone there is kept, and says since when."""

    odoo_id = models.BigIntegerField(unique=True)
    company_id = models.BigIntegerField(null=True, help_text="The company that it was read for.")
    raw = models.JSONField()
    written_at = models.DateTimeField(null=True, help_text="Odoo's own write date.")
    mirrored_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="When Odoo was found to have it no more.")

    class Meta:
        abstract = True


class OdooPartner(OdooRecord):
    """A partner (`res.partner`): who Odoo bills.

    A row from before taxes were mirrored has no company: what decides its taxes is not known.
    """

    name = models.CharField(max_length=512)
    ref = models.CharField(max_length=255, blank=True, db_index=True)
    email = models.CharField(max_length=255, blank=True)
    vat = models.CharField("tax id", max_length=64, blank=True)
    position_id = models.BigIntegerField(
        "fiscal position", null=True, help_text="The one that somebody gave it; else Odoo detects one."
    )
    country_id = models.BigIntegerField(null=True)
    state_id = models.BigIntegerField("province", null=True)
    parent_id = models.BigIntegerField(null=True, db_index=True)
    address_type = models.CharField(max_length=32, blank=True)
    is_active = models.BooleanField("active", default=True)

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
    is_recurring = models.BooleanField(
        "recurring", null=True, help_text="Whether a subscription bills it each period."
    )
    is_active = models.BooleanField("active", default=True)

    def __str__(self) -> str:
        return self.name


class OdooPricelist(OdooRecord):
    """A pricelist (`product.pricelist`): it sets a quotation's currency; one of no company is everybody's."""

    name = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    company_id = models.BigIntegerField(null=True)
    is_active = models.BooleanField("active", default=True)

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


class OdooPlan(OdooRecord):
    """A recurring plan (`sale.subscription.plan`): how often Odoo bills a subscription."""

    name = models.CharField(max_length=255)
    every = models.IntegerField(help_text="So many of the unit.")
    unit = models.CharField(max_length=16)

    def __str__(self) -> str:
        return self.name


class OdooOrder(OdooRecord):
    """A subscription order (`sale.order`)."""

    name = models.CharField(max_length=64)
    state = models.CharField(max_length=32)
    partner_id = models.BigIntegerField(db_index=True)
    pricelist_id = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    client_order_ref = models.CharField(max_length=255, blank=True, db_index=True)
    plan_id = models.BigIntegerField(null=True)
    plan_name = models.CharField(max_length=255, blank=True)
    subscription_state = models.CharField(max_length=32, blank=True)
    start_date = models.DateField(null=True)
    next_invoice_date = models.DateField(null=True)
    untaxed = ExactDecimalField()
    tax = ExactDecimalField(null=True)
    total = ExactDecimalField()

    def __str__(self) -> str:
        return self.name


class OdooOrderLine(OdooRecord):
    """A line of a subscription order (`sale.order.line`), in the order's currency."""

    order_id = models.BigIntegerField(db_index=True)
    product_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=1024)
    quantity = ExactDecimalField()
    delivered = ExactDecimalField()
    invoiced = ExactDecimalField()
    to_invoice = ExactDecimalField()
    price_unit = ExactDecimalField()
    untaxed = ExactDecimalField()
    total = ExactDecimalField()
    untaxed_to_invoice = ExactDecimalField()
    tax_ids = ArrayField(models.BigIntegerField())
    external_id = models.CharField(
        max_length=255, blank=True, help_text="Its oldest one: ours, if we made it."
    )

    def __str__(self) -> str:
        return self.name


class OdooInvoice(OdooRecord):
    """An invoice or credit note (`account.move`), draft or posted; amounts of credit notes are negative."""

    name = models.CharField(max_length=64, blank=True)
    ref = models.CharField(max_length=512, blank=True)
    state = models.CharField(max_length=16)
    move_type = models.CharField(max_length=16)
    partner_id = models.BigIntegerField(db_index=True)
    invoice_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    payment_state = models.CharField(max_length=32, blank=True)
    currency = models.CharField(max_length=3)
    untaxed = ExactDecimalField()
    tax = ExactDecimalField()
    total = ExactDecimalField()
    reversed_id = models.BigIntegerField(null=True, help_text="The invoice that a credit note reverses.")

    def __str__(self) -> str:
        return self.name or f"draft {self.odoo_id}"


class OdooInvoiceLine(OdooRecord):
    """A line of an invoice that bills something, or one of its taxes, as Odoo shows it (`account.move.line`).

    Positive on a credit note too, but for `balance`, in the company's currency: what an invoice earns is negative.
    """

    move_id = models.BigIntegerField("invoice", db_index=True)
    display_type = models.CharField(max_length=32)
    product_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=1024, blank=True)
    quantity = ExactDecimalField()
    price_unit = ExactDecimalField()
    untaxed = ExactDecimalField()
    total = ExactDecimalField()
    balance = ExactDecimalField()
    tax_ids = ArrayField(models.BigIntegerField())
    sale_line_ids = ArrayField(models.BigIntegerField())
    deferred_from = models.DateField(null=True)
    deferred_to = models.DateField(null=True, help_text="The last day, inclusive.")
    external_id = models.CharField(
        max_length=255, blank=True, help_text="Its oldest one: ours, if we made it."
    )

    def __str__(self) -> str:
        return self.name


class MirrorCursor(models.Model):
    """How far the mirror of one kind of record is, for one company of Odoo's.

    A pass reads what was written since the one before, page by page: `after_id` moves in the transaction that
    stores a page, so that whoever goes on loses nothing.
    """

    company_id = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    since = models.DateTimeField(null=True, help_text="What the pass reads from; empty is everything.")
    started_at = models.DateTimeField(
        null=True, help_text="When the pass under way began; empty between two."
    )
    after_id = models.BigIntegerField(default=0, help_text="The last id of the pass that is stored.")
    newest = models.DateTimeField(null=True, help_text="The latest write date of the pass, by Odoo's clock.")
    completed_at = models.DateTimeField(null=True, help_text="When the mirror was last complete.")
    compared_at = models.DateTimeField(null=True, help_text="When the ids of both sides were last compared.")
    error = models.TextField(blank=True, help_text="Why Odoo does not let it be read.")

    class Meta:
        ordering = ["company_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["company_id", "kind"], name="cursor_once_per_kind"),
            models.CheckConstraint(
                condition=Q(started_at__isnull=False) | Q(after_id=0), name="cursor_rests_at_the_beginning"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class OdooTaxPast(models.Model):
    """What a tax charged until an instant: from then on its next past says it, or the mirror itself.

    A closed period is taxed by what held at its end, whatever rate comes after it.
    """

    company_id = models.BigIntegerField()
    odoo_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    percent = ExactDecimalField()
    kind = models.CharField(max_length=32)
    is_included = models.BooleanField("included in the price")
    affects_base = models.BooleanField("affects the base of later taxes")
    is_active = models.BooleanField("active")
    until = models.DateTimeField()
    noticed_at = models.DateTimeField()

    class Meta:
        ordering = ["company_id", "odoo_id", "until"]
        constraints = [models.UniqueConstraint(fields=["odoo_id", "until"], name="past_ends_once")]

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%Y-%m-%d %H:%M}"
