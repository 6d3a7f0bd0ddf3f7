"""What each side says a period costs: documents as fetched, and the amounts and lines made from them."""

from django.db import models
from django.db.models import F, Q

from ingest.models import Customer, Service
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from reconciliation.models.run import Run


class Source(models.TextChoices):
    """Where a document came from."""

    ODOO_QUOTATION = "odoo_quotation", "Odoo quotation"
    ODOO_INVOICE = "odoo_invoice", "Odoo invoice"
    ODOO_ORDER = "odoo_order", "Odoo order, to invoice"
    FILE = "file", "File"
    LAGO_INVOICE = "lago_invoice", "Lago invoice"
    LAGO_CREDIT_NOTE = "lago_credit_note", "Lago credit note"
    STRIPE_INVOICE = "stripe_invoice", "Stripe invoice"
    STRIPE_CREDIT_NOTE = "stripe_credit_note", "Stripe credit note"
    STRIPE_CHARGE = "stripe_charge", "Stripe charge"


class Side(models.TextChoices):
    """Which side of a reconciliation an amount is on."""

    ODOO = "odoo", "Odoo"
    EXTERNAL = "external", "External"


# An untaxed amount alone, a total alone, or all three that add up.
STATED = (
    Q(untaxed__isnull=False, tax=None, total=None)
    | Q(untaxed=None, tax=None, total__isnull=False)
    | Q(untaxed__isnull=False, tax__isnull=False, total__isnull=False, total=F("untaxed") + F("tax"))
)


class SourceDocument(PublicModel):
    """One version of an outside document, kept whole; a changed document is a new version."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="documents")
    source = models.CharField(max_length=32, choices=Source.choices)
    reference = models.CharField(
        max_length=512, help_text="What the source calls it; for a file's, the digest of what makes it one."
    )
    title = models.CharField(max_length=1024, blank=True, help_text="The reference for people to read.")
    number = models.CharField(max_length=255, blank=True, help_text="Its number, where the source gives one.")
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what it says, and of what that comes to.")
    content = models.JSONField()
    fetched_at = models.DateTimeField()
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="documents")

    class Meta:
        ordering = ["-fetched_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "source", "reference", "version"], name="document_version_once"
            ),
            models.UniqueConstraint(
                fields=["service", "source", "reference"],
                condition=Q(is_current=True),
                name="document_has_one_current_version",
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="document_source_is_known"),
        ]

    def __str__(self) -> str:
        return self.title or self.reference


class Amount(PublicModel):
    """What one document says a customer's period costs, in one currency.

    A document states the untaxed amount alone, the total alone, or all three; what it does not state is null.
    A side's amount of a period is the sum over its current rows. Of the external side those are current whose
    document comes from the service's billing source of that period; others are evidence, and never add to it.
    """

    document = models.ForeignKey(SourceDocument, on_delete=models.PROTECT, related_name="amounts")
    is_current = models.BooleanField(
        default=True, help_text="It counts: of the document's current version, from the billing source."
    )
    side = models.CharField(max_length=16, choices=Side.choices)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="amounts")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="amounts")
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField(max_length=16)
    untaxed = ExactDecimalField(null=True)
    tax = ExactDecimalField(null=True)
    total = ExactDecimalField(null=True)
    state = models.CharField(max_length=32, blank=True, help_text="The document's state at its source.")
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ["-period_start", "customer", "side"]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "customer", "currency", "period_start", "period_end"],
                name="amount_once_per_document_and_period",
            ),
            models.CheckConstraint(condition=STATED, name="amount_total_is_untaxed_plus_tax"),
            models.CheckConstraint(condition=Q(side__in=Side.values), name="amount_side_is_known"),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="amount_period_is_not_empty"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="amount_currency_is_iso"),
        ]
        indexes = [
            models.Index(
                fields=["service", "period_start", "customer", "currency", "side"],
                condition=Q(is_current=True),
                name="amount_current_by_period",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.untaxed} {self.currency}"


class LineKind(models.TextChoices):
    """What a line bills."""

    USAGE = "usage", "Usage"
    PLAN = "plan", "Plan"
    ONE_TIME = "one_time", "One-time"
    DISCOUNT = "discount", "Discount"
    CREDIT = "credit", "Credit"
    ADJUSTMENT = "adjustment", "Adjustment"
    TAX = "tax", "Tax"


class Timing(models.TextChoices):
    """Whether a line was billed before what it is for was over, or after."""

    ADVANCE = "advance", "In advance"
    ARREARS = "arrears", "In arrears"


class AmountLine(models.Model):
    """One line of an amount, as its document has it."""

    amount = models.ForeignKey(Amount, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=LineKind.choices, default=LineKind.USAGE)
    code = models.CharField(max_length=255, help_text="The metric's or the plan's code: what pairs lines.")
    description = models.CharField(max_length=1024)
    quantity = ExactDecimalField(null=True)
    unit_price = ExactDecimalField(null=True)
    untaxed = ExactDecimalField(null=True)
    tax = ExactDecimalField(null=True)
    total = ExactDecimalField(null=True)
    is_priced_by_odoo = models.BooleanField(default=False)
    timing = models.CharField(
        max_length=8,
        blank=True,
        choices=Timing.choices,
        help_text="Where the source says what a line is for.",
    )
    detail = models.JSONField(
        default=dict, help_text="What else its source says of it, such as the filter and the group of a fee."
    )

    class Meta:
        ordering = ["amount", "position"]
        constraints = [
            models.UniqueConstraint(fields=["amount", "position"], name="amount_line_once_per_position"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="amount_line_kind_is_known"),
            models.CheckConstraint(
                condition=Q(untaxed__isnull=False) | Q(total__isnull=False),
                name="amount_line_states_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(timing__in=["", *Timing.values]), name="amount_line_timing_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.description
