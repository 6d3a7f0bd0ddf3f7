"""Whose a bill of Stripe's is: services' rules, Odoo's own payments; and checks of the connection."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0017_stripe"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
                ("api_version", models.CharField(max_length=64, verbose_name="API version")),
                ("api_base", models.CharField(max_length=255, verbose_name="API address")),
                ("has_webhook_secret", models.BooleanField(verbose_name="webhook secret is set")),
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
    ]
