"""The machine's suggestion why a row has a delta, kept on the row."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciliation.lines import read_many
from reconciliation.models import Outcome, Reconciliation

BATCH = 500
COMPARED = (Outcome.COMPARED, Outcome.STALE)


def suggest_causes(ids: Sequence[int]) -> None:
    """Keeps the main cause of each row that was compared and differs, as its lines have it.

    The statement that judges a period knows the others': what could not be compared has its outcome, what agrees
    has none.
    """
    for start in range(0, len(ids), BATCH):
        _explain(Reconciliation.objects.filter(pk__in=ids[start : start + BATCH]).order_by("pk"))


def _explain(rows: Iterable[Reconciliation]) -> None:
    explained = list(rows)
    lines = read_many(explained)
    alike = defaultdict[str, list[int]](list)
    for row in explained:
        cause = lines[row.pk].main_cause
        alike[cause.code if cause else ""].append(row.pk)
    for code, keys in alike.items():
        Reconciliation.objects.filter(pk__in=keys).update(cause=code)
