"""Files of what was billed, kept whole, with their mappings."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0016_verdicts"),
        ("reconciliation", "0018_claims"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BilledFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ready_mapping", models.CharField(blank=True, max_length=32)),
                ("name", models.CharField(max_length=255)),
                ("size", models.PositiveBigIntegerField()),
                ("digest", models.CharField(help_text="SHA-256 of its bytes.", max_length=64)),
                ("format", models.CharField(blank=True, max_length=64)),
                ("period_label", models.CharField(blank=True, max_length=16)),
                ("is_replacing", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("previewed", "Waits for a decision"),
                            ("refused", "Refused"),
                            ("confirmed", "Confirmed"),
                            ("imported", "Imported"),
                            ("discarded", "Discarded"),
                        ],
                        default="received",
                        max_length=16,
                    ),
                ),
                (
                    "preview",
                    models.JSONField(default=dict, help_text="What it would bring, or why it was refused."),
                ),
                ("preview_digest", models.CharField(blank=True, max_length=64)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("import_billedfile", "Can import what a service billed")],
            },
        ),
        migrations.CreateModel(
            name="BilledFilePart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
            ],
            options={
                "ordering": ["file", "number"],
            },
        ),
        migrations.CreateModel(
            name="FileMapping",
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
                    "name",
                    models.CharField(
                        help_text="What the source is called, such as “shop export”.", max_length=64
                    ),
                ),
                (
                    "columns",
                    models.JSONField(default=dict, help_text="The column of each field that has one."),
                ),
                (
                    "currency",
                    models.CharField(
                        blank=True,
                        help_text="Of every row, where the file has no column for it.",
                        max_length=3,
                    ),
                ),
                (
                    "date_format",
                    models.CharField(
                        choices=[
                            ("iso_day", "2026-10-31"),
                            ("iso_instant", "2026-10-31T00:00:00Z, or without T and Z"),
                            ("dmy_slash", "31/10/2026"),
                            ("mdy_slash", "10/31/2026"),
                            ("dmy_dot", "31.10.2026"),
                            ("compact", "20261031"),
                        ],
                        default="iso_day",
                        max_length=16,
                    ),
                ),
                (
                    "is_end_inclusive",
                    models.BooleanField(
                        default=False,
                        help_text="Else an end is the day after the last one.",
                        verbose_name="ends are last days",
                    ),
                ),
                (
                    "decimal_mark",
                    models.CharField(choices=[(".", "1234.50"), (",", "1234,50")], default=".", max_length=1),
                ),
                (
                    "thousands_mark",
                    models.CharField(
                        blank=True,
                        choices=[(",", "1,234"), (".", "1.234"), (" ", "1 234"), ("'", "1'234")],
                        max_length=1,
                    ),
                ),
                (
                    "is_minor",
                    models.BooleanField(
                        default=False,
                        help_text="12345 is 123.45, by the currency's own digits.",
                        verbose_name="amounts in minor units",
                    ),
                ),
                ("counted_statuses", models.JSONField(blank=True, default=list)),
                ("left_out_statuses", models.JSONField(blank=True, default=list)),
                (
                    "kinds",
                    models.JSONField(
                        blank=True, default=dict, help_text="What the words of the kind's column mean."
                    ),
                ),
                (
                    "encoding",
                    models.CharField(
                        choices=[
                            ("utf-8", "UTF-8"),
                            ("utf-16", "UTF-16"),
                            ("cp1252", "Windows-1252"),
                            ("latin-1", "ISO 8859-1"),
                        ],
                        default="utf-8",
                        max_length=16,
                    ),
                ),
                (
                    "delimiter",
                    models.CharField(
                        blank=True,
                        choices=[(",", "comma"), (";", "semicolon"), ("\t", "tab")],
                        help_text="Empty: whichever the header has.",
                        max_length=1,
                    ),
                ),
                (
                    "sheet",
                    models.CharField(blank=True, help_text="Of a spreadsheet with several.", max_length=31),
                ),
                ("header_row", models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                "ordering": ["service", "name"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="run_kind_is_known",
        ),
        migrations.AddField(
            model_name="amountline",
            name="detail",
            field=models.JSONField(
                default=dict,
                help_text="What else its source says of it, such as the filter and the group of a fee.",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="kind",
            field=models.CharField(
                choices=[
                    ("rate", "Meter and rate"),
                    ("push", "Push to Odoo"),
                    ("fetch", "Fetch Odoo amounts"),
                    ("sync", "Mirror Odoo"),
                    ("check", "Check the connection to Odoo"),
                    ("preview", "Read a file"),
                    ("import", "Import amounts"),
                    ("fetch_lago", "Fetch Lago's invoices"),
                    ("check_lago", "Check Lago"),
                    ("lago", "Import from Lago"),
                    ("stripe", "Fetch from Stripe"),
                    ("check_stripe", "Check Stripe"),
                    ("reconcile", "Reconcile"),
                    ("rerun", "Read Odoo again and reconcile"),
                    ("refresh", "Rate, push, fetch and reconcile"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "rate",
                            "push",
                            "fetch",
                            "sync",
                            "check",
                            "preview",
                            "import",
                            "fetch_lago",
                            "check_lago",
                            "lago",
                            "stripe",
                            "check_stripe",
                            "reconcile",
                            "rerun",
                            "refresh",
                        ],
                    )
                ),
                name="run_kind_is_known",
            ),
        ),
        migrations.AddField(
            model_name="billedfile",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decided_files",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="billedfile",
            name="run",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="billed_files",
                to="reconciliation.run",
            ),
        ),
        migrations.AddField(
            model_name="billedfile",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="billed_files", to="ingest.service"
            ),
        ),
        migrations.AddField(
            model_name="billedfile",
            name="uploaded_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uploaded_files",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="billedfilepart",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parts",
                to="reconciliation.billedfile",
            ),
        ),
        migrations.AddField(
            model_name="filemapping",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="file_mappings", to="ingest.service"
            ),
        ),
        migrations.AddField(
            model_name="billedfile",
            name="mapping",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="files",
                to="reconciliation.filemapping",
            ),
        ),
        migrations.AddConstraint(
            model_name="billedfilepart",
            constraint=models.UniqueConstraint(fields=("file", "number"), name="billed_file_part_once"),
        ),
        migrations.AddConstraint(
            model_name="filemapping",
            constraint=models.UniqueConstraint(
                fields=("service", "name"), name="file_mapping_once_per_service"
            ),
        ),
        migrations.AddConstraint(
            model_name="filemapping",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="file_mapping_has_a_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="filemapping",
            constraint=models.CheckConstraint(
                condition=models.Q(("header_row__gte", 1)), name="file_mapping_header_is_a_row"
            ),
        ),
        migrations.AddConstraint(
            model_name="filemapping",
            constraint=models.CheckConstraint(
                condition=models.Q(("decimal_mark", models.F("thousands_mark")), _negated=True),
                name="file_mapping_marks_differ",
            ),
        ),
        migrations.AddConstraint(
            model_name="billedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["received", "previewed", "refused", "confirmed", "imported", "discarded"])
                ),
                name="billed_file_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="billedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("mapping", None), ("ready_mapping", ""), _connector="OR"),
                name="billed_file_has_one_mapping",
            ),
        ),
    ]
