"""Odoo's payments as far as they were read: its charges on the shared account, and the cards it may charge."""

from django.db import models

from ingest.models.fields import ExactDecimalField


class OdooTransaction(models.Model):
    """A payment of Odoo's (`payment.transaction`), which Stripe shows as a charge like any other."""

    odoo_id = models.BigIntegerField(unique=True)
    reference = models.CharField(max_length=255, db_index=True, help_text="What the intent is described as.")
    provider_reference = models.CharField(
        max_length=255, blank=True, db_index=True, help_text="The payment intent's id."
    )
    state = models.CharField(max_length=16)
    amount = ExactDecimalField()
    currency = models.CharField(max_length=3)
    partner_id = models.BigIntegerField(null=True)
    mirrored_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference


class OdooToken(models.Model):
    """A card that Odoo may charge (`payment.token`): the Stripe customer and the payment method that it holds."""

    odoo_id = models.BigIntegerField(unique=True)
    partner_id = models.BigIntegerField(db_index=True)
    stripe_customer = models.CharField(max_length=255, blank=True)
    payment_method = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField("active")
    mirrored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.stripe_customer} {self.payment_method}".strip()
