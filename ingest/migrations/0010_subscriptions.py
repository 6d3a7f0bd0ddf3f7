"""Pending and canceled subscriptions: what never runs is in nobody's way, and what follows may be there already."""

from django.db import migrations, models
from django.db.models import F, Q

DROP = "ALTER TABLE ingest_subscription DROP CONSTRAINT subscription_one_at_a_time;"
# An event belongs to the subscription that ran when it happened: two at once would count it twice. Two that are
# open, or that start together, overlap, so that this says all that the unique constraints did. A canceled one
# never runs. Ranges of one value stand for equality, which GiST lacks for numbers and texts without an extension.
ADD = """
ALTER TABLE ingest_subscription ADD CONSTRAINT subscription_one_at_a_time EXCLUDE USING gist (
    int8range(service_id, service_id, '[]') WITH &&,
    int8range(hashtextextended(external_id, 0), hashtextextended(external_id, 0), '[]') WITH &&,
    tstzrange(started_at, terminated_at) WITH &&
) {condition};
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0009_plans")]

    operations = [
        migrations.RemoveConstraint(model_name="subscription", name="subscription_open_once"),
        migrations.RemoveConstraint(model_name="subscription", name="subscription_once_per_start"),
        migrations.AddField(
            model_name="subscription",
            name="plan_billed_from",
            field=models.DateTimeField(
                blank=True,
                help_text="Base amounts of earlier periods were due before it was known: they are not billed.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="profile",
            field=models.JSONField(
                blank=True, default=dict, help_text="What else the service says of it, in Lago's field names."
            ),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["service", "external_id", "started_at"], name="subscription_by_external_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=Q(canceled_at=None) | Q(canceled_at__lte=F("started_at")),
                name="subscription_is_canceled_before_it_starts",
            ),
        ),
        migrations.RunSQL(
            DROP + ADD.format(condition="WHERE (canceled_at IS NULL)"), DROP + ADD.format(condition="")
        ),
    ]
