"""What Django's constraints cannot say: an amount, a push and a row are about a customer of their own service."""

from django.db import migrations

TABLES = ["reconciliation_amount", "reconciliation_push", "reconciliation_reconciliation"]


def _keys():
    for table in TABLES:
        name = f"{table}_customer_id_of_service"
        yield (
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (service_id, customer_id)"
            " REFERENCES ingest_customer (service_id, id) DEFERRABLE INITIALLY DEFERRED;",
            f"ALTER TABLE {table} DROP CONSTRAINT {name};",
        )


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0001_initial")]

    operations = [migrations.RunSQL(forwards, backwards) for forwards, backwards in _keys()]
