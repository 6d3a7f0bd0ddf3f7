"""What Django's constraints cannot say: append-only tables, and rows that belong to one service throughout."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingest_usageevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingest_auditrecord
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
CHANGEABLE = """
DROP TRIGGER append_only ON ingest_auditrecord;
DROP TRIGGER append_only ON ingest_usageevent;
DROP FUNCTION refuse_change();
"""

# A subscription's customer and plan, and a charge's plan and metric, are of its own service.
SAME_SERVICE = [
    ("ingest_subscription", "customer_id", "ingest_customer"),
    ("ingest_subscription", "plan_id", "ingest_plan"),
    ("ingest_charge", "plan_id", "ingest_plan"),
    ("ingest_charge", "metric_id", "ingest_metric"),
]


def _keys():
    for table, column, target in SAME_SERVICE:
        name = f"{table}_{column}_of_service"
        yield (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (service_id, {column})"
            f" REFERENCES {target} (service_id, id) DEFERRABLE INITIALLY DEFERRED;",
            f"ALTER TABLE {table} DROP CONSTRAINT {name};",
        )


# The value of an event as its metric reads it (Lago: which events count): plain decimal text, else null. Where
# the locale knows the digits of other scripts, \d matches them too, and the cast would refuse the event.
NUMERIC_PROPERTY = r"""
CREATE FUNCTION numeric_property(properties jsonb, field text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN length(properties ->> field) <= 1000 AND properties ->> field ~ '^-?[0-9]+([.][0-9]+)?$'
        THEN (properties ->> field)::numeric
    END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        *[migrations.RunSQL(forwards, backwards) for forwards, backwards in _keys()],
        migrations.RunSQL(NUMERIC_PROPERTY, "DROP FUNCTION numeric_property(jsonb, text);"),
    ]
