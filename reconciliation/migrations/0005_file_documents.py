"""A file's document is known by the digest of what makes it one, and tax that its rows state is stated."""

import hashlib
import json
import re

from django.db import migrations, models

BATCH = 1_000

# As references were written until now: number or "statement", customer, currency, days, with spaces between.
REFERENCE = re.compile(
    r"(?P<head>.+) (?P<currency>[A-Z]{3}) (?P<start>[0-9-]{10})/(?P<end>[0-9-]{10})", re.DOTALL
)

# Two documents that shared a reference took each other's place. The newest of each counts again, but not a
# statement beside the customer's own bill of that period whose number was the word "statement".
RESTORE = """
WITH newest AS (
    SELECT DISTINCT ON (service_id, reference) id, is_current, title, service_id
    FROM reconciliation_sourcedocument
    WHERE source = 'file' AND title <> ''
    ORDER BY service_id, reference, version DESC
), restored AS (
    UPDATE reconciliation_sourcedocument AS document SET is_current = true
    FROM newest
    WHERE document.id = newest.id AND NOT newest.is_current AND NOT EXISTS (
        SELECT 1
        FROM newest AS other
        JOIN reconciliation_amount AS theirs ON theirs.document_id = other.id
        JOIN reconciliation_amount AS ours ON ours.customer_id = theirs.customer_id
        WHERE other.is_current AND other.service_id = newest.service_id AND other.title = newest.title
            AND ours.document_id = newest.id
    )
    RETURNING document.*
), counted AS (
    UPDATE reconciliation_amount AS amount SET is_current = true
    FROM restored WHERE amount.document_id = restored.id
)
INSERT INTO ingest_auditrecord (
    public_id, created_at, actor_label, action, service_id, object_type, object_id, object_label, before, after,
    reason, evidence_digest
)
SELECT gen_random_uuid(), now(), 'upgrade', 'document.restore', service_id, 'reconciliation.sourcedocument',
    public_id::text, left(title, 255), '{"is_current": false}', '{"is_current": true}',
    'Another bill with the same reference had taken its place.', digest
FROM restored
"""

# Rows of kind tax stated it beside rows without any, and it was left out. Rows that state tax of their own too
# stay as they were: nobody can tell whether it is the same tax.
STATE_TAX = """
WITH stated AS (
    SELECT line.amount_id, sum(line.tax) FILTER (WHERE line.kind = 'tax') AS tax
    FROM reconciliation_amountline AS line
    JOIN reconciliation_amount AS amount ON amount.id = line.amount_id
    JOIN reconciliation_sourcedocument AS document ON document.id = amount.document_id
    WHERE document.source = 'file' AND amount.is_current AND amount.untaxed IS NOT NULL AND amount.tax IS NULL
    GROUP BY line.amount_id
    HAVING bool_or(line.kind = 'tax')
        AND bool_and(CASE WHEN line.kind = 'tax' THEN line.tax IS NOT NULL AND line.untaxed = 0
            ELSE coalesce(line.tax, 0) = 0 END)
), changed AS (
    UPDATE reconciliation_amount AS amount SET tax = stated.tax, total = amount.untaxed + stated.tax
    FROM stated WHERE amount.id = stated.amount_id
    RETURNING amount.*
)
INSERT INTO ingest_auditrecord (
    public_id, created_at, actor_label, action, service_id, object_type, object_id, object_label, before, after,
    reason, evidence_digest
)
SELECT gen_random_uuid(), now(), 'upgrade', 'amount.state_tax', changed.service_id, 'reconciliation.amount',
    changed.public_id::text, left(document.title, 255), '{"tax": null, "total": null}',
    jsonb_build_object('tax', changed.tax::text, 'total', changed.total::text),
    'Rows of its document state the tax.', document.digest
FROM changed
JOIN reconciliation_sourcedocument AS document ON document.id = changed.document_id
"""

REVERSE = "UPDATE reconciliation_sourcedocument SET reference = title WHERE source = 'file' AND title <> ''"


def identify(reference, row):
    """The document's number and its new reference, by its old one and its first row; None for another shape."""
    match = REFERENCE.fullmatch(reference)
    if match is None or not isinstance(row, dict):
        return None
    cells = {column: row.get(column, "").strip() for column in ("SubAccountId", "customer", "document")}
    for customer, number in ((cells["SubAccountId"], ""), (cells["customer"], cells["document"])):
        if match["head"] == f"{number or 'statement'} {customer}":
            parts = [customer, match["currency"], match["start"], match["end"], number]
            text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
            return number, hashlib.sha256(text.encode()).hexdigest()
    return None


def rename(apps, schema_editor):
    documents = apps.get_model("reconciliation", "SourceDocument").objects
    batch = []
    rows = documents.filter(source="file").values_list("pk", "reference", "content__rows__0")
    for pk, reference, row in rows.iterator(BATCH):
        identity = identify(reference, row)
        if identity:
            number, digest = identity
            batch.append(documents.model(pk=pk, title=reference, number=number, reference=digest))
        if len(batch) == BATCH:
            documents.bulk_update(batch, ["title", "number", "reference"])
            batch = []
    documents.bulk_update(batch, ["title", "number", "reference"])


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0007_metering"),
        ("reconciliation", "0004_billed_after_switch"),
    ]

    operations = [
        migrations.AddField(
            model_name="sourcedocument",
            name="number",
            field=models.CharField(
                blank=True, default="", help_text="Its number, where the source gives one.", max_length=255
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="sourcedocument",
            name="title",
            field=models.CharField(
                blank=True, default="", help_text="The reference for people to read.", max_length=1024
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="sourcedocument",
            name="reference",
            field=models.CharField(
                help_text="What the source calls it; for a file's, the digest of what makes it one.",
                max_length=512,
            ),
        ),
        migrations.RunPython(rename, migrations.RunPython.noop),
        migrations.RunSQL(RESTORE, REVERSE),
        migrations.RunSQL(STATE_TAX, migrations.RunSQL.noop),
    ]
