"""Customers: the account link between a service's customer and an Odoo partner."""

from django.db import models

from ingest.models.public import PublicModel
from ingest.models.service import Service, validate_timezone


class Customer(PublicModel):
    """A service's customer: its id there and, once linked, its Odoo partner and Stripe customer."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="customers")
    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    email = models.EmailField(blank=True)
    timezone = models.CharField(
        max_length=64, blank=True, validators=[validate_timezone], help_text="Empty is the service's own."
    )
    odoo_partner_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    stripe_customer_id = models.CharField(max_length=255, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    profile = models.JSONField(
        default=dict, blank=True, help_text="What else the service says of it, in Lago's field names."
    )
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when the service has it no more; posted again it is the same one.",
    )

    class Meta:
        ordering = ["name", "external_id"]
        constraints = [
            models.UniqueConstraint(fields=["service", "external_id"], name="customer_once_per_service"),
            # What a subscription's composite foreign key points at: its customer is of its own service.
            models.UniqueConstraint(fields=["service", "id"], name="customer_of_service"),
            models.CheckConstraint(condition=~models.Q(external_id=""), name="customer_has_an_external_id"),
            models.CheckConstraint(
                condition=models.Q(currency="") | models.Q(currency__regex=r"^[A-Z]{3}$"),
                name="customer_currency_is_iso",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id

    @property
    def is_linked(self) -> bool:
        """True when Odoo knows this customer."""
        return self.odoo_partner_id is not None
