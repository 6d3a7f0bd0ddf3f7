"""Several connections to Odoo, who uses which, and what their checks found."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

TRANSPORTS = [
    ("auto", "As the server's version asks for"),
    ("jsonrpc", "OdooRPC (/jsonrpc)"),
    ("json2", "JSON-2 (/json/2)"),
]


def make_public():
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
        ("created_at", models.DateTimeField(auto_now_add=True)),
    ]


def make_key(to, related_name, **values):
    on_delete = django.db.models.deletion.PROTECT
    return models.ForeignKey(on_delete=on_delete, related_name=related_name, to=to, **values)


class Migration(migrations.Migration):
    dependencies = [("ingest", "0019_usage_alerts"), ("reconciliation", "0009_told_facts")]

    operations = [
        migrations.CreateModel(
            name="OdooConnection",
            fields=[
                *make_public(),
                ("name", models.CharField(max_length=120, unique=True)),
                ("url", models.CharField(max_length=1024, verbose_name="address")),
                ("database", models.CharField(max_length=255)),
                ("login", models.CharField(max_length=255)),
                (
                    "secret",
                    models.BinaryField(editable=False, help_text="The API key, encrypted at rest."),
                ),
                (
                    "company_id",
                    models.BigIntegerField(
                        "company",
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        help_text="The company that bills, unless a service names its own.",
                    ),
                ),
                (
                    "language",
                    models.CharField(default="en_US", help_text="In which Odoo answers.", max_length=16),
                ),
                ("transport", models.CharField(choices=TRANSPORTS, default="auto", max_length=16)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(transport__in=[name for name, _ in TRANSPORTS]),
                        name="connection_transport_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(company_id__gte=1), name="connection_company_is_an_id"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceConnection",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="named_connection",
                        serialize=False,
                        to="ingest.service",
                    ),
                ),
                ("connection", make_key("reconciliation.odooconnection", "users")),
            ],
        ),
        migrations.CreateModel(
            name="ConnectionCheck",
            fields=[
                *make_public(),
                ("connection", make_key("reconciliation.odooconnection", "checks", null=True)),
                (
                    "service",
                    make_key("ingest.service", "+", null=True, help_text="For whose sake; else for all."),
                ),
                ("run", make_key("reconciliation.run", "+", null=True)),
                (
                    "version",
                    models.CharField(blank=True, help_text="What the server said it is.", max_length=64),
                ),
                (
                    "transport",
                    models.CharField(blank=True, help_text="What was spoken.", max_length=16),
                ),
                (
                    "lines",
                    models.JSONField(help_text="Each line: code, title, level, message, advice."),
                ),
                (
                    "is_passed",
                    models.BooleanField("passed", help_text="No line failed."),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [models.Index(fields=["connection", "-id"], name="connection_check_newest")],
            },
        ),
    ]
