"""What was brought over from Lago: its ids, of every kind in one table, and from when a subscription is metered."""

import django.db.models.deletion
from django.db import migrations, models

COPY = """
INSERT INTO ingest_lagoid (service_id, kind, lago_id, public_id, digest, created_at, updated_at)
SELECT DISTINCT ON (service_id, lago_id) service_id, 'customer', lago_id, public_id, '', now(), now()
FROM ingest_customer WHERE lago_id IS NOT NULL ORDER BY service_id, lago_id, id
"""
COPY_BACK = """
UPDATE ingest_customer AS customer SET lago_id = known.lago_id
FROM ingest_lagoid AS known WHERE known.kind = 'customer' AND known.public_id = customer.public_id
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0011_keys")]

    operations = [
        migrations.CreateModel(
            name="LagoId",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("metric", "Metric"),
                            ("plan", "Plan"),
                            ("charge", "Charge"),
                            ("customer", "Customer"),
                            ("subscription", "Subscription"),
                            ("webhook_endpoint", "Webhook endpoint"),
                        ],
                        max_length=16,
                    ),
                ),
                ("lago_id", models.UUIDField()),
                ("public_id", models.UUIDField(db_index=True, help_text="The row's public id.")),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        help_text="Of what was taken over last: the same again changes nothing.",
                        max_length=64,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lago_ids",
                        to="ingest.service",
                    ),
                ),
            ],
            options={
                "ordering": ["service", "kind", "created_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("service", "kind", "lago_id"), name="lago_id_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["metric", "plan", "charge", "customer", "subscription", "webhook_endpoint"],
                            )
                        ),
                        name="lago_id_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(COPY, COPY_BACK),
        migrations.RemoveField(model_name="customer", name="lago_id"),
        migrations.AddField(
            model_name="subscription",
            name="metered_from",
            field=models.DateTimeField(
                blank=True,
                help_text="Periods that ended by then are history: they were billed elsewhere, and are not metered.",
                null=True,
            ),
        ),
    ]
