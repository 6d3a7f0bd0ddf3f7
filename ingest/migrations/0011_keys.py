"""What a key opens, how often it may be used, and which key it replaces."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import ingest.models.api_key


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0010_subscriptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="RateWindow",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="rate_window",
                        serialize=False,
                        to="ingest.apikey",
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("used", models.PositiveIntegerField()),
            ],
        ),
        # Counting must not wait for the disk; see ingest/rate_limits.py.
        migrations.RunSQL("ALTER TABLE ingest_ratewindow SET UNLOGGED", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="apikey",
            name="rate_limit",
            field=models.PositiveIntegerField(
                blank=True, help_text="Requests in ten seconds; empty is no limit.", null=True
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="replaces",
            field=models.OneToOneField(
                blank=True,
                help_text="The key that was rotated into this one.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="ingest.apikey",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("ingest", "Ingest: post events and ask for estimates"),
                        ("read", "Read: look at everything of the service"),
                        ("manage", "Manage: every other write"),
                    ],
                    max_length=16,
                ),
                default=ingest.models.api_key.every_scope,
                size=None,
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scopes__contained_by", ["ingest", "read", "manage"]),
                    models.Q(("scopes", []), _negated=True),
                ),
                name="api_key_scopes_are_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate_limit", None), ("rate_limit__gte", 1), _connector="OR"),
                name="api_key_rate_limit_lets_one_through",
            ),
        ),
    ]
