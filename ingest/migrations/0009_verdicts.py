"""How a service wants its events taken."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0008_api"),
    ]

    operations = [
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
                help_text="The others are named in the answer by their place; else a batch is stored whole or not at all,"
                " as in Lago.",
                verbose_name="stores the good events of a batch",
            ),
        ),
        migrations.AddField(
            model_name="historicalservice",
            name="is_resend_accepted",
            field=models.BooleanField(
                default=False,
                help_text="An event that is sent again and is the same in all it says is answered 200, as it is stored;"
                " else 422, as Lago does.",
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
                help_text="The others are named in the answer by their place; else a batch is stored whole or not at all,"
                " as in Lago.",
                verbose_name="stores the good events of a batch",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="is_resend_accepted",
            field=models.BooleanField(
                default=False,
                help_text="An event that is sent again and is the same in all it says is answered 200, as it is stored;"
                " else 422, as Lago does.",
                verbose_name="accepts events sent again",
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
    ]
