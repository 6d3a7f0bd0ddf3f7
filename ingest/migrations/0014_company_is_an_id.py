"""A service is billed by a company of Odoo, whose ids begin at 1; what never was an id becomes the default one."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0013_rated_periods"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE ingest_service SET odoo_company_id = NULL WHERE odoo_company_id < 1",
            migrations.RunSQL.noop,
            elidable=True,
        ),
        migrations.AlterField(
            model_name="historicalservice",
            name="odoo_company_id",
            field=models.BigIntegerField(
                blank=True,
                help_text="The Odoo company that bills this service; empty is the default one.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="odoo_company_id",
            field=models.BigIntegerField(
                blank=True,
                help_text="The Odoo company that bills this service; empty is the default one.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("odoo_company_id", None), ("odoo_company_id__gte", 1), _connector="OR"),
                name="service_company_is_an_id",
            ),
        ),
    ]
