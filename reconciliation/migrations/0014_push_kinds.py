"""What a push writes, and runs and pushes that a person stopped."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0013_attribution"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="push",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("retry_push", "Can retry or give up a push")],
                "verbose_name_plural": "pushes",
            },
        ),
        migrations.RemoveConstraint(
            model_name="push",
            name="push_status_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="run_status_is_known",
        ),
        migrations.AddField(
            model_name="push",
            name="kind",
            field=models.CharField(
                choices=[
                    ("quotation", "Shadow quotation"),
                    ("order_lines", "Usage on an order"),
                    ("correction", "Draft correction"),
                ],
                db_default="quotation",
                default="quotation",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="push",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Due"),
                    ("sending", "Sending"),
                    ("unknown", "Outcome unknown"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("superseded", "Superseded"),
                    ("canceled", "Given up"),
                ],
                default="pending",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("succeeded", "Succeeded"),
                    ("partial", "Partly done"),
                    ("failed", "Failed"),
                    ("canceled", "Canceled"),
                ],
                default="queued",
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="push",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "sending", "unknown"])),
                fields=["customer"],
                name="push_open_by_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="push",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["quotation", "order_lines", "correction"])),
                name="push_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="push",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["pending", "sending", "unknown", "done", "failed", "superseded", "canceled"],
                    )
                ),
                name="push_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["queued", "running", "paused", "succeeded", "partial", "failed", "canceled"],
                    )
                ),
                name="run_status_is_known",
            ),
        ),
    ]
