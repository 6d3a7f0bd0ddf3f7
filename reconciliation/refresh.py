"""Runs for chosen reconciliations: pushing them to Odoo, or reading Odoo again."""

from collections import defaultdict
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction

from ingest.errors import DomainError
from ingest.models import Service
from reconciliation.models import Reconciliation, Run, RunKind
from reconciliation.runs import request_run


@transaction.atomic
def request_for(*, rows: Iterable[Reconciliation], kind: RunKind, actor: User) -> list[Run]:
    """Queues one run for each service and period of the rows, for their customers alone; all or none.

    Refuses no rows at all (`nothing_chosen`), and as `request_run` does.
    """
    customers: dict[tuple[Service, str], set[int]] = defaultdict(set)
    for row in rows:
        customers[row.service, row.period_label].add(row.customer_id)
    if not customers:
        raise DomainError("nothing_chosen", "No row was chosen.")
    return [
        request_run(
            kind=kind,
            service=service,
            period_label=period_label,
            parameters={"customers": sorted(ids)},
            actor=actor,
        )
        for (service, period_label), ids in customers.items()
    ]
