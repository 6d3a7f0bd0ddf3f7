"""Connections to Odoo beside the one that the environment names, who uses them, and what checks of them found."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from ingest.models import Service
from ingest.models.public import PublicModel
from reconciliation.models.run import Run


class ConnectionTransport(models.TextChoices):
    """How Odoo is spoken with."""

    AUTO = "auto", "As the server's version asks for"
    JSONRPC = "jsonrpc", "OdooRPC (/jsonrpc)"
    JSON2 = "json2", "JSON-2 (/json/2)"


class OdooConnection(PublicModel):
    """One database of one Odoo server as one user; the API key is kept encrypted and never shown."""

    name = models.CharField(max_length=120, unique=True)
    url = models.CharField("address", max_length=1024)
    database = models.CharField(max_length=255)
    login = models.CharField(max_length=255)
    secret = models.BinaryField(editable=False, help_text="The API key, encrypted at rest.")
    company_id = models.BigIntegerField(
        "company",
        default=1,
        validators=[MinValueValidator(1)],
        help_text="The company that bills, unless a service names its own.",
    )
    language = models.CharField(max_length=16, default="en_US", help_text="In which Odoo answers.")
    transport = models.CharField(
        max_length=16, choices=ConnectionTransport.choices, default=ConnectionTransport.AUTO
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(transport__in=ConnectionTransport.values), name="connection_transport_is_known"
            ),
            models.CheckConstraint(condition=Q(company_id__gte=1), name="connection_company_is_an_id"),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceConnection(models.Model):
    """A service is billed by another Odoo than the one that the environment names."""

    service = models.OneToOneField(
        Service, primary_key=True, on_delete=models.PROTECT, related_name="named_connection"
    )
    connection = models.ForeignKey(OdooConnection, on_delete=models.PROTECT, related_name="users")

    def __str__(self) -> str:
        return f"{self.service}: {self.connection}"


class ConnectionCheck(PublicModel):
    """What a check of a connection found, line by line; without a connection, of the environment's."""

    connection = models.ForeignKey(OdooConnection, null=True, on_delete=models.PROTECT, related_name="checks")
    service = models.ForeignKey(
        Service,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="For whose sake; else for all.",
    )
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=64, blank=True, help_text="What the server said it is.")
    transport = models.CharField(max_length=16, blank=True, help_text="What was spoken.")
    lines = models.JSONField(help_text="Each line: code, title, level, message, advice.")
    is_passed = models.BooleanField("passed", help_text="No line failed.")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["connection", "-id"], name="connection_check_newest")]

    def __str__(self) -> str:
        return f"{self.connection or 'The environment’s Odoo'}, {self.created_at:%Y-%m-%d %H:%M}"
