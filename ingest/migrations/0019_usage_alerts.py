"""What services watch of a subscription's usage, and when it crossed that."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0018_plan_metadata"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageAlert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("external_subscription_id", models.CharField(max_length=255)),
                ("code", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, max_length=255)),
                (
                    "alert_type",
                    models.CharField(
                        choices=[
                            ("current_usage_amount", "The period's usage"),
                            ("billable_metric_current_usage_amount", "The period's usage of a metric"),
                            ("billable_metric_current_usage_units", "The period's units of a metric"),
                            ("lifetime_usage_amount", "All usage since the start"),
                        ],
                        max_length=64,
                    ),
                ),
                (
                    "thresholds",
                    models.JSONField(
                        help_text="Each with its value as text, its code, and whether it recurs."
                    ),
                ),
                (
                    "previous_value",
                    ingest.models.fields.ExactDecimalField(
                        default=0, help_text="What the usage was when it was last looked at."
                    ),
                ),
                ("period_start", models.DateTimeField(help_text="Of which period that was.", null=True)),
                (
                    "last_processed_at",
                    models.DateTimeField(help_text="When it was last looked at.", null=True),
                ),
                (
                    "is_due",
                    models.BooleanField(
                        default=True, help_text="Whether it is to be looked at although nothing was used."
                    ),
                ),
                (
                    "deleted_at",
                    models.DateTimeField(
                        blank=True, help_text="Its code is free again since then.", null=True
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_alerts",
                        to="ingest.metric",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_alerts",
                        to="ingest.service",
                    ),
                ),
            ],
            options={
                "ordering": ["external_subscription_id", "code"],
            },
        ),
        migrations.CreateModel(
            name="TriggeredAlert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("current_value", ingest.models.fields.ExactDecimalField()),
                ("previous_value", ingest.models.fields.ExactDecimalField()),
                (
                    "crossed_thresholds",
                    models.JSONField(help_text="Each with its value, its code, and whether it recurs."),
                ),
                ("triggered_at", models.DateTimeField()),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="triggered_alerts",
                        to="ingest.subscription",
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="triggered",
                        to="ingest.usagealert",
                    ),
                ),
            ],
            options={
                "ordering": ["-triggered_at", "-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("service", "external_subscription_id", "code"),
                name="alert_code_once_per_subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("metric", None)),
                fields=("service", "external_subscription_id", "alert_type"),
                name="alert_type_once_per_subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("service", "external_subscription_id", "alert_type", "metric"),
                name="alert_metric_once_per_subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagealert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "alert_type__in",
                            ("billable_metric_current_usage_amount", "billable_metric_current_usage_units"),
                        ),
                        ("metric__isnull", False),
                    ),
                    models.Q(
                        ("alert_type__in", ["current_usage_amount", "lifetime_usage_amount"]),
                        ("metric__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="alert_has_its_metric",
            ),
        ),
    ]
