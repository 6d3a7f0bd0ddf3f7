"""What Stripe said: its objects, its events, and how far its lists were read."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0016_billing_sources"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StripeCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.CharField(blank=True, max_length=255)),
                ("kind", models.CharField(max_length=32)),
                (
                    "reached_at",
                    models.DateTimeField(help_text="All that was made by then was read.", null=True),
                ),
                ("reading_from", models.DateTimeField(help_text="Of the pass under way.", null=True)),
                (
                    "reading_top",
                    models.DateTimeField(help_text="The newest that the pass under way saw.", null=True),
                ),
                (
                    "reading_after",
                    models.CharField(blank=True, help_text="Where its next page begins.", max_length=255),
                ),
                ("read_at", models.DateTimeField(help_text="When a pass ended well.", null=True)),
            ],
            options={
                "ordering": ["account", "kind"],
            },
        ),
        migrations.CreateModel(
            name="StripeEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("account", models.CharField(blank=True, max_length=255)),
                ("event_id", models.CharField(max_length=255, verbose_name="id")),
                ("event_type", models.CharField(max_length=255, verbose_name="type")),
                ("object_kind", models.CharField(blank=True, max_length=64)),
                ("object_id", models.CharField(blank=True, max_length=255)),
                ("created", models.DateTimeField(help_text="At Stripe.")),
                (
                    "is_polled",
                    models.BooleanField(default=False, help_text="Found by the poll, not told by a webhook."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits"),
                            ("done", "Done"),
                            ("ignored", "Of no interest"),
                            ("parked", "Parked"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("received_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                ("body", models.TextField(help_text="As it came.")),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("retry_stripeevent", "Can process parked Stripe events again")],
            },
        ),
        migrations.CreateModel(
            name="StripeRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.CharField(
                        blank=True, help_text="Empty where the key may not tell.", max_length=255
                    ),
                ),
                ("kind", models.CharField(max_length=32)),
                ("stripe_id", models.CharField(max_length=255, verbose_name="id")),
                ("created", models.DateTimeField(help_text="At Stripe.")),
                ("customer", models.CharField(blank=True, max_length=255, verbose_name="Stripe customer")),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "amount",
                    ingest.models.fields.ExactDecimalField(
                        help_text="What is at stake, with tax.", null=True
                    ),
                ),
                ("status", models.CharField(blank=True, max_length=32)),
                ("intent", models.CharField(blank=True, max_length=255, verbose_name="payment intent")),
                (
                    "pays",
                    models.CharField(
                        blank=True,
                        help_text="The bill that it pays or corrects: of Stripe, or of Lago.",
                        max_length=255,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits to be attributed"),
                            ("claimed", "A service's bill"),
                            ("evidence", "Evidence of payment"),
                            ("odoo", "Odoo's own"),
                            ("unclaimed", "Nobody's yet"),
                            ("conflict", "Claimed twice"),
                            ("parked", "Parked"),
                            ("unbilled", "Bills nothing"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, help_text="Why it is parked, or claimed twice.")),
                (
                    "claimed_by",
                    models.CharField(
                        blank=True, help_text="The rule that says so.", max_length=255, verbose_name="rule"
                    ),
                ),
                ("raw", models.JSONField()),
                ("digest", models.CharField(help_text="SHA-256 of what it says.", max_length=64)),
                ("fetched_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-created", "-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="run_kind_is_known",
        ),
        migrations.AlterField(
            model_name="run",
            name="kind",
            field=models.CharField(
                choices=[
                    ("rate", "Meter and rate"),
                    ("push", "Push to Odoo"),
                    ("fetch", "Fetch Odoo amounts"),
                    ("sync", "Mirror Odoo"),
                    ("check", "Check the connection to Odoo"),
                    ("import", "Import amounts"),
                    ("lago", "Import from Lago"),
                    ("stripe", "Fetch from Stripe"),
                    ("check_stripe", "Check Stripe"),
                    ("reconcile", "Reconcile"),
                    ("rerun", "Read Odoo again and reconcile"),
                    ("refresh", "Rate, push, fetch and reconcile"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "rate",
                            "push",
                            "fetch",
                            "sync",
                            "check",
                            "import",
                            "lago",
                            "stripe",
                            "check_stripe",
                            "reconcile",
                            "rerun",
                            "refresh",
                        ],
                    )
                ),
                name="run_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripecursor",
            constraint=models.UniqueConstraint(fields=("account", "kind"), name="stripe_cursor_once"),
        ),
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(fields=["state", "next_attempt_at"], name="stripe_event_to_process"),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.UniqueConstraint(fields=("event_id",), name="stripe_event_once"),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "done", "ignored", "parked"])),
                name="stripe_event_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waiting"), _negated=True),
                    ("next_attempt_at__isnull", False),
                    _connector="OR",
                ),
                name="waiting_event_has_a_next_attempt",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripeevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "parked"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="parked_event_has_a_reason",
            ),
        ),
        migrations.AddField(
            model_name="striperecord",
            name="run",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reconciliation.run",
            ),
        ),
        migrations.AddField(
            model_name="striperecord",
            name="service",
            field=models.ForeignKey(
                help_text="Whose it is.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stripe_records",
                to="ingest.service",
            ),
        ),
        migrations.AddIndex(
            model_name="striperecord",
            index=models.Index(fields=["state", "kind", "id"], name="stripe_record_to_settle"),
        ),
        migrations.AddIndex(
            model_name="striperecord",
            index=models.Index(
                models.OrderBy(models.F("amount"), descending=True, nulls_last=True),
                models.F("state"),
                condition=models.Q(("state__in", ("unclaimed", "conflict", "parked"))),
                name="stripe_record_by_money",
            ),
        ),
        migrations.AddIndex(
            model_name="striperecord",
            index=models.Index(fields=["pays", "kind"], name="stripe_record_of_bill"),
        ),
        migrations.AddIndex(
            model_name="striperecord",
            index=models.Index(fields=["intent", "kind"], name="stripe_record_of_intent"),
        ),
        migrations.AddConstraint(
            model_name="striperecord",
            constraint=models.UniqueConstraint(fields=("account", "stripe_id"), name="stripe_record_once"),
        ),
        migrations.AddConstraint(
            model_name="striperecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "waiting",
                            "claimed",
                            "evidence",
                            "odoo",
                            "unclaimed",
                            "conflict",
                            "parked",
                            "unbilled",
                        ],
                    )
                ),
                name="stripe_record_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="striperecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "claimed"), _negated=True), ("service__isnull", False), _connector="OR"
                ),
                name="claimed_record_has_its_service",
            ),
        ),
        migrations.AddConstraint(
            model_name="striperecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["parked", "conflict"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="parked_record_has_a_reason",
            ),
        ),
    ]
