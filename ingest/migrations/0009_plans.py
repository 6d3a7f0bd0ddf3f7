"""A plan may charge for one metric more than once: its charges are told apart by their codes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0008_api"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_once_per_plan_and_metric",
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), models.Q(("code", ""), _negated=True)),
                fields=("plan", "code"),
                name="charge_code_once_per_plan",
            ),
        ),
    ]
