"""What a service notes of a plan, and what it calls the minimum commitment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0017_fewer_indexes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="plan",
            options={
                "ordering": ["name"],
                "permissions": [("map_product", "Can set the Odoo product of plans and charges")],
            },
        ),
        migrations.AddField(
            model_name="plan",
            name="commitment_display_name",
            field=models.CharField(
                blank=True, default="", help_text="What the minimum commitment is called.", max_length=255
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="plan",
            name="metadata",
            field=models.JSONField(
                blank=True,
                help_text="What the service notes of it, texts by their keys; empty is none.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="historicalplan",
            name="commitment_display_name",
            field=models.CharField(
                blank=True, default="", help_text="What the minimum commitment is called.", max_length=255
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="historicalplan",
            name="metadata",
            field=models.JSONField(
                blank=True,
                help_text="What the service notes of it, texts by their keys; empty is none.",
                null=True,
            ),
        ),
    ]
