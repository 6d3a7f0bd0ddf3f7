"""Checking the connection to Odoo is a run of a kind of its own, and what Odoo bills too early an alarm."""

from django.db import migrations, models

RUNS = [
    ("rate", "Meter and rate"),
    ("push", "Push to Odoo"),
    ("fetch", "Fetch Odoo amounts"),
    ("sync", "Mirror Odoo"),
    ("check", "Check the connection to Odoo"),
    ("import", "Import amounts"),
    ("lago", "Import from Lago"),
    ("reconcile", "Reconcile"),
    ("rerun", "Read Odoo again and reconcile"),
    ("refresh", "Rate, push, fetch and reconcile"),
]
ALARMS = [
    ("quotation_not_draft", "A shadow quotation is no longer a draft"),
    ("billed_after_switch", "The service billed a period that Odoo bills"),
    ("billed_by_odoo_too", "Odoo invoiced a period that the service bills"),
]


def widen(model, name, kinds, length):
    """The choices of a model's kind, in the field and in the constraint of that name."""
    return [
        migrations.RemoveConstraint(model_name=model, name=name),
        migrations.AlterField(
            model_name=model, name="kind", field=models.CharField(choices=kinds, max_length=length)
        ),
        migrations.AddConstraint(
            model_name=model,
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=[kind for kind, _ in kinds]), name=name
            ),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0010_odoo_connections")]

    operations = [
        *widen("run", "run_kind_is_known", RUNS, 16),
        *widen("alarm", "alarm_kind_is_known", ALARMS, 32),
    ]
