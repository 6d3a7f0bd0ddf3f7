"""An import from Lago is a run of a kind of its own."""

from django.db import migrations, models

KINDS = [
    ("rate", "Meter and rate"),
    ("push", "Push to Odoo"),
    ("fetch", "Fetch Odoo amounts"),
    ("sync", "Mirror Odoo"),
    ("import", "Import amounts"),
    ("lago", "Import from Lago"),
    ("reconcile", "Reconcile"),
    ("rerun", "Read Odoo again and reconcile"),
    ("refresh", "Rate, push, fetch and reconcile"),
]


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0006_webhooks")]

    operations = [
        migrations.RemoveConstraint(model_name="run", name="run_kind_is_known"),
        migrations.AlterField(
            model_name="run", name="kind", field=models.CharField(choices=KINDS, max_length=16)
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=[kind for kind, _ in KINDS]), name="run_kind_is_known"
            ),
        ),
    ]
