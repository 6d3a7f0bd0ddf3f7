"""What Stripe said: its objects as they were last read, the events that tell of changes, and how far reading came."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ingest.models import Service
from ingest.models.fields import ExactDecimalField
from ingest.models.public import PublicModel
from reconciliation.models.run import Run


class RecordState(models.TextChoices):
    """Whose an object is, and what the console made of it."""

    WAITING = "waiting", "Waits to be attributed"
    CLAIMED = "claimed", "A service's bill"
    EVIDENCE = "evidence", "Evidence of payment"
    ODOO = "odoo", "Odoo's own"
    UNCLAIMED = "unclaimed", "Nobody's yet"
    CONFLICT = "conflict", "Claimed twice"
    PARKED = "parked", "Parked"
    UNBILLED = "unbilled", "Bills nothing"


# What a person has to look at: money that counts nowhere.
TO_DO = (RecordState.UNCLAIMED, RecordState.CONFLICT, RecordState.PARKED)


class StripeRecord(PublicModel):
    """One object of an account as it was last read; a bill of a service has its versions as source documents."""

    account = models.CharField(max_length=255, blank=True, help_text="Empty where the key may not tell.")
    kind = models.CharField(max_length=32)
    stripe_id = models.CharField("id", max_length=255)
    created = models.DateTimeField(help_text="At Stripe.")
    customer = models.CharField("Stripe customer", max_length=255, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    amount = ExactDecimalField(null=True, help_text="What is at stake, with tax.")
    status = models.CharField(max_length=32, blank=True)
    intent = models.CharField("payment intent", max_length=255, blank=True)
    pays = models.CharField(
        max_length=255, blank=True, help_text="The bill that it pays or corrects: of Stripe, or of Lago."
    )
    state = models.CharField(max_length=16, choices=RecordState.choices, default=RecordState.WAITING)
    reason = models.TextField(blank=True, help_text="Why it is parked, or claimed twice.")
    service = models.ForeignKey(
        Service, null=True, on_delete=models.PROTECT, related_name="stripe_records", help_text="Whose it is."
    )
    claimed_by = models.CharField("rule", max_length=255, blank=True, help_text="The rule that says so.")
    raw = models.JSONField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of what it says.")
    fetched_at = models.DateTimeField()
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "stripe_id"], name="stripe_record_once"),
            models.CheckConstraint(
                condition=Q(state__in=RecordState.values), name="stripe_record_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=RecordState.CLAIMED) | Q(service__isnull=False),
                name="claimed_record_has_its_service",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RecordState.PARKED, RecordState.CONFLICT]) | ~Q(reason=""),
                name="parked_record_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "kind", "id"], name="stripe_record_to_settle"),
            models.Index(
                F("amount").desc(nulls_last=True),
                "state",
                name="stripe_record_by_money",
                condition=Q(state__in=TO_DO),
            ),
            models.Index(fields=["pays", "kind"], name="stripe_record_of_bill"),
            models.Index(fields=["intent", "kind"], name="stripe_record_of_intent"),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class StripeCursor(models.Model):
    """How far a list of an account was read, so that a pass that was interrupted goes on where it was."""

    account = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=32)
    reached_at = models.DateTimeField(null=True, help_text="All that was made by then was read.")
    reading_from = models.DateTimeField(null=True, help_text="Of the pass under way.")
    reading_top = models.DateTimeField(null=True, help_text="The newest that the pass under way saw.")
    reading_after = models.CharField(max_length=255, blank=True, help_text="Where its next page begins.")
    read_at = models.DateTimeField(null=True, help_text="When a pass ended well.")

    class Meta:
        ordering = ["account", "kind"]
        constraints = [models.UniqueConstraint(fields=["account", "kind"], name="stripe_cursor_once")]

    def __str__(self) -> str:
        return self.kind


class EventState(models.TextChoices):
    """How far an event has come."""

    WAITING = "waiting", "Waits"
    DONE = "done", "Done"
    IGNORED = "ignored", "Of no interest"
    PARKED = "parked", "Parked"


class StripeEvent(PublicModel):
    """Something happened at Stripe, told by a webhook or found by the poll; kept before anything is made of it."""

    account = models.CharField(max_length=255, blank=True)
    event_id = models.CharField("id", max_length=255)
    event_type = models.CharField("type", max_length=255)
    object_kind = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=255, blank=True)
    created = models.DateTimeField(help_text="At Stripe.")
    is_polled = models.BooleanField(default=False, help_text="Found by the poll, not told by a webhook.")
    state = models.CharField(max_length=16, choices=EventState.choices, default=EventState.WAITING)
    reason = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    body = models.TextField(help_text="As it came.")

    class Meta:
        ordering = ["-id"]
        permissions = [("retry_stripeevent", "Can process parked Stripe events again")]
        constraints = [
            models.UniqueConstraint(fields=["event_id"], name="stripe_event_once"),
            models.CheckConstraint(
                condition=Q(state__in=EventState.values), name="stripe_event_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=EventState.WAITING) | Q(next_attempt_at__isnull=False),
                name="waiting_event_has_a_next_attempt",
            ),
            models.CheckConstraint(
                condition=~Q(state=EventState.PARKED) | ~Q(reason=""), name="parked_event_has_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="stripe_event_to_process")]

    def __str__(self) -> str:
        return self.event_id


class ClaimRules(PublicModel):
    """One version of the rules by which a service's bills are known among all of a Stripe account, in order."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="claim_rules")
    version = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True)
    rules = models.JSONField(help_text="Each with its fact and its value; the first that matches claims.")
    reason = models.TextField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["service", "-version"]
        verbose_name_plural = "claim rules"
        constraints = [
            models.UniqueConstraint(fields=["service", "version"], name="claim_rules_version_once"),
            models.UniqueConstraint(
                fields=["service"], condition=Q(is_current=True), name="claim_rules_have_one_current_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service}, version {self.version}"


class StripeCheck(PublicModel):
    """What a check of the connection found: whose key it is, what it may read, and what is missing."""

    account = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=255, blank=True)
    is_live = models.BooleanField("live mode", null=True)
    api_version = models.CharField("API version", max_length=64)
    api_base = models.CharField("API address", max_length=255)
    has_webhook_secret = models.BooleanField("webhook secret is set")
    rights = models.JSONField(
        default=dict, help_text="Of each list: empty where it may be read, else why not."
    )
    problems = models.JSONField(default=list)
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or self.account or "Stripe"
