"""Plans as a service keeps them: made, changed and deleted with their charges, all of a request or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ingest import audit
from ingest.catalogue import price_plan
from ingest.errors import DomainError
from ingest.models import BEGINNING, Plan, PlanVersion
from ingest.plan_charges import ChargeRequest, Moment, RefusedFieldsError, change_charges
from ingest.prices import current
from ingest.rating.money import minor_unit, round_to_currency

# What stays once there is a subscription: periods, and what they were billed in, are told by it.
KEPT_IN_USE = ("code", "interval", "currency", "is_pay_in_advance")
IN_USE = "plan_in_use"


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """What a plan costs beside its usage, in its currency."""

    amount: Decimal = Decimal(0)
    minimum_commitment: Decimal = Decimal(0)
    trial_days: int = 0


@transaction.atomic
def create_plan(
    *,
    service_id: int,
    values: Mapping[str, Any],
    price: PlanPrice,
    charges: Sequence[ChargeRequest],
    rule: str,
) -> Plan:
    """A new plan of a service with its charges, audited; `values` are fields of the model, already checked.

    Refuses with `code_is_taken`, and as `change_charges` does. `rule` says what asked for it, as in
    `audit.Decision`.
    """
    code = values["code"]
    _refuse_taken(service_id, code)
    plan, is_new = Plan.objects.get_or_create(
        service_id=service_id,
        code=code,
        deleted_at=None,
        defaults={name: value for name, value in values.items() if name != "code"},
    )
    if not is_new:
        raise DomainError("code_is_taken", f"There is a plan {code} already.")
    _record(plan, "plan.create", rule, after=_describe(plan))
    price_plan(plan=plan, actor=None, rule=rule, **asdict(price))
    change_charges(plan=plan, requests=charges, moment=Moment(timezone.now(), is_in_use=False), rule=rule)
    return plan


@transaction.atomic
def change_plan(
    *,
    plan: Plan,
    values: Mapping[str, Any],
    price: Mapping[str, Any],
    charges: Sequence[ChargeRequest] | None,
    rule: str,
) -> Plan:
    """Changes what is given of a plan, audited; `price` names fields of PlanPrice.

    A price that changes is a new version: from now on, or for every period of a plan that no subscription ever
    had. `charges` are all that the plan is to have, those left out are removed; None leaves them alone. Refuses
    with `unknown_plan`, `code_is_taken`, RefusedFieldsError for what may not change any more, and as
    `change_charges` does.
    """
    row, moment = lock_plan(plan)
    _change_fields(row, values, moment, rule)
    _change_price(row, price, moment, rule)
    if charges is not None:
        change_charges(plan=row, requests=charges, moment=moment, rule=rule)
    return row


@transaction.atomic
def delete_plan(*, plan: Plan, rule: str) -> Plan:
    """Deletes a plan that no subscription runs on; its past is rated as it was, and its code is free again.

    Refuses with `plan_in_use` while one runs or is to begin, and with `unknown_plan`.
    """
    row, moment = lock_plan(plan)
    now = moment.now
    not_ended = Q(terminated_at=None) | Q(terminated_at__gt=now)
    if row.subscriptions.filter(not_ended, canceled_at=None).exists():
        raise DomainError(IN_USE, "A subscription runs on this plan.")
    row.deleted_at = now
    row.save(update_fields=["deleted_at"])
    _record(row, "plan.delete", rule, before=_describe(row))
    return row


def lock_plan(plan: Plan) -> tuple[Plan, Moment]:
    """The plan as it is now, locked until the transaction ends, and since when a change holds.

    Refuses `unknown_plan` for one that was deleted.
    """
    rows = Plan.objects.select_for_update(of=("self",)).select_related("service")
    row = rows.filter(pk=plan.pk, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_plan", "There is no such plan.")
    return row, Moment(timezone.now(), is_in_use=row.subscriptions.exists())


def _change_fields(plan: Plan, values: Mapping[str, Any], moment: Moment, rule: str) -> None:
    before = _describe(plan)
    for name, value in values.items():
        setattr(plan, name, value)
    after = _describe(plan)
    if after == before:
        return
    changed = {name for name in after if after[name] != before[name]}
    if moment.is_in_use and (kept := [name for name in KEPT_IN_USE if name in changed]):
        raise RefusedFieldsError(dict.fromkeys(kept, IN_USE))
    if "currency" in changed and minor_unit(plan.currency) != minor_unit(before["currency"]):
        # Every amount of the plan would be another number of cents.
        raise RefusedFieldsError({"currency": "value_is_invalid"})
    if "code" in changed:
        _refuse_taken(plan.service_id, plan.code)
    plan.save(force_update=True)
    _record(plan, "plan.change", rule, before=before, after=after)


def _change_price(plan: Plan, given: Mapping[str, Any], moment: Moment, rule: str) -> None:
    versions = list(plan.versions.order_by("effective_from", "number"))
    version = current(versions, moment.now)
    present = _price_of(version) if version else PlanPrice()
    wanted = replace(present, **given)
    if version and _in_cents(wanted, plan.currency) == _in_cents(present, plan.currency):
        return
    effective_from = moment.now if moment.is_in_use else version.effective_from if version else BEGINNING
    price_plan(plan=plan, actor=None, rule=rule, effective_from=effective_from, **asdict(wanted))


def _price_of(version: PlanVersion) -> PlanPrice:
    return PlanPrice(version.amount, version.minimum_commitment, version.trial_days)


def _in_cents(price: PlanPrice, currency: str) -> PlanPrice:
    """What can be asked for: an amount finer than the currency is not changed by its own rounded figure."""
    return replace(
        price,
        amount=round_to_currency(price.amount, currency),
        minimum_commitment=round_to_currency(price.minimum_commitment, currency),
    )


def _refuse_taken(service_id: int, code: str) -> None:
    if Plan.objects.filter(service=service_id, code=code, deleted_at=None).exists():
        raise DomainError("code_is_taken", f"There is a plan {code} already.")


def _describe(plan: Plan) -> dict[str, Any]:
    return {
        "code": plan.code,
        "name": plan.name,
        "description": plan.description,
        "invoice_display_name": plan.invoice_display_name,
        "interval": plan.interval,
        "currency": plan.currency,
        "is_pay_in_advance": plan.is_pay_in_advance,
        "commitment_display_name": plan.commitment_display_name,
        "metadata": plan.metadata,
    }


def _record(
    plan: Plan,
    action: str,
    rule: str,
    *,
    before: Mapping[str, Any] = MappingProxyType({}),
    after: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    audit.record(
        actor=None, action=action, target=plan, service=plan.service, before=before, after=after, rule=rule
    )
