"""Billing sources: which source says, from which day on, what a service billed."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ingest.models import Service
from ingest.models.public import PublicModel
from reconciliation.models.amount import Source


class BillingKind(models.TextChoices):
    """What may say what a service billed; one does at a time, the others are evidence of payment."""

    FILE = "file", "Files"
    STRIPE_INVOICES = "stripe_invoices", "Stripe invoices"
    STRIPE_CHARGES = "stripe_charges", "Stripe charges without invoices"
    LAGO = "lago", "Lago invoices"


# Whose documents count under each kind.
SOURCES_OF_KIND: dict[BillingKind, tuple[Source, ...]] = {
    BillingKind.FILE: (Source.FILE,),
    BillingKind.STRIPE_INVOICES: (Source.STRIPE_INVOICE, Source.STRIPE_CREDIT_NOTE),
    BillingKind.STRIPE_CHARGES: (Source.STRIPE_CHARGE,),
    BillingKind.LAGO: (Source.LAGO_INVOICE, Source.LAGO_CREDIT_NOTE),
}


class BillingSource(PublicModel):
    """From its day on a service's periods are billed by this source, until the next one's day; before any, by files.

    One that was decided anew for the same day is kept, and holds no more.
    """

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="billing_sources")
    kind = models.CharField("source", max_length=16, choices=BillingKind.choices)
    starts_on = models.DateField(
        "from", help_text="Of periods that begin on this day or later, where the customer is."
    )
    is_current = models.BooleanField(default=True)
    reason = models.TextField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["service", "-starts_on", "-id"]
        constraints = [
            # Each holds until the next one's day: with one for a day there is no overlap and no gap.
            models.UniqueConstraint(
                fields=["service", "starts_on"],
                condition=Q(is_current=True),
                name="billing_source_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=BillingKind.values), name="billing_source_kind_is_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="billing_source_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.starts_on}"
