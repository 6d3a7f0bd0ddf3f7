"""Prices change by new versions: checked, audited, and never for a period that they did not hold in."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import BEGINNING, Charge, ChargeVersion, Plan, PlanVersion
from ingest.rating.charge_models.contract import PropertyError
from ingest.rating.charge_rules import ChargeTerms, check_charge


class InvalidChargeError(DomainError):
    """Terms that a charge cannot have; `errors` names every field that is wrong."""

    def __init__(self, errors: list[PropertyError]) -> None:
        text = "; ".join(f"{error.field}: {error.message}" for error in errors)
        super().__init__("invalid_properties", f"A charge cannot be priced so: {text}.")
        self.errors = errors


@transaction.atomic
def price_charge(
    *,
    charge: Charge,
    terms: ChargeTerms,
    actor: User | None,
    effective_from: datetime = BEGINNING,
    reason: str = "",
    rule: str = "",
) -> ChargeVersion:
    """A new version of a charge's price, for the periods that end after it takes effect.

    Before its first version takes effect a charge prices nothing. Refuses with `permission_denied`, and with
    `invalid_properties` for terms that the metric cannot have (InvalidChargeError names the fields).
    """
    require_permission(actor, "ingest.change_charge")
    locked = (
        Charge.objects.select_for_update(of=("self",)).select_related("metric", "service").get(pk=charge.pk)
    )
    refuse_invalid_terms(locked, terms)
    before = locked.versions.order_by("number").last()
    version = ChargeVersion.objects.create(
        charge=locked,
        number=before.number + 1 if before else 1,
        effective_from=effective_from,
        model=terms.model,
        properties=terms.properties,
        filters=list(terms.filters),
        is_prorated=terms.is_prorated,
        is_pay_in_advance=terms.is_pay_in_advance,
        min_amount=terms.min_amount,
    )
    audit.record(
        actor=actor,
        action="charge.price",
        target=locked,
        service=locked.service,
        before=_describe(before) if before else {},
        after=_describe(version),
        reason=reason,
        rule=rule,
    )
    return version


def refuse_invalid_terms(charge: Charge, terms: ChargeTerms) -> None:
    """Raises InvalidChargeError for terms that the charge's metric cannot have."""
    metric = charge.metric
    allowed = {key: tuple(values) for key, values in metric.filters.items()}
    errors = check_charge(
        terms, aggregation=metric.aggregation, is_recurring=metric.is_recurring, allowed=allowed
    )
    if errors:
        raise InvalidChargeError(errors)


@transaction.atomic
def price_plan(
    *,
    plan: Plan,
    amount: Decimal,
    actor: User | None,
    minimum_commitment: Decimal = Decimal(0),
    trial_days: int = 0,
    effective_from: datetime = BEGINNING,
    reason: str = "",
    rule: str = "",
) -> PlanVersion:
    """A new version of what a plan costs beside its usage; as `price_charge`."""
    require_permission(actor, "ingest.change_plan")
    locked = Plan.objects.select_for_update(of=("self",)).select_related("service").get(pk=plan.pk)
    if amount < 0 or minimum_commitment < 0:
        raise DomainError("invalid_amount", "A plan's amounts are zero or more.")
    before = locked.versions.order_by("number").last()
    version = PlanVersion.objects.create(
        plan=locked,
        number=before.number + 1 if before else 1,
        effective_from=effective_from,
        amount=amount,
        minimum_commitment=minimum_commitment,
        trial_days=trial_days,
    )
    audit.record(
        actor=actor,
        action="plan.price",
        target=locked,
        service=locked.service,
        before=_describe_plan(before) if before else {},
        after=_describe_plan(version),
        reason=reason,
        rule=rule,
    )
    return version


def _describe_plan(version: PlanVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "from": version.effective_from.isoformat(),
        "amount": str(version.amount),
        "minimum_commitment": str(version.minimum_commitment),
        "trial_days": version.trial_days,
    }


def _describe(version: ChargeVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "from": version.effective_from.isoformat(),
        "model": version.model,
        "properties": version.properties,
        "filters": version.filters,
        "prorated": version.is_prorated,
        "pay_in_advance": version.is_pay_in_advance,
        "minimum": str(version.min_amount),
    }
