"""Which source says what a service billed, and Stripe as one: what it said, whose it is, and its events."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0008_event_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingSource",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("file", "Files"),
                            ("stripe_invoices", "Stripe invoices"),
                            ("stripe_charges", "Stripe charges without invoices"),
                            ("lago", "Lago invoices"),
                        ],
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                (
                    "starts_on",
                    models.DateField(
                        help_text="Of periods that begin on this day or later, where the customer is.",
                        verbose_name="from",
                    ),
                ),
                ("is_current", models.BooleanField(default=True)),
                ("reason", models.TextField()),
            ],
            options={
                "ordering": ["service", "-starts_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ClaimRules",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("version", models.PositiveIntegerField()),
                ("is_current", models.BooleanField(default=True)),
                (
                    "rules",
                    models.JSONField(
                        help_text="Each with its fact and its value; the first that matches claims."
                    ),
                ),
                ("reason", models.TextField()),
            ],
            options={
                "verbose_name_plural": "claim rules",
                "ordering": ["service", "-version"],
            },
        ),
        migrations.CreateModel(
            name="OdooToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                ("partner_id", models.BigIntegerField(db_index=True)),
                ("stripe_customer", models.CharField(blank=True, max_length=255)),
                ("payment_method", models.CharField(blank=True, max_length=255)),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("mirrored_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="OdooTransaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                (
                    "reference",
                    models.CharField(
                        db_index=True, help_text="What the intent is described as.", max_length=255
                    ),
                ),
                (
                    "provider_reference",
                    models.CharField(
                        blank=True, db_index=True, help_text="The payment intent's id.", max_length=255
                    ),
                ),
                ("state", models.CharField(max_length=16)),
                ("amount", ingest.models.fields.ExactDecimalField()),
                ("currency", models.CharField(max_length=3)),
                ("partner_id", models.BigIntegerField(null=True)),
                ("mirrored_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="StripeCheck",
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
                ("name", models.CharField(blank=True, max_length=255)),
                ("is_live", models.BooleanField(null=True, verbose_name="live mode")),
                ("api_version", models.CharField(max_length=64)),
                ("api_base", models.CharField(max_length=255)),
                ("has_webhook_secret", models.BooleanField()),
                (
                    "rights",
                    models.JSONField(
                        default=dict, help_text="Of each list: empty where it may be read, else why not."
                    ),
                ),
                ("problems", models.JSONField(default=list)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
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
        migrations.RemoveConstraint(
            model_name="sourcedocument",
            name="document_source_is_known",
        ),
        migrations.AddField(
            model_name="amountline",
            name="timing",
            field=models.CharField(
                blank=True,
                choices=[("advance", "In advance"), ("arrears", "In arrears")],
                help_text="Where the source says what a line is for.",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="amount",
            name="is_current",
            field=models.BooleanField(
                default=True,
                help_text="It counts: of the document's current version, from the billing source.",
            ),
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
        migrations.AlterField(
            model_name="sourcedocument",
            name="digest",
            field=models.CharField(
                help_text="SHA-256 of what it says, and of what that comes to.", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="sourcedocument",
            name="source",
            field=models.CharField(
                choices=[
                    ("odoo_quotation", "Odoo quotation"),
                    ("odoo_invoice", "Odoo invoice"),
                    ("file", "File"),
                    ("lago_invoice", "Lago invoice"),
                    ("stripe_invoice", "Stripe invoice"),
                    ("stripe_credit_note", "Stripe credit note"),
                    ("stripe_charge", "Stripe charge"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="amountline",
            constraint=models.CheckConstraint(
                condition=models.Q(("timing__in", ["", "advance", "arrears"])),
                name="amount_line_timing_is_known",
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
            model_name="sourcedocument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "source__in",
                        [
                            "odoo_quotation",
                            "odoo_invoice",
                            "file",
                            "lago_invoice",
                            "stripe_invoice",
                            "stripe_credit_note",
                            "stripe_charge",
                        ],
                    )
                ),
                name="document_source_is_known",
            ),
        ),
        migrations.AddField(
            model_name="billingsource",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="billingsource",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="billing_sources",
                to="ingest.service",
            ),
        ),
        migrations.AddField(
            model_name="claimrules",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="claimrules",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="claim_rules", to="ingest.service"
            ),
        ),
        migrations.AddField(
            model_name="stripecheck",
            name="run",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reconciliation.run",
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
        migrations.AddConstraint(
            model_name="billingsource",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("service", "starts_on"),
                name="billing_source_once_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["file", "stripe_invoices", "stripe_charges", "lago"])),
                name="billing_source_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="billing_source_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="claimrules",
            constraint=models.UniqueConstraint(
                fields=("service", "version"), name="claim_rules_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="claimrules",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("service",),
                name="claim_rules_have_one_current_version",
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
