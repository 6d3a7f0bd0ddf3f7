"""Which periods were metered and rated as a whole: one that nobody looked at is not one without usage."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0012_lago"),
    ]

    operations = [
        migrations.CreateModel(
            name="RatedPeriod",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("period_label", models.CharField(max_length=16)),
                ("rated_at", models.DateTimeField()),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rated_periods",
                        to="ingest.service",
                    ),
                ),
            ],
            options={
                "ordering": ["service", "period_label"],
                "constraints": [
                    models.UniqueConstraint(fields=("service", "period_label"), name="rated_period_once")
                ],
            },
        ),
    ]
