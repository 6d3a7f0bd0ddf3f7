"""Which source says from when on what a service billed, and lines that tell advance from arrears."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0015_usage_not_in_odoo"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("file", "Files"),
                            ("stripe_invoices", "Stripe invoices"),
                            ("stripe_charges", "Stripe charges without invoices"),
                            ("lago", "Lago invoices"),
                        ],
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                (
                    "starts_on",
                    models.DateField(
                        help_text="Of periods that begin on this day or later, where the customer is.",
                        verbose_name="from",
                    ),
                ),
                ("is_current", models.BooleanField(default=True)),
                ("reason", models.TextField()),
            ],
            options={
                "ordering": ["service", "-starts_on", "-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="sourcedocument",
            name="document_source_is_known",
        ),
        migrations.AddField(
            model_name="amountline",
            name="timing",
            field=models.CharField(
                blank=True,
                choices=[("advance", "In advance"), ("arrears", "In arrears")],
                help_text="Where the source says what a line is for.",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="amount",
            name="is_current",
            field=models.BooleanField(
                default=True,
                help_text="It counts: of the document's current version, from the billing source.",
            ),
        ),
        migrations.AlterField(
            model_name="sourcedocument",
            name="digest",
            field=models.CharField(
                help_text="SHA-256 of what it says, and of what that comes to.", max_length=64
            ),
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
                    ("stripe_invoice", "Stripe invoice"),
                    ("stripe_credit_note", "Stripe credit note"),
                    ("stripe_charge", "Stripe charge"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="amountline",
            constraint=models.CheckConstraint(
                condition=models.Q(("timing__in", ["", "advance", "arrears"])),
                name="amount_line_timing_is_known",
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
                            "stripe_invoice",
                            "stripe_credit_note",
                            "stripe_charge",
                        ],
                    )
                ),
                name="document_source_is_known",
            ),
        ),
        migrations.AddField(
            model_name="billingsource",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="billingsource",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="billing_sources",
                to="ingest.service",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingsource",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("service", "starts_on"),
                name="billing_source_once_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["file", "stripe_invoices", "stripe_charges", "lago"])),
                name="billing_source_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="billing_source_has_a_reason"
            ),
        ),
    ]
