"""Late usage: what became of it, the fees it is billed by, and what each fee's own period bills."""

import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0014_company_is_an_id"),
    ]

    operations = [
        migrations.CreateModel(
            name="LateSettlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("period_label", models.CharField(max_length=16, verbose_name="open period")),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("next_period", "Bill it with the next period"),
                            ("credit", "Credit what is too much, bill the rest with the next period"),
                            ("report", "Report it, bill nothing"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "amount",
                    ingest.models.fields.ExactDecimalField(
                        help_text="What late usage adds to the fee beyond what was settled before."
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("carried", "Billed with the open period"),
                            ("own", "Corrected in its own period"),
                            ("reported", "Reported, billed to nobody"),
                        ],
                        max_length=16,
                    ),
                ),
                ("events_count", models.PositiveBigIntegerField(default=0)),
                (
                    "settled_at",
                    models.DateTimeField(
                        help_text="When that was last decided, and up to when events are in it."
                    ),
                ),
            ],
            options={
                "ordering": ["fee", "period_start"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="fee",
            name="fee_is_not_negative",
        ),
        migrations.RemoveConstraint(
            model_name="fee",
            name="fee_of_usage_has_its_charge",
        ),
        migrations.AddField(
            model_name="fee",
            name="deferred_amount",
            field=ingest.models.fields.ExactDecimalField(
                db_default=0,
                default=0,
                help_text="The late part of the amount that a later period's bill has, or none does.",
            ),
        ),
        migrations.AddField(
            model_name="fee",
            name="of_fee",
            field=models.ForeignKey(
                help_text="The fee of the earlier period whose late usage this is.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="late_fees",
                to="ingest.fee",
            ),
        ),
        migrations.AlterField(
            model_name="fee",
            name="kind",
            field=models.CharField(
                choices=[
                    ("usage", "Usage"),
                    ("true_up", "Minimum of a charge"),
                    ("plan", "Plan"),
                    ("commitment", "Minimum of a plan"),
                    ("late", "Late usage of an earlier period"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="historicalservice",
            name="late_usage_policy",
            field=models.CharField(
                choices=[
                    ("next_period", "Bill it with the next period"),
                    ("credit", "Credit what is too much, bill the rest with the next period"),
                    ("report", "Report it, bill nothing"),
                ],
                default="report",
                help_text="Who pays for usage that arrived late; what closed periods carried stays as it is.",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="late_usage_policy",
            field=models.CharField(
                choices=[
                    ("next_period", "Bill it with the next period"),
                    ("credit", "Credit what is too much, bill the rest with the next period"),
                    ("report", "Report it, bill nothing"),
                ],
                default="report",
                help_text="Who pays for usage that arrived late; what closed periods carried stays as it is.",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("charge__isnull", False), ("kind__in", ("usage", "true_up"))),
                    models.Q(("charge", None), ("kind__in", ["plan", "commitment"])),
                    ("kind", "late"),
                    _connector="OR",
                ),
                name="fee_of_usage_has_its_charge",
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gte", 0), ("exact_amount__gte", 0)), ("kind", "late"), _connector="OR"
                ),
                name="fee_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("deferred_amount", 0), ("kind", "late"), ("of_fee__isnull", False)),
                    models.Q(models.Q(("kind", "late"), _negated=True), ("of_fee", None)),
                    _connector="OR",
                ),
                name="fee_of_late_usage_names_its_fee",
            ),
        ),
        migrations.AddField(
            model_name="latesettlement",
            name="fee",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="late_settlements", to="ingest.fee"
            ),
        ),
        migrations.AddField(
            model_name="fee",
            name="billed_amount",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.CombinedExpression(
                    models.F("amount"), "-", models.F("deferred_amount")
                ),
                output_field=ingest.models.fields.ExactDecimalField(),
            ),
        ),
        migrations.AddConstraint(
            model_name="latesettlement",
            constraint=models.UniqueConstraint(
                fields=("fee", "period_start"), name="late_usage_settled_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="latesettlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("policy__in", ["next_period", "credit", "report"])),
                name="late_settlement_policy_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="latesettlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["carried", "own", "reported"])),
                name="late_settlement_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="latesettlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "reported"), ("policy", "report")),
                    models.Q(
                        models.Q(("policy", "report"), _negated=True),
                        models.Q(("outcome", "reported"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="late_settlement_follows_its_policy",
            ),
        ),
    ]
