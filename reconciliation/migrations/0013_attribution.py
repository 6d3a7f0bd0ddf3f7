"""Where Odoo's amounts come from, and lines that wait for a person to say which period they bill."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0012_mirror"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AmountStrategy",
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
                    "strategy",
                    models.CharField(
                        choices=[
                            ("quotation", "Shadow quotations"),
                            ("order", "What subscription orders have to invoice"),
                            ("invoice", "Invoices, drafts included"),
                        ],
                        default="quotation",
                        max_length=16,
                    ),
                ),
                ("chosen_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "amount strategies",
            },
        ),
        migrations.CreateModel(
            name="UnattributedLine",
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
                    "strategy",
                    models.CharField(
                        choices=[
                            ("quotation", "Shadow quotations"),
                            ("order", "What subscription orders have to invoice"),
                            ("invoice", "Invoices, drafts included"),
                        ],
                        max_length=16,
                    ),
                ),
                ("odoo_id", models.BigIntegerField(help_text="The line's id in Odoo.")),
                ("occasion", models.CharField(blank=True, max_length=32)),
                ("document", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, max_length=1024, verbose_name="line")),
                ("partner_id", models.BigIntegerField()),
                (
                    "untaxed",
                    ingest.models.fields.ExactDecimalField(
                        help_text="Its part of the document, refunds negative."
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("why", models.TextField(help_text="Why the line cannot be attributed by itself.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waits for a person"),
                            ("assigned", "Assigned"),
                            ("left_out", "Not of this service"),
                            ("settled", "No longer needs one"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("period_start", models.DateTimeField(null=True)),
                ("period_end", models.DateTimeField(null=True)),
                ("period_label", models.CharField(blank=True, max_length=16, verbose_name="period")),
                ("reason", models.TextField(blank=True)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("attribute_line", "Can assign lines of Odoo to periods")],
            },
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
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcedocument",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["odoo_quotation", "odoo_invoice", "odoo_order", "file"])),
                name="document_source_is_known",
            ),
        ),
        migrations.AddField(
            model_name="amountstrategy",
            name="service",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="amount_strategy",
                to="ingest.service",
            ),
        ),
        migrations.AddField(
            model_name="unattributedline",
            name="customer",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="ingest.customer"
            ),
        ),
        migrations.AddField(
            model_name="unattributedline",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="unattributedline",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="unattributed_lines",
                to="ingest.service",
            ),
        ),
        migrations.AddConstraint(
            model_name="amountstrategy",
            constraint=models.CheckConstraint(
                condition=models.Q(("strategy__in", ["quotation", "order", "invoice"])),
                name="strategy_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="unattributedline",
            constraint=models.UniqueConstraint(
                fields=("service", "strategy", "odoo_id", "occasion"), name="unattributed_line_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="unattributedline",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "assigned", "left_out", "settled"])),
                name="line_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="unattributedline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "assigned"), _negated=True),
                    models.Q(
                        ("customer__isnull", False),
                        ("period_end__gt", models.F("period_start")),
                        ("period_start__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="assigned_line_has_a_period",
            ),
        ),
        migrations.AddConstraint(
            model_name="unattributedline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["assigned", "left_out"]), _negated=True),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="decided_line_has_a_person",
            ),
        ),
        # What Django's constraints cannot say: a line is about a customer of its own service.
        migrations.RunSQL(
            "ALTER TABLE reconciliation_unattributedline"
            " ADD CONSTRAINT reconciliation_unattributedline_customer_id_of_service"
            " FOREIGN KEY (service_id, customer_id) REFERENCES ingest_customer (service_id, id)"
            " DEFERRABLE INITIALLY DEFERRED;",
            "ALTER TABLE reconciliation_unattributedline"
            " DROP CONSTRAINT reconciliation_unattributedline_customer_id_of_service;",
        ),
    ]
