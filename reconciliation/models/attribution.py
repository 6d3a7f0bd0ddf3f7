"""Where Odoo's amounts of a service come from, and which period a line is of when it does not say so itself."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ingest.models import Customer, Service
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel


class Strategy(models.TextChoices):
    """What is read back from Odoo as the amount of a period: one at a time for a service."""

    QUOTATION = "quotation", "Shadow quotations"
    ORDER = "order", "What subscription orders have to invoice"
    INVOICE = "invoice", "Invoices, drafts included"


class AmountStrategy(PublicModel):
    """Where Odoo's amounts of a service come from; without a row, from shadow quotations."""

    service = models.OneToOneField(Service, on_delete=models.PROTECT, related_name="amount_strategy")
    strategy = models.CharField(max_length=16, choices=Strategy.choices, default=Strategy.QUOTATION)
    chosen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "amount strategies"
        constraints = [
            models.CheckConstraint(condition=Q(strategy__in=Strategy.values), name="strategy_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.get_strategy_display()}"


class LineState(models.TextChoices):
    """What became of a line that does not say which period it is of."""

    OPEN = "open", "Waits for a person"
    ASSIGNED = "assigned", "Assigned"
    LEFT_OUT = "left_out", "Not of this service"
    SETTLED = "settled", "No longer needs one"


class UnattributedLine(PublicModel):
    """A line of an invoice or an order that may be a service's, and does not say of which period.

    A person assigns it to a customer's period, or leaves it out. What an order has to invoice is of another
    period each time: a decision on its line holds for one `occasion`, its next invoice date.
    """

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="unattributed_lines")
    strategy = models.CharField(max_length=16, choices=Strategy.choices)
    odoo_id = models.BigIntegerField(help_text="The line's id in Odoo.")
    occasion = models.CharField(max_length=32, blank=True)
    document = models.CharField(max_length=255)
    name = models.CharField("line", max_length=1024, blank=True)
    partner_id = models.BigIntegerField()
    untaxed = ExactDecimalField(help_text="Its part of the document, refunds negative.")
    currency = models.CharField(max_length=3)
    why = models.TextField(help_text="Why the line cannot be attributed by itself.")
    state = models.CharField(max_length=16, choices=LineState.choices, default=LineState.OPEN)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    period_label = models.CharField("period", max_length=16, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("attribute_line", "Can assign lines of Odoo to periods")]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "strategy", "odoo_id", "occasion"], name="unattributed_line_once"
            ),
            models.CheckConstraint(condition=Q(state__in=LineState.values), name="line_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=LineState.ASSIGNED)
                | Q(
                    customer__isnull=False,
                    period_start__isnull=False,
                    period_end__gt=F("period_start"),
                ),
                name="assigned_line_has_a_period",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[LineState.ASSIGNED, LineState.LEFT_OUT])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="decided_line_has_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document}: {self.name}"
