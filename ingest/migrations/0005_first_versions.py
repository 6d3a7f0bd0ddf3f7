"""Every price becomes its own first version, and usage belongs to the charge that prices it."""

from django.db import migrations

# One charge prices a metric on a plan, so a subscription's usage of a metric has one charge.
FIRST_VERSIONS = """
INSERT INTO ingest_chargeversion (
    public_id, created_at, number, effective_from, charge_id, model, properties, filters, is_prorated,
    is_pay_in_advance, min_amount
)
SELECT gen_random_uuid(), created_at, 1, '1970-01-01+00', id, model, properties, '[]', false, false, 0
FROM ingest_charge;

INSERT INTO ingest_planversion (
    public_id, created_at, number, effective_from, plan_id, amount, minimum_commitment, trial_days
)
SELECT gen_random_uuid(), created_at, 1, '1970-01-01+00', id, amount, 0, 0
FROM ingest_plan;

UPDATE ingest_usage AS usage SET charge_id = charge.id
FROM ingest_subscription AS subscription
JOIN ingest_charge AS charge ON charge.plan_id = subscription.plan_id
WHERE subscription.id = usage.subscription_id AND charge.metric_id = usage.metric_id;

-- Usage of a charge that has gone priced nothing any more.
DELETE FROM ingest_usage WHERE charge_id IS NULL;

UPDATE ingest_fee AS fee SET charge_version_id = version.id
FROM ingest_chargeversion AS version WHERE version.charge_id = fee.charge_id;

UPDATE ingest_fee AS fee SET plan_version_id = version.id
FROM ingest_subscription AS subscription
JOIN ingest_planversion AS version ON version.plan_id = subscription.plan_id
WHERE subscription.id = fee.subscription_id AND fee.kind = 'plan';
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0004_price_versions")]

    operations = [migrations.RunSQL(FIRST_VERSIONS, migrations.RunSQL.noop)]
