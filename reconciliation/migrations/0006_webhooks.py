"""How an endpoint is signed for, what it is told of, when it ended; and the keys that sign."""

import uuid

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0011_keys"),
        ("reconciliation", "0005_file_documents"),
    ]

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("purpose", models.CharField(max_length=32, unique=True)),
                ("private_key", models.BinaryField()),
                ("public_key", models.TextField(help_text="PEM.")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="webhookendpoint",
            name="webhook_endpoint_once",
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="algorithm",
            field=models.CharField(
                choices=[
                    ("jwt", "jwt: RS256, verified with the console's public key"),
                    ("hmac", "hmac: SHA-256, verified with the endpoint's own key"),
                ],
                default="hmac",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="deleted_at",
            field=models.DateTimeField(
                blank=True, help_text="Since when the service does not listen there any more.", null=True
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="event_types",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64),
                blank=True,
                help_text="What it is told of; empty is all.",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="name",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AlterField(
            model_name="webhookendpoint",
            name="secret",
            field=models.BinaryField(help_text="The HMAC key, encrypted at rest; empty with jwt."),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("service", "url"),
                name="webhook_endpoint_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("algorithm__in", ["jwt", "hmac"])), name="webhook_algorithm_is_known"
            ),
        ),
    ]
