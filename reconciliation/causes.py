"""The machine's suggestion why a row has a delta, kept on the row."""

from collections.abc import Iterable, Sequence

from django.db.models import F

from reconciliation.lines import read_many
from reconciliation.models import Outcome, Reconciliation

BATCH = 500
COMPARED = (Outcome.COMPARED, Outcome.STALE)


def suggest_causes(ids: Sequence[int]) -> None:
    """Keeps the main cause of each row: what could not be compared has its outcome, what agrees has none.

    Only the lines of rows with a difference are read.
    """
    rows = Reconciliation.objects.filter(pk__in=ids)
    compared = rows.filter(outcome__in=COMPARED)
    rows.exclude(outcome__in=COMPARED).update(cause=F("outcome"))
    compared.filter(delta=0).update(cause="")
    different = list(compared.exclude(delta=0).values_list("pk", flat=True))
    for start in range(0, len(different), BATCH):
        _explain(Reconciliation.objects.filter(pk__in=different[start : start + BATCH]))


def _explain(rows: Iterable[Reconciliation]) -> None:
    explained = list(rows)
    lines = read_many(explained)
    for row in explained:
        cause = lines[row.pk].main_cause
        row.cause = cause.code if cause else ""
    Reconciliation.objects.bulk_update(explained, ["cause"])
