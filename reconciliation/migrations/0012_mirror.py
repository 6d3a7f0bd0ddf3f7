"""The mirror keeps lines, what is gone, how far it is, and what taxes charged before they changed."""

import django.contrib.postgres.fields
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0011_checks_and_alarms"),
    ]

    operations = [
        migrations.CreateModel(
            name="OdooInvoiceLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                (
                    "company_id",
                    models.BigIntegerField(help_text="The company that it was read for.", null=True),
                ),
                ("raw", models.JSONField()),
                ("written_at", models.DateTimeField(help_text="Odoo's own write date.", null=True)),
                ("mirrored_at", models.DateTimeField()),
                (
                    "gone_at",
                    models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
                ),
                ("move_id", models.BigIntegerField(db_index=True, verbose_name="invoice")),
                ("display_type", models.CharField(max_length=32)),
                ("product_id", models.BigIntegerField(null=True)),
                ("name", models.CharField(blank=True, max_length=1024)),
                ("quantity", ingest.models.fields.ExactDecimalField()),
                ("price_unit", ingest.models.fields.ExactDecimalField()),
                ("untaxed", ingest.models.fields.ExactDecimalField()),
                ("total", ingest.models.fields.ExactDecimalField()),
                ("balance", ingest.models.fields.ExactDecimalField()),
                (
                    "tax_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "sale_line_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("deferred_from", models.DateField(null=True)),
                ("deferred_to", models.DateField(help_text="The last day, inclusive.", null=True)),
                (
                    "external_id",
                    models.CharField(
                        blank=True, help_text="Its oldest one: ours, if we made it.", max_length=255
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OdooOrderLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                (
                    "company_id",
                    models.BigIntegerField(help_text="The company that it was read for.", null=True),
                ),
                ("raw", models.JSONField()),
                ("written_at", models.DateTimeField(help_text="Odoo's own write date.", null=True)),
                ("mirrored_at", models.DateTimeField()),
                (
                    "gone_at",
                    models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
                ),
                ("order_id", models.BigIntegerField(db_index=True)),
                ("product_id", models.BigIntegerField(null=True)),
                ("name", models.CharField(max_length=1024)),
                ("quantity", ingest.models.fields.ExactDecimalField()),
                ("delivered", ingest.models.fields.ExactDecimalField()),
                ("invoiced", ingest.models.fields.ExactDecimalField()),
                ("to_invoice", ingest.models.fields.ExactDecimalField()),
                ("price_unit", ingest.models.fields.ExactDecimalField()),
                ("untaxed", ingest.models.fields.ExactDecimalField()),
                ("total", ingest.models.fields.ExactDecimalField()),
                ("untaxed_to_invoice", ingest.models.fields.ExactDecimalField()),
                (
                    "tax_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True, help_text="Its oldest one: ours, if we made it.", max_length=255
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OdooPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                (
                    "company_id",
                    models.BigIntegerField(help_text="The company that it was read for.", null=True),
                ),
                ("raw", models.JSONField()),
                ("written_at", models.DateTimeField(help_text="Odoo's own write date.", null=True)),
                ("mirrored_at", models.DateTimeField()),
                (
                    "gone_at",
                    models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
                ),
                ("name", models.CharField(max_length=255)),
                ("every", models.IntegerField(help_text="So many of the unit.")),
                ("unit", models.CharField(max_length=16)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveField(
            model_name="odooinvoice",
            name="order",
        ),
        migrations.AddField(
            model_name="odoofiscalposition",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AddField(
            model_name="odooinvoice",
            name="company_id",
            field=models.BigIntegerField(help_text="The company that it was read for.", null=True),
        ),
        migrations.AddField(
            model_name="odooinvoice",
            name="due_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="odooinvoice",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AddField(
            model_name="odooinvoice",
            name="ref",
            field=models.CharField(blank=True, max_length=512),
        ),
        migrations.AddField(
            model_name="odooinvoice",
            name="reversed_id",
            field=models.BigIntegerField(help_text="The invoice that a credit note reverses.", null=True),
        ),
        migrations.AddField(
            model_name="odooorder",
            name="company_id",
            field=models.BigIntegerField(help_text="The company that it was read for.", null=True),
        ),
        migrations.AddField(
            model_name="odooorder",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AddField(
            model_name="odooorder",
            name="plan_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="odooorder",
            name="start_date",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="odooorder",
            name="tax",
            field=ingest.models.fields.ExactDecimalField(null=True),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="vat",
            field=models.CharField(blank=True, max_length=64, verbose_name="tax id"),
        ),
        migrations.AddField(
            model_name="odoopricelist",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AddField(
            model_name="odoopricelist",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AddField(
            model_name="odooproduct",
            name="company_id",
            field=models.BigIntegerField(help_text="The company that it was read for.", null=True),
        ),
        migrations.AddField(
            model_name="odooproduct",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AddField(
            model_name="odooproduct",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AddField(
            model_name="odooproduct",
            name="is_recurring",
            field=models.BooleanField(
                help_text="Whether a subscription bills it each period.", null=True, verbose_name="recurring"
            ),
        ),
        migrations.AddField(
            model_name="odootax",
            name="gone_at",
            field=models.DateTimeField(help_text="When Odoo was found to have it no more.", null=True),
        ),
        migrations.AlterField(
            model_name="odoopartner",
            name="company_id",
            field=models.BigIntegerField(help_text="The company that it was read for.", null=True),
        ),
        migrations.CreateModel(
            name="MirrorCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("company_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=32)),
                (
                    "since",
                    models.DateTimeField(
                        help_text="What the pass reads from; empty is everything.", null=True
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(
                        help_text="When the pass under way began; empty between two.", null=True
                    ),
                ),
                (
                    "after_id",
                    models.BigIntegerField(default=0, help_text="The last id of the pass that is stored."),
                ),
                (
                    "newest",
                    models.DateTimeField(
                        help_text="The latest write date of the pass, by Odoo's clock.", null=True
                    ),
                ),
                (
                    "completed_at",
                    models.DateTimeField(help_text="When the mirror was last complete.", null=True),
                ),
                (
                    "compared_at",
                    models.DateTimeField(
                        help_text="When the ids of both sides were last compared.", null=True
                    ),
                ),
                ("error", models.TextField(blank=True, help_text="Why Odoo does not let it be read.")),
            ],
            options={
                "ordering": ["company_id", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("company_id", "kind"), name="cursor_once_per_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("started_at__isnull", False), ("after_id", 0), _connector="OR"),
                        name="cursor_rests_at_the_beginning",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OdooTaxPast",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("company_id", models.BigIntegerField()),
                ("odoo_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=255)),
                ("percent", ingest.models.fields.ExactDecimalField()),
                ("kind", models.CharField(max_length=32)),
                ("is_included", models.BooleanField(verbose_name="included in the price")),
                ("affects_base", models.BooleanField(verbose_name="affects the base of later taxes")),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("until", models.DateTimeField()),
                ("noticed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["company_id", "odoo_id", "until"],
                "constraints": [models.UniqueConstraint(fields=("odoo_id", "until"), name="past_ends_once")],
            },
        ),
    ]
