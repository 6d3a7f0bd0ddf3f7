"""Prices become versions, usage and fees become of a filter and a group: what is new."""

import datetime
import uuid

import django.db.models.deletion
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [("ingest", "0003_subscription_rules")]

    operations = [
        migrations.CreateModel(
            name="ChargeVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                (
                    "effective_from",
                    models.DateTimeField(
                        default=datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        help_text="It prices the periods that end after this instant.",
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        choices=[
                            ("standard", "Standard"),
                            ("graduated", "Graduated"),
                            ("graduated_percentage", "Graduated percentage"),
                            ("package", "Package"),
                            ("percentage", "Percentage"),
                            ("volume", "Volume"),
                            ("dynamic", "Dynamic"),
                        ],
                        max_length=32,
                    ),
                ),
                ("properties", models.JSONField(help_text="As in Lago: amounts are decimal strings.")),
                (
                    "filters",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Prices of their own for some of the metric's filter values.",
                    ),
                ),
                (
                    "is_prorated",
                    models.BooleanField(default=False, help_text="A unit costs by the days it was there."),
                ),
                (
                    "is_pay_in_advance",
                    models.BooleanField(default=False, help_text="Each event is billed on arrival."),
                ),
                (
                    "min_amount",
                    ingest.models.fields.ExactDecimalField(
                        default=0, help_text="What a full period of this charge costs at least."
                    ),
                ),
            ],
            options={
                "ordering": ["effective_from", "number"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PlanVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                (
                    "effective_from",
                    models.DateTimeField(
                        default=datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                        help_text="It prices the periods that end after this instant.",
                    ),
                ),
                (
                    "amount",
                    ingest.models.fields.ExactDecimalField(
                        default=0, help_text="The base amount of one full period."
                    ),
                ),
                (
                    "minimum_commitment",
                    ingest.models.fields.ExactDecimalField(
                        default=0, help_text="What a full period costs at least, usage included."
                    ),
                ),
                (
                    "trial_days",
                    models.PositiveIntegerField(
                        default=0, help_text="Days from the start without a base amount."
                    ),
                ),
            ],
            options={
                "ordering": ["effective_from", "number"],
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="fee",
            name="bucket",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="fee",
            name="counts_from",
            field=models.DateTimeField(help_text="From when on the subscription's events count.", null=True),
        ),
        migrations.AddField(
            model_name="fee",
            name="counts_to",
            field=models.DateTimeField(help_text="Until when, exclusive.", null=True),
        ),
        migrations.AddField(
            model_name="fee",
            name="filter_values",
            field=models.JSONField(help_text="The filter that took the events; null is the rest.", null=True),
        ),
        migrations.AddField(
            model_name="fee",
            name="full_quantity",
            field=ingest.models.fields.ExactDecimalField(
                help_text="Before proration or weighting, where that differs.", null=True
            ),
        ),
        migrations.AddField(
            model_name="fee",
            name="grouped_by",
            field=models.JSONField(default=dict, help_text="The group's properties, as the price asks for."),
        ),
        migrations.AddField(
            model_name="fee",
            name="late_amount",
            field=ingest.models.fields.ExactDecimalField(
                default=0,
                help_text="The part of the amount that usage makes which arrived after the period had closed.",
            ),
        ),
        migrations.AddField(
            model_name="fee",
            name="late_events_count",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="fee",
            name="unit_amount",
            field=ingest.models.fields.ExactDecimalField(
                help_text="Amount by unit; informative, nothing is priced with it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="historicalservice",
            name="late_usage_policy",
            field=models.CharField(
                choices=[
                    ("next_period", "Bill it with the next period"),
                    ("credit", "Correct the period by a credit note or an invoice"),
                    ("report", "Report it, bill nothing"),
                ],
                default="report",
                help_text="Who is to pay for usage that arrived late; nothing is billed by it yet.",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="expression",
            field=models.TextField(
                blank=True, help_text="Evaluated when an event arrives; its result becomes the event's field."
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="filters",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="The properties that a price may depend on, with their values.",
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="is_recurring",
            field=models.BooleanField(
                default=False, help_text="What was added in earlier periods counts until it is taken away."
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="rounding_function",
            field=models.CharField(
                blank=True,
                choices=[("round", "Half away from zero"), ("ceil", "Up"), ("floor", "Down")],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="rounding_precision",
            field=models.SmallIntegerField(
                default=0, help_text="Digits after the point; below zero tens, hundreds and so on."
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="late_usage_policy",
            field=models.CharField(
                choices=[
                    ("next_period", "Bill it with the next period"),
                    ("credit", "Correct the period by a credit note or an invoice"),
                    ("report", "Report it, bill nothing"),
                ],
                default="report",
                help_text="Who is to pay for usage that arrived late; nothing is billed by it yet.",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="usage",
            name="bucket",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="usage",
            name="charge",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage",
                to="ingest.charge",
            ),
        ),
        migrations.AddField(
            model_name="usage",
            name="filter_values",
            field=models.JSONField(help_text="The filter that took the events; null is the rest.", null=True),
        ),
        migrations.AddField(
            model_name="usage",
            name="full_quantity",
            field=ingest.models.fields.ExactDecimalField(
                help_text="Before proration or weighting, where that differs.", null=True
            ),
        ),
        migrations.AddField(
            model_name="usage",
            name="grouped_by",
            field=models.JSONField(default=dict, help_text="The group's properties, as the price asks for."),
        ),
        migrations.AddField(
            model_name="usage",
            name="late_events_count",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Of the events, those that arrived after the period had closed."
            ),
        ),
        migrations.AddField(
            model_name="usage",
            name="measures",
            field=models.JSONField(
                help_text="What some prices need of single events: allowances, values by day, amounts.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="chargeversion",
            name="charge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="ingest.charge"
            ),
        ),
        migrations.AddField(
            model_name="fee",
            name="charge_version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ingest.chargeversion",
            ),
        ),
        migrations.AddField(
            model_name="planversion",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="ingest.plan"
            ),
        ),
        migrations.AddField(
            model_name="fee",
            name="plan_version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ingest.planversion",
            ),
        ),
    ]
