"""What the API says of metrics, plans, charges, customers and subscriptions."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0007_metering"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_once_per_plan_and_metric",
        ),
        migrations.RemoveConstraint(
            model_name="metric",
            name="metric_once_per_service",
        ),
        migrations.RemoveConstraint(
            model_name="plan",
            name="plan_once_per_service",
        ),
        migrations.AddField(
            model_name="charge",
            name="code",
            field=models.CharField(blank=True, help_text="The service's own name for it.", max_length=255),
        ),
        migrations.AddField(
            model_name="charge",
            name="deleted_at",
            field=models.DateTimeField(
                blank=True, help_text="It prices no period that ends after this instant.", null=True
            ),
        ),
        migrations.AddField(
            model_name="charge",
            name="invoice_display_name",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="customer",
            name="currency",
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name="customer",
            name="deleted_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Since when the service has it no more; posted again it is the same one.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="profile",
            field=models.JSONField(
                blank=True, default=dict, help_text="What else the service says of it, in Lago's field names."
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="updated_at",
            field=models.DateTimeField(auto_now=True),
        ),
        migrations.AddField(
            model_name="historicalcharge",
            name="code",
            field=models.CharField(blank=True, help_text="The service's own name for it.", max_length=255),
        ),
        migrations.AddField(
            model_name="historicalcharge",
            name="deleted_at",
            field=models.DateTimeField(
                blank=True, help_text="It prices no period that ends after this instant.", null=True
            ),
        ),
        migrations.AddField(
            model_name="historicalcharge",
            name="invoice_display_name",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="historicalplan",
            name="deleted_at",
            field=models.DateTimeField(blank=True, help_text="Its code is free again since then.", null=True),
        ),
        migrations.AddField(
            model_name="historicalplan",
            name="description",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="historicalplan",
            name="invoice_display_name",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="historicalplan",
            name="is_pay_in_advance",
            field=models.BooleanField(
                default=False, help_text="The base amount is billed when a period begins; else when it ends."
            ),
        ),
        migrations.AddField(
            model_name="metric",
            name="deleted_at",
            field=models.DateTimeField(blank=True, help_text="Its code is free again since then.", null=True),
        ),
        migrations.AddField(
            model_name="metric",
            name="description",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="deleted_at",
            field=models.DateTimeField(blank=True, help_text="Its code is free again since then.", null=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="description",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="invoice_display_name",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="plan",
            name="is_pay_in_advance",
            field=models.BooleanField(
                default=False, help_text="The base amount is billed when a period begins; else when it ends."
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="canceled_at",
            field=models.DateTimeField(
                blank=True, help_text="When it was given up before it began: it never runs.", null=True
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="ending_at",
            field=models.DateTimeField(blank=True, help_text="The end that was agreed on.", null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="name",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="subscription",
            name="previous",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="next_ones",
                to="ingest.subscription",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="subscription_at",
            field=models.DateTimeField(
                blank=True, help_text="What anniversaries count from; empty is its own start.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="started_at",
            field=models.DateTimeField(help_text="In the future it is pending until then."),
        ),
        migrations.AlterField(
            model_name="subscription",
            name="terminated_at",
            field=models.DateTimeField(
                blank=True, help_text="Its end, exclusive; one in the future is decided already.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("plan", "metric"),
                name="charge_once_per_plan_and_metric",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency", ""), ("currency__regex", "^[A-Z]{3}$"), _connector="OR"),
                name="customer_currency_is_iso",
            ),
        ),
        migrations.AddConstraint(
            model_name="metric",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("service", "code"),
                name="metric_once_per_service",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("service", "code"),
                name="plan_once_per_service",
            ),
        ),
    ]
