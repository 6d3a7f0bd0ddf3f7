"""How a service's Lago is reached, and how far its invoices were read."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0019_billed_files")]

    operations = [
        migrations.CreateModel(
            name="LagoConnection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("url", models.CharField(max_length=512, verbose_name="address")),
                ("key", models.BinaryField(help_text="Encrypted; never shown again.")),
                ("checked_at", models.DateTimeField(null=True)),
                (
                    "check_result",
                    models.JSONField(default=dict, help_text="What the key may read, and why not."),
                ),
                ("read_at", models.DateTimeField(help_text="When the last whole reading began.", null=True)),
                (
                    "read_since",
                    models.DateField(
                        help_text="From which day of issue on everything was read once.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name": "Lago connection",
                "ordering": ["service"],
            },
        ),
        migrations.AddField(
            model_name="lagoconnection",
            name="service",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lago_connection",
                to="ingest.service",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="sourcedocument",
            name="document_source_is_known",
        ),
        migrations.AlterField(
            model_name="sourcedocument",
            name="source",
            field=models.CharField(
                choices=[
                    ("odoo_quotation", "Odoo quotation"),
                    ("odoo_invoice", "Odoo invoice"),
                    ("odoo_order", "Odoo order, to invoice"),
                    ("file", "File"),
                    ("lago_invoice", "Lago invoice"),
                    ("lago_credit_note", "Lago credit note"),
                    ("stripe_invoice", "Stripe invoice"),
                    ("stripe_credit_note", "Stripe credit note"),
                    ("stripe_charge", "Stripe charge"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcedocument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "source__in",
                        [
                            "odoo_quotation",
                            "odoo_invoice",
                            "odoo_order",
                            "file",
                            "lago_invoice",
                            "lago_credit_note",
                            "stripe_invoice",
                            "stripe_credit_note",
                            "stripe_charge",
                        ],
                    )
                ),
                name="document_source_is_known",
            ),
        ),
    ]
