"""One charge of a plan at a time: added, changed and removed beside the others (Lago: plans, charges)."""

from django.db import transaction

from ingest.errors import DomainError
from ingest.models import Charge, Plan
from ingest.plan_charges import ChargeRequest, add, alter, remove
from ingest.plans import lock_plan


@transaction.atomic
def add_charge(*, plan: Plan, request: ChargeRequest, rule: str) -> Charge:
    """One more charge of a plan, audited; in a plan that is in use it prices from now on.

    Refuses `unknown_plan`, and as `plan_charges.change_charges` does.
    """
    row, moment = lock_plan(plan)
    return add(plan=row, request=request, moment=moment, rule=rule)


@transaction.atomic
def change_charge(*, charge: Charge, request: ChargeRequest, rule: str) -> None:
    """Changes what is given of a charge, audited; a price that changes is a new version.

    Its metric stays: another one is another charge. Refuses `unknown_charge` for one that was removed, and as
    `plan_charges.change_charges` does.
    """
    row, moment = lock_plan(charge.plan)
    alter(charge=_find(row, charge), request=request, moment=moment, rule=rule)


@transaction.atomic
def remove_charge(*, charge: Charge, rule: str) -> None:
    """Removes a charge, audited: it prices no period that ends from now on. Refuses `unknown_charge`."""
    row, moment = lock_plan(charge.plan)
    remove(charge=_find(row, charge), moment=moment, rule=rule)


def _find(plan: Plan, charge: Charge) -> Charge:
    found = plan.charges.select_related("metric", "plan").filter(pk=charge.pk, deleted_at=None).first()
    if found is None:
        raise DomainError("unknown_charge", "The plan has no such charge.")
    return found
