"""Usage and fees without indexes that only cost: what another one begins with, and what nobody looks up by."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="fee",
            name="charge_version",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ingest.chargeversion",
            ),
        ),
        migrations.AlterField(
            model_name="fee",
            name="of_fee",
            field=models.ForeignKey(
                db_index=False,
                help_text="The fee of the earlier period whose late usage this is.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="late_fees",
                to="ingest.fee",
            ),
        ),
        migrations.AlterField(
            model_name="fee",
            name="plan_version",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ingest.planversion",
            ),
        ),
        migrations.AlterField(
            model_name="fee",
            name="subscription",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="fees",
                to="ingest.subscription",
            ),
        ),
        migrations.AlterField(
            model_name="usage",
            name="subscription",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage",
                to="ingest.subscription",
            ),
        ),
        migrations.AddIndex(
            model_name="fee",
            index=models.Index(
                condition=models.Q(("of_fee__isnull", False)), fields=["of_fee"], name="fee_of_late_usage"
            ),
        ),
    ]
