"""Usage that is not in Odoo before its invoicing run is an alarm."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0014_push_kinds"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="alarm",
            name="alarm_kind_is_known",
        ),
        migrations.AlterField(
            model_name="alarm",
            name="kind",
            field=models.CharField(
                choices=[
                    ("quotation_not_draft", "A shadow quotation is no longer a draft"),
                    ("usage_not_in_odoo", "Usage is not in Odoo before its invoicing run"),
                    ("billed_after_switch", "The service billed a period that Odoo bills"),
                    ("billed_by_odoo_too", "Odoo invoiced a period that the service bills"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "quotation_not_draft",
                            "usage_not_in_odoo",
                            "billed_after_switch",
                            "billed_by_odoo_too",
                        ],
                    )
                ),
                name="alarm_kind_is_known",
            ),
        ),
    ]
