"""Taxes and fiscal positions as mirrored, what decides them on partners and products, the tax on what we expect."""

import django.contrib.postgres.fields
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import ingest.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0003_subscription_rules"),
        ("reconciliation", "0002_of_one_service"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OdooFiscalPosition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                ("raw", models.JSONField()),
                ("written_at", models.DateTimeField(help_text="Odoo's own write date.", null=True)),
                ("mirrored_at", models.DateTimeField()),
                ("name", models.CharField(max_length=255)),
                ("sequence", models.IntegerField()),
                ("is_automatic", models.BooleanField(verbose_name="detected automatically")),
                (
                    "is_conditional",
                    models.BooleanField(
                        help_text="A VAT number, a group of countries or a range of postal codes.",
                        verbose_name="has further conditions",
                    ),
                ),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("company_id", models.BigIntegerField(db_index=True)),
                ("country_id", models.BigIntegerField(null=True)),
                (
                    "state_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "tax_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OdooTax",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("odoo_id", models.BigIntegerField(unique=True)),
                ("raw", models.JSONField()),
                ("written_at", models.DateTimeField(help_text="Odoo's own write date.", null=True)),
                ("mirrored_at", models.DateTimeField()),
                ("name", models.CharField(max_length=255)),
                (
                    "percent",
                    ingest.models.fields.ExactDecimalField(
                        help_text="Odoo's amount; of a group and of a fixed tax it is none."
                    ),
                ),
                ("kind", models.CharField(help_text="Odoo's amount_type.", max_length=32)),
                ("use", models.CharField(help_text="Odoo's type_tax_use.", max_length=16)),
                ("is_included", models.BooleanField(verbose_name="included in the price")),
                ("affects_base", models.BooleanField(verbose_name="affects the base of later taxes")),
                ("is_active", models.BooleanField(verbose_name="active")),
                ("company_id", models.BigIntegerField(db_index=True)),
                (
                    "child_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), help_text="The taxes of a group.", size=None
                    ),
                ),
                (
                    "original_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="The taxes that it stands in for under its fiscal positions.",
                        size=None,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "odoo taxes",
            },
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="address_type",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="company_id",
            field=models.BigIntegerField(help_text="For which company its position was read.", null=True),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="country_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="parent_id",
            field=models.BigIntegerField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="position_id",
            field=models.BigIntegerField(
                help_text="The one that somebody gave it; else Odoo detects one.",
                null=True,
                verbose_name="fiscal position",
            ),
        ),
        migrations.AddField(
            model_name="odoopartner",
            name="state_id",
            field=models.BigIntegerField(null=True, verbose_name="province"),
        ),
        migrations.AddField(
            model_name="odooproduct",
            name="tax_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                help_text="Its sales taxes before any fiscal position.",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="expected_tax",
            field=ingest.models.fields.ExactDecimalField(
                help_text="By Odoo's taxes on what we expect.", null=True
            ),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="expected_taxes",
            field=models.JSONField(
                default=list,
                help_text="The rates that were used: on which products, on what, and what they came to.",
            ),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="expected_total",
            field=ingest.models.fields.ExactDecimalField(null=True),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="untaxed_because",
            field=models.CharField(blank=True, help_text="Why no tax can be expected.", max_length=255),
        ),
        migrations.AddConstraint(
            model_name="reconciliation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expected_tax", None), ("expected_total", None)),
                    models.Q(
                        ("expected_tax__isnull", False),
                        (
                            "expected_total",
                            django.db.models.expressions.CombinedExpression(
                                models.F("expected_untaxed"), "+", models.F("expected_tax")
                            ),
                        ),
                        ("expected_total__isnull", False),
                        ("expected_untaxed__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="expected_total_is_untaxed_plus_tax",
            ),
        ),
    ]
