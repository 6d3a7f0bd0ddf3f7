"""The machine's suggestion why a row has a delta, kept on the row."""

from collections.abc import Sequence

from reconciliation.lines import read_many
from reconciliation.models import Reconciliation

BATCH = 500


def suggest_causes(ids: Sequence[int]) -> None:
    """Keeps the main cause of each row; a row whose sides agree has none."""
    for start in range(0, len(ids), BATCH):
        rows = list(Reconciliation.objects.filter(pk__in=ids[start : start + BATCH]))
        compared = read_many(rows)
        for row in rows:
            cause = compared[row.pk].main_cause
            row.cause = cause.code if cause and cause.amount else _outcome_cause(row)
        Reconciliation.objects.bulk_update(rows, ["cause"])


def _outcome_cause(row: Reconciliation) -> str:
    return "" if row.delta is not None else row.outcome
