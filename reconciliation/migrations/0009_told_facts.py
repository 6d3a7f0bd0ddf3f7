"""Until when each service was told of facts, and which of them it was told lately."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0018_plan_metadata"),
        ("reconciliation", "0008_event_reports"),
    ]

    operations = [
        migrations.CreateModel(
            name="FactReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("told_until", models.DateTimeField(help_text="Of what happened before this instant.")),
                (
                    "service",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fact_report",
                        to="ingest.service",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ToldFact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("webhook_type", models.CharField(max_length=64)),
                (
                    "key",
                    models.UUIDField(
                        help_text="The audit record that says so, or the subscription whose date came."
                    ),
                ),
                ("told_at", models.DateTimeField()),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="told_facts",
                        to="ingest.service",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service", "told_at"], name="told_fact_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("service", "webhook_type", "key"), name="fact_is_told_once"
                    )
                ],
            },
        ),
    ]
