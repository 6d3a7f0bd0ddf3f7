"""What metering asks of PostgreSQL: filters, groups and exact quotients; versions of prices are append-only."""

from django.db import migrations

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingest_chargeversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingest_planversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
CHANGEABLE = """
DROP TRIGGER append_only ON ingest_planversion;
DROP TRIGGER append_only ON ingest_chargeversion;
"""

# `ingest.metering.filters` defines it: every property of `matching` has one of its values, and of none of the
# `ignored` filters every property has.
TAKES_EVENT = """
CREATE FUNCTION has_values(properties jsonb, wanted jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (
        SELECT FROM jsonb_each(wanted) AS filter
        WHERE (filter.value ? (properties ->> filter.key)) IS NOT TRUE
    )
$$;
CREATE FUNCTION takes_event(properties jsonb, matching jsonb, ignored jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT has_values(properties, matching) AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(ignored) AS other (wanted) WHERE has_values(properties, other.wanted)
    )
$$;
"""

# `ingest.metering.grouping` defines it: the group's properties as text, null for what the event lacks.
GROUP_OF = """
CREATE FUNCTION group_of(properties jsonb, keys jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, properties ->> key), '{}') FROM jsonb_array_elements_text(keys) AS key
$$;
"""

# PostgreSQL's own division keeps some twenty digits; div() is exact, so this is the true quotient, cut up.
CEIL_QUOTIENT = """
CREATE FUNCTION ceil_quotient(dividend numeric, divisor numeric, places int) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (cut + CASE WHEN dividend * power(10::numeric, places) > cut * divisor THEN 1 ELSE 0 END)
        * ('1e-' || places)::numeric
    FROM div(dividend * power(10::numeric, places), divisor) AS cut
$$;
"""

# `ingest.metering.rounding` defines it (Lago: rounding function); round() is half away from zero.
ROUND_UNITS = """
CREATE FUNCTION round_units(quantity numeric, rounding text, places int) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE rounding
        WHEN 'round' THEN round(quantity, places)
        WHEN 'floor' THEN trunc(quantity, places)
            - CASE WHEN quantity < trunc(quantity, places) THEN ('1e' || -places)::numeric ELSE 0 END
        WHEN 'ceil' THEN trunc(quantity, places)
            + CASE WHEN quantity > trunc(quantity, places) THEN ('1e' || -places)::numeric ELSE 0 END
        ELSE quantity
    END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0006_prices_are_versions")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunSQL(
            TAKES_EVENT,
            "DROP FUNCTION takes_event(jsonb, jsonb, jsonb); DROP FUNCTION has_values(jsonb, jsonb);",
        ),
        migrations.RunSQL(GROUP_OF, "DROP FUNCTION group_of(jsonb, jsonb);"),
        migrations.RunSQL(CEIL_QUOTIENT, "DROP FUNCTION ceil_quotient(numeric, numeric, int);"),
        migrations.RunSQL(ROUND_UNITS, "DROP FUNCTION round_units(numeric, text, int);"),
    ]
