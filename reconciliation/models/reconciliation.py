"""Reconciliations: one row per customer and period, what both sides say and how far apart they are."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ingest.models import Customer, Service
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel


class Basis(models.TextChoices):
    """On which amounts a row is judged."""

    UNTAXED = "untaxed", "Untaxed"
    TOTAL = "total", "Total"


class Outcome(models.TextChoices):
    """Whether the two sides could be compared, and if not, why."""

    COMPARED = "compared", "Compared"
    MISSING_ODOO = "missing_odoo", "Missing in Odoo"
    MISSING_EXTERNAL = "missing_external", "Missing at the service"
    STALE = "stale", "Stale"
    UNLINKED = "unlinked", "Unlinked"
    OTHER_CURRENCY = "other_currency", "Other currency"


class Status(models.TextChoices):
    """Where a row stands."""

    MATCH = "match", "Match"
    DELTA = "delta", "Delta"
    RESOLVED = "resolved", "Resolved"


class Reconciliation(PublicModel):
    """What Odoo and the service say that a customer's period costs, and what a person made of it."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="reconciliations")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="reconciliations")
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    period_label = models.CharField("period", max_length=16)

    basis = models.CharField(max_length=16, choices=Basis.choices)
    expected_untaxed = ExactDecimalField(null=True, help_text="By the console's own rating.")
    expected_tax = ExactDecimalField(null=True, help_text="By Odoo's taxes on what we expect.")
    expected_total = ExactDecimalField(null=True)
    expected_taxes = models.JSONField(
        default=list, help_text="The rates that were used: on which products, on what, and what they came to."
    )
    untaxed_because = models.CharField(max_length=255, blank=True, help_text="Why no tax can be expected.")
    odoo_untaxed = ExactDecimalField(null=True)
    odoo_tax = ExactDecimalField(null=True)
    odoo_total = ExactDecimalField(null=True)
    external_untaxed = ExactDecimalField(null=True)
    external_tax = ExactDecimalField(null=True)
    external_total = ExactDecimalField(null=True)
    odoo_amount = ExactDecimalField("Odoo amount", null=True, help_text="On the row's basis.")
    external_amount = ExactDecimalField(null=True, help_text="On the row's basis.")
    delta = ExactDecimalField(null=True, help_text="Odoo minus external.")
    tolerance = ExactDecimalField(default=0, help_text="The limit that was applied.")

    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    status = models.CharField(max_length=16, choices=Status.choices)
    cause = models.CharField(max_length=32, blank=True, help_text="As the machine suggests it.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True, help_text="Why a person resolved it.")
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)
    reopened_at = models.DateTimeField(null=True)
    reopened_because = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Rises with each change, for two at one row.")
    reconciled_at = models.DateTimeField()

    class Meta:
        ordering = ["-period_start", "customer"]
        permissions = [
            ("triage_reconciliation", "Can resolve, reopen and assign reconciliations"),
            ("push_reconciliation", "Can push usage to Odoo"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "customer", "currency", "period_start", "period_end"],
                name="reconciliation_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    odoo_amount__isnull=False,
                    external_amount__isnull=False,
                    delta__isnull=False,
                    delta=F("odoo_amount") - F("external_amount"),
                )
                | Q(delta=None, odoo_amount=None)
                | Q(delta=None, external_amount=None),
                name="delta_is_odoo_minus_external",
            ),
            models.CheckConstraint(
                condition=Q(odoo_amount=None)
                | Q(basis=Basis.UNTAXED, odoo_amount=F("odoo_untaxed"), odoo_untaxed__isnull=False)
                | Q(basis=Basis.TOTAL, odoo_amount=F("odoo_total"), odoo_total__isnull=False),
                name="odoo_amount_is_on_the_basis",
            ),
            models.CheckConstraint(
                condition=Q(external_amount=None)
                | Q(
                    basis=Basis.UNTAXED, external_amount=F("external_untaxed"), external_untaxed__isnull=False
                )
                | Q(basis=Basis.TOTAL, external_amount=F("external_total"), external_total__isnull=False),
                name="external_amount_is_on_the_basis",
            ),
            models.CheckConstraint(
                condition=Q(expected_tax=None, expected_total=None)
                | Q(
                    expected_untaxed__isnull=False,
                    expected_tax__isnull=False,
                    expected_total__isnull=False,
                    expected_total=F("expected_untaxed") + F("expected_tax"),
                ),
                name="expected_total_is_untaxed_plus_tax",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.COMPARED) | Q(delta__isnull=False), name="compared_has_a_delta"
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.MATCH) | Q(outcome=Outcome.COMPARED),
                name="only_compared_can_match",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.RESOLVED)
                | (~Q(reason="") & Q(resolved_by__isnull=False, resolved_at__isnull=False)),
                name="resolved_has_who_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.MISSING_ODOO) | Q(odoo_amount=None), name="missing_odoo_is_null"
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.MISSING_EXTERNAL) | Q(external_amount=None),
                name="missing_external_is_null",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values, status__in=Status.values, basis__in=Basis.values),
                name="reconciliation_words_are_known",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="reconciliation_period_is_not_empty"
            ),
        ]
        indexes = [
            models.Index(fields=["service", "period_start", "status"], name="reconciliation_by_period"),
            models.Index(fields=["status", "-delta"], name="reconciliation_to_triage"),
            models.Index(fields=["customer", "-period_start"], name="reconciliation_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer}, {self.service}, {self.period_label} ({self.currency})"


class Tolerance(PublicModel):
    """How far apart the sides of a service may be, in one currency, and still match."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="tolerances")
    currency = models.CharField(max_length=3)
    absolute = ExactDecimalField(default="0.01")
    relative = ExactDecimalField(default=0, help_text="A share: 0.001 is 0.1 %.")
    cap = ExactDecimalField(null=True, blank=True, help_text="The limit is never above it.")

    class Meta:
        ordering = ["service", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["service", "currency"], name="tolerance_once"),
            models.CheckConstraint(
                condition=Q(absolute__gte=0, relative__gte=0) & (Q(cap=None) | Q(cap__gte=0)),
                name="tolerance_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.currency}: {self.absolute}"
