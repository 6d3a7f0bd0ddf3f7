"""One more kind of run: reading Odoo again and judging, without a push."""

from django.db import migrations, models

KINDS = {
    "rate": "Meter and rate",
    "push": "Push to Odoo",
    "fetch": "Fetch Odoo amounts",
    "sync": "Mirror Odoo",
    "import": "Import amounts",
    "reconcile": "Reconcile",
    "rerun": "Read Odoo again and reconcile",
    "refresh": "Rate, push, fetch and reconcile",
}


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_guards"), ("reconciliation", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="run", name="run_kind_is_known"),
        migrations.AlterField(
            model_name="run", name="kind", field=models.CharField(choices=list(KINDS.items()), max_length=16)
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=list(KINDS)), name="run_kind_is_known"
            ),
        ),
    ]
