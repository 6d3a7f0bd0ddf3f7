"""What the versions of prices replace goes, and the rules that hold from now on."""

import django.db.models.deletion
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [("ingest", "0005_first_versions")]

    operations = [
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_model_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="fee",
            name="fee_once_per_charge_and_period",
        ),
        migrations.RemoveConstraint(
            model_name="fee",
            name="fee_of_usage_has_its_charge",
        ),
        migrations.RemoveConstraint(
            model_name="metric",
            name="metric_aggregation_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="plan",
            name="plan_amount_is_not_negative",
        ),
        migrations.RemoveConstraint(
            model_name="usage",
            name="usage_once_per_period",
        ),
        migrations.AlterField(
            model_name="usage",
            name="charge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="usage", to="ingest.charge"
            ),
        ),
        migrations.AlterModelOptions(
            name="usage",
            options={"ordering": ["-period_start", "subscription", "charge"], "verbose_name_plural": "usage"},
        ),
        migrations.RemoveField(
            model_name="charge",
            name="model",
        ),
        migrations.RemoveField(
            model_name="charge",
            name="properties",
        ),
        migrations.RemoveField(
            model_name="historicalcharge",
            name="model",
        ),
        migrations.RemoveField(
            model_name="historicalcharge",
            name="properties",
        ),
        migrations.RemoveField(
            model_name="historicalplan",
            name="amount",
        ),
        migrations.RemoveField(
            model_name="plan",
            name="amount",
        ),
        migrations.RemoveField(
            model_name="usage",
            name="metric",
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
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="fee",
            name="quantity",
            field=ingest.models.fields.ExactDecimalField(
                help_text="What is priced: rounded as the metric says, prorated if the charge is."
            ),
        ),
        migrations.AlterField(
            model_name="metric",
            name="aggregation",
            field=models.CharField(
                choices=[
                    ("count_agg", "Count"),
                    ("sum_agg", "Sum"),
                    ("max_agg", "Maximum"),
                    ("unique_count_agg", "Unique count"),
                    ("weighted_sum_agg", "Weighted sum"),
                    ("latest_agg", "Latest"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="metric",
            name="field_name",
            field=models.CharField(
                blank=True, help_text="The property that is aggregated; a count needs none.", max_length=255
            ),
        ),
        migrations.AlterField(
            model_name="usage",
            name="events_count",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="usage",
            name="quantity",
            field=ingest.models.fields.ExactDecimalField(
                help_text="What is priced: rounded as the metric says, prorated if the charge is."
            ),
        ),
        migrations.AddConstraint(
            model_name="metric",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "aggregation__in",
                        [
                            "count_agg",
                            "sum_agg",
                            "max_agg",
                            "unique_count_agg",
                            "weighted_sum_agg",
                            "latest_agg",
                        ],
                    )
                ),
                name="metric_aggregation_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="metric",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_recurring", False),
                    ("aggregation__in", ["sum_agg", "unique_count_agg", "weighted_sum_agg"]),
                    _connector="OR",
                ),
                name="metric_can_recur",
            ),
        ),
        migrations.AddConstraint(
            model_name="metric",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rounding_function", ""),
                    ("rounding_function__in", ["round", "ceil", "floor"]),
                    _connector="OR",
                ),
                name="metric_rounding_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="metric",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expression", ""), models.Q(("field_name", ""), _negated=True), _connector="OR"
                ),
                name="metric_expression_has_its_field",
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("late_usage_policy__in", ["next_period", "credit", "report"])),
                name="service_late_usage_policy_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="usage",
            constraint=models.UniqueConstraint(
                fields=("subscription", "period_start", "charge", "bucket"), name="usage_once_per_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.UniqueConstraint(
                fields=("subscription", "period_start", "kind", "charge", "bucket"),
                name="fee_once_per_charge_and_period",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("charge__isnull", False), ("kind__in", ("usage", "true_up"))),
                    models.Q(("charge", None), ("kind__in", ["plan", "commitment"])),
                    _connector="OR",
                ),
                name="fee_of_usage_has_its_charge",
            ),
        ),
        migrations.AddConstraint(
            model_name="chargeversion",
            constraint=models.UniqueConstraint(fields=("charge", "number"), name="charge_version_once"),
        ),
        migrations.AddConstraint(
            model_name="chargeversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "model__in",
                        [
                            "standard",
                            "graduated",
                            "graduated_percentage",
                            "package",
                            "percentage",
                            "volume",
                            "dynamic",
                        ],
                    )
                ),
                name="charge_model_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="chargeversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("min_amount__gte", 0)), name="charge_minimum_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(fields=("plan", "number"), name="plan_version_once"),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("minimum_commitment__gte", 0)),
                name="plan_amount_is_not_negative",
            ),
        ),
    ]
