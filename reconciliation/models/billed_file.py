"""Files of what was billed, kept whole, and the mappings by which they are read."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ingest.models import Service
from ingest.models.public import PublicModel
from reconciliation.models.run import Run


class FileDateFormat(models.TextChoices):
    """How a source writes its days."""

    ISO_DAY = "iso_day", "2026-10-31"
    ISO_INSTANT = "iso_instant", "2026-10-31T00:00:00Z, or without T and Z"
    DAY_MONTH_YEAR = "dmy_slash", "31/10/2026"
    MONTH_DAY_YEAR = "mdy_slash", "10/31/2026"
    DAY_MONTH_YEAR_DOTS = "dmy_dot", "31.10.2026"
    COMPACT = "compact", "20261031"


class FileEncoding(models.TextChoices):
    """How a source writes its texts."""

    UTF_8 = "utf-8", "UTF-8"
    UTF_16 = "utf-16", "UTF-16"
    CP1252 = "cp1252", "Windows-1252"
    LATIN_1 = "latin-1", "ISO 8859-1"


class FileDelimiter(models.TextChoices):
    """What stands between the cells of a text file."""

    COMMA = ",", "comma"
    SEMICOLON = ";", "semicolon"
    TAB = "\t", "tab"


class FileMapping(PublicModel):
    """How the files of one source of a service are read: which column means what, and how cells are written."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="file_mappings")
    name = models.CharField(max_length=64, help_text="What the source is called, such as “shop export”.")
    columns = models.JSONField(default=dict, help_text="The column of each field that has one.")
    currency = models.CharField(
        max_length=3, blank=True, help_text="Of every row, where the file has no column for it."
    )
    date_format = models.CharField(
        max_length=16, choices=FileDateFormat.choices, default=FileDateFormat.ISO_DAY
    )
    is_end_inclusive = models.BooleanField(
        "ends are last days", default=False, help_text="Else an end is the day after the last one."
    )
    decimal_mark = models.CharField(max_length=1, choices=[(".", "1234.50"), (",", "1234,50")], default=".")
    thousands_mark = models.CharField(
        max_length=1,
        blank=True,
        choices=[(",", "1,234"), (".", "1.234"), (" ", "1 234"), ("'", "1'234")],
    )
    is_minor = models.BooleanField(
        "amounts in minor units", default=False, help_text="12345 is 123.45, by the currency's own digits."
    )
    counted_statuses = models.JSONField(default=list, blank=True)
    left_out_statuses = models.JSONField(default=list, blank=True)
    kinds = models.JSONField(default=dict, blank=True, help_text="What the words of the kind's column mean.")
    encoding = models.CharField(max_length=16, choices=FileEncoding.choices, default=FileEncoding.UTF_8)
    delimiter = models.CharField(
        max_length=1, choices=FileDelimiter.choices, blank=True, help_text="Empty: whichever the header has."
    )
    sheet = models.CharField(max_length=31, blank=True, help_text="Of a spreadsheet with several.")
    header_row = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["service", "name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="file_mapping_once_per_service"),
            models.CheckConstraint(condition=~Q(name=""), name="file_mapping_has_a_name"),
            models.CheckConstraint(condition=Q(header_row__gte=1), name="file_mapping_header_is_a_row"),
            models.CheckConstraint(
                condition=~Q(decimal_mark=models.F("thousands_mark")), name="file_mapping_marks_differ"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FileStatus(models.TextChoices):
    """How far a file has come; only `imported` has written anything."""

    RECEIVED = "received", "Received"
    PREVIEWED = "previewed", "Waits for a decision"
    REFUSED = "refused", "Refused"
    CONFIRMED = "confirmed", "Confirmed"
    IMPORTED = "imported", "Imported"
    DISCARDED = "discarded", "Discarded"


class BilledFile(PublicModel):
    """One file of what a service billed, as it came: what it would bring, who decided, and what it brought."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="billed_files")
    mapping = models.ForeignKey(FileMapping, null=True, on_delete=models.PROTECT, related_name="files")
    ready_mapping = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of its bytes.")
    format = models.CharField(max_length=64, blank=True)
    period_label = models.CharField(max_length=16, blank=True)
    is_replacing = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=FileStatus.choices, default=FileStatus.RECEIVED)
    preview = models.JSONField(default=dict, help_text="What it would bring, or why it was refused.")
    preview_digest = models.CharField(max_length=64, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="uploaded_files"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="decided_files"
    )
    decided_at = models.DateTimeField(null=True)
    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="billed_files")

    class Meta:
        ordering = ["-id"]
        permissions = [("import_billedfile", "Can import what a service billed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=FileStatus.values), name="billed_file_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(mapping=None) | Q(ready_mapping=""), name="billed_file_has_one_mapping"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BilledFilePart(models.Model):
    """A piece of a file's bytes; all of them in order are the file."""

    file = models.ForeignKey(BilledFile, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["file", "number"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="billed_file_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.file}, part {self.number}"
