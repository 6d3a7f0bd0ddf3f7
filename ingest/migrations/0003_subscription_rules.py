"""An external id names one subscription at a time, and the usage of a period is found without its history."""

from django.db import migrations

# An event belongs to the subscription that ran when it happened: two at once would count it twice. Ranges
# of one value stand for equality, which GiST lacks for numbers and texts without an extension.
ONE_AT_A_TIME = """
ALTER TABLE ingest_subscription ADD CONSTRAINT subscription_one_at_a_time EXCLUDE USING gist (
    int8range(service_id, service_id, '[]') WITH &&,
    int8range(hashtextextended(external_id, 0), hashtextextended(external_id, 0), '[]') WITH &&,
    tstzrange(started_at, terminated_at) WITH &&
);
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_guards")]

    operations = [
        migrations.RunSQL(
            ONE_AT_A_TIME, "ALTER TABLE ingest_subscription DROP CONSTRAINT subscription_one_at_a_time;"
        ),
    ]
