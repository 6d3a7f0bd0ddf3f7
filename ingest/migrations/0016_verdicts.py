"""How a service wants its events taken, by which key each came, and what was sent again."""

import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0015_late_usage"),
    ]

    operations = [
        migrations.CreateModel(
            name="Resend",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("refused", models.PositiveBigIntegerField(default=0)),
                (
                    "identical",
                    models.PositiveBigIntegerField(default=0, help_text="Answered as they are stored."),
                ),
            ],
            options={
                "ordering": ["-day", "key"],
            },
        ),
        migrations.AddField(
            model_name="historicalservice",
            name="events_batch_max",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Up to 10,000; empty is the console's own limit, Lago's hundred unless it is set.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(10000),
                ],
                verbose_name="most events of a batch",
            ),
        ),
        migrations.AddField(
            model_name="historicalservice",
            name="is_batch_partial",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "The others are named in the answer by their place; else a batch is stored"
                    " whole or not at all, as in Lago."
                ),
                verbose_name="stores the good events of a batch",
            ),
        ),
        migrations.AddField(
            model_name="historicalservice",
            name="is_resend_accepted",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "An event that is sent again and is the same in all it says is answered 200,"
                    " as it is stored; else 422, as Lago does."
                ),
                verbose_name="accepts events sent again",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="events_batch_max",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Up to 10,000; empty is the console's own limit, Lago's hundred unless it is set.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(10000),
                ],
                verbose_name="most events of a batch",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="is_batch_partial",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "The others are named in the answer by their place; else a batch is stored"
                    " whole or not at all, as in Lago."
                ),
                verbose_name="stores the good events of a batch",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="is_resend_accepted",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "An event that is sent again and is the same in all it says is answered 200,"
                    " as it is stored; else 422, as Lago does."
                ),
                verbose_name="accepts events sent again",
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="key",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="The key it was sent with.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ingest.apikey",
            ),
        ),
        migrations.AddIndex(
            model_name="usageevent",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["received_at"], name="event_by_receipt", pages_per_range=32
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("events_batch_max", None), ("events_batch_max__range", (1, 10000)), _connector="OR"
                ),
                name="service_batch_is_bounded",
            ),
        ),
        migrations.AddField(
            model_name="resend",
            name="key",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="resends", to="ingest.apikey"
            ),
        ),
        migrations.AddConstraint(
            model_name="resend",
            constraint=models.UniqueConstraint(fields=("key", "day"), name="resend_once_per_key_and_day"),
        ),
    ]
