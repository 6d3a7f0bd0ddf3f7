"""The charges that a plan is to have: which of them it has already, what changes, what comes and what goes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from ingest import audit
from ingest.catalogue import price_charge
from ingest.errors import DomainError
from ingest.models import BEGINNING, Charge, ChargeVersion, Metric, Plan
from ingest.prices import current
from ingest.rating.charge_properties import DEFAULTS, normalize
from ingest.rating.charge_rules import ChargeTerms
from ingest.rating.money import round_to_currency

LONGEST_CODE = 255


class RefusedFieldsError(DomainError):
    """Fields that cannot be as they were asked for; `fields` says which, each with a stable code."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        said = ", ".join(f"{name} ({code})" for name, code in fields.items())
        super().__init__("refused_fields", f"This cannot be: {said}.")
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Moment:
    """When a plan changes, and whether a subscription has ever had it: then the change holds from now on alone."""

    now: datetime
    is_in_use: bool

    @property
    def since(self) -> datetime:
        """From when on it holds; a plan that nobody had is changed for every period."""
        return self.now if self.is_in_use else BEGINNING


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge as it is asked for: what is None stays, or is for a new one as Lago has it.

    `public_id` or `code` say which charge of the plan it is; `filters` have `values`, `properties` and a name.
    """

    public_id: UUID | None = None
    metric_id: UUID | None = None
    code: str | None = None
    invoice_display_name: str | None = None
    model: str | None = None
    properties: Mapping[str, Any] | None = None
    filters: Sequence[Mapping[str, Any]] | None = None
    is_prorated: bool | None = None
    is_pay_in_advance: bool | None = None
    min_amount: Decimal | None = None


@dataclass
class _Change:
    """A request and the charge that it is for; a new one has none yet."""

    request: ChargeRequest
    metrics: Mapping[UUID, Metric]
    charge: Charge | None
    code: str = field(init=False, default="")

    @property
    def metric(self) -> Metric:
        """What is priced."""
        if self.charge is not None:
            return self.charge.metric
        if self.request.metric_id is None:
            raise RefusedFieldsError({"billable_metric_id": "value_is_mandatory"})
        return self.metrics[self.request.metric_id]


def change_charges(*, plan: Plan, requests: Sequence[ChargeRequest], moment: Moment, rule: str) -> None:
    """Gives a plan exactly these charges, audited; call it in the transaction that locks the plan.

    A charge that is asked for without id or code is the plan's own for that metric, where there is one. A price
    that changes is a new version; what comes, changes or goes does so as the moment says. Refuses with
    `unknown_metric`, `unknown_charge`, InvalidChargeError for a price that there cannot be, and
    RefusedFieldsError.
    """
    metrics = _lock_metrics(plan, {request.metric_id for request in requests})
    present = list(plan.charges.filter(deleted_at=None).select_related("metric").order_by("pk"))
    changes = [_Change(request, metrics, charge) for request, charge in _bind(requests, present)]
    kept = {change.charge.pk for change in changes if change.charge}
    for charge in present:
        if charge.pk not in kept:
            remove(charge=charge, moment=moment, rule=rule)
    _choose_codes(changes)
    for change in changes:
        if change.charge is None:
            _add(plan, change, moment, rule)
        else:
            _change(change.charge, change, moment, rule)


def add(*, plan: Plan, request: ChargeRequest, moment: Moment, rule: str) -> Charge:
    """One more charge beside the others, as `change_charges`; `request` says nothing of an id."""
    change = _Change(request, _lock_metrics(plan, {request.metric_id}), None)
    taken = _codes_of(plan)
    _refuse_taken(request.code, taken)
    change.code = request.code or _free_code(change.metric.code, taken)
    return _add(plan, change, moment, rule)


def alter(*, charge: Charge, request: ChargeRequest, moment: Moment, rule: str) -> None:
    """Changes one charge, of the plan that is locked, as `change_charges`; its metric stays."""
    change = _Change(request, {}, charge)
    _refuse_taken(request.code, _codes_of(charge.plan) - {charge.code})
    change.code = request.code or charge.code
    _change(charge, change, moment, rule)


def find_terms(charge: Charge) -> ChargeTerms:
    """What a charge costs now; refuses `unknown_charge` for one that was never priced."""
    version = current(list(charge.versions.order_by("effective_from", "number")), timezone.now())
    if version is None:
        raise DomainError("unknown_charge", "The charge has no price.")
    return _terms_of(version)


def _codes_of(plan: Plan) -> set[str]:
    return set(plan.charges.filter(deleted_at=None).values_list("code", flat=True))


def _refuse_taken(code: str | None, taken: Collection[str]) -> None:
    if code and code in taken:
        raise RefusedFieldsError({"code": "value_already_exist"})


def _lock_metrics(plan: Plan, wanted: Iterable[UUID | None]) -> dict[UUID, Metric]:
    """The service's own metrics, kept from being deleted until the charges are there."""
    ids = {metric_id for metric_id in wanted if metric_id}
    rows = Metric.objects.select_for_update(no_key=True).filter(
        service=plan.service_id, public_id__in=ids, deleted_at=None
    )
    found = {metric.public_id: metric for metric in rows.order_by("pk")}
    if ids - found.keys():
        raise DomainError("unknown_metric", "A charge names a metric that there is not.")
    return found


def _bind(
    requests: Sequence[ChargeRequest], present: Sequence[Charge]
) -> list[tuple[ChargeRequest, Charge | None]]:
    """Which of the present charges each request is for: by its id, its code, else by its metric."""
    free = {charge.pk: charge for charge in present}
    bound: list[Charge | None] = []
    for request in requests:
        charge = _named(request, present)
        if charge is not None and free.pop(charge.pk, None) is None:
            raise RefusedFieldsError({"id" if request.public_id else "code": "value_already_exist"})
        # Another metric is another charge: what the old one priced stays what it was.
        bound.append(charge if charge is None or _is_for(request, charge) else None)
    for place, request in enumerate(requests):
        if bound[place] is None and request.public_id is None:
            alike = (charge for charge in free.values() if _is_alike(request, charge))
            if charge := next(alike, None):
                bound[place] = free.pop(charge.pk)
    return list(zip(requests, bound, strict=True))


def _named(request: ChargeRequest, present: Sequence[Charge]) -> Charge | None:
    if request.public_id:
        charge = next((each for each in present if each.public_id == request.public_id), None)
        if charge is None:
            raise DomainError("unknown_charge", "The plan has no such charge.")
        return charge
    return next((each for each in present if request.code and each.code == request.code), None)


def _is_for(request: ChargeRequest, charge: Charge) -> bool:
    return request.metric_id in (None, charge.metric.public_id)


def _is_alike(request: ChargeRequest, charge: Charge) -> bool:
    return request.metric_id == charge.metric.public_id and (not request.code or not charge.code)


def _choose_codes(changes: Sequence[_Change]) -> None:
    """Each charge's code: as asked for, else its own, else its metric's, with a number where that is taken."""
    taken: set[str] = set()
    for change in changes:
        change.code = change.request.code or (change.charge.code if change.charge else "")
        _refuse_taken(change.code, taken)
        taken.add(change.code)
    for change in changes:
        if not change.code:
            change.code = _free_code(change.metric.code, taken)
            taken.add(change.code)
    # Two charges may swap their codes: none keeps its old one while the other takes it.
    renamed = [each.charge.pk for each in changes if each.charge and each.charge.code != each.code]
    Charge.objects.filter(pk__in=renamed).update(code="")


def _free_code(code: str, taken: set[str]) -> str:
    number = 1
    found = code
    while found in taken:
        number += 1
        suffix = f"_{number}"
        found = code[: LONGEST_CODE - len(suffix)] + suffix
    return found


def _add(plan: Plan, change: _Change, moment: Moment, rule: str) -> Charge:
    request = change.request
    terms = _ask(request, None)
    charge = Charge.objects.create(
        service=plan.service,
        plan=plan,
        metric=change.metric,
        code=change.code,
        invoice_display_name=request.invoice_display_name or "",
    )
    audit.record(
        actor=None,
        action="charge.add",
        target=charge,
        service=plan.service,
        after=_describe(charge),
        rule=rule,
    )
    price_charge(charge=charge, terms=terms, actor=None, effective_from=moment.since, rule=rule)
    return charge


def _change(charge: Charge, change: _Change, moment: Moment, rule: str) -> None:
    before = _describe(charge)
    request = change.request
    charge.code = change.code
    if request.invoice_display_name is not None:
        charge.invoice_display_name = request.invoice_display_name
    after = _describe(charge)
    if after != before:
        charge.save(update_fields=["code", "invoice_display_name"])
        audit.record(
            actor=None,
            action="charge.change",
            target=charge,
            service=charge.service,
            before=before,
            after=after,
            rule=rule,
        )
    version = current(list(charge.versions.order_by("effective_from", "number")), moment.now)
    present = _terms_of(version) if version else None
    wanted = _ask(request, present)
    currency = charge.plan.currency
    if present is None or _in_cents(wanted, currency) != _in_cents(present, currency):
        since = version.effective_from if version and not moment.is_in_use else moment.since
        price_charge(charge=charge, terms=wanted, actor=None, effective_from=since, rule=rule)


def remove(*, charge: Charge, moment: Moment, rule: str) -> None:
    """Removes a charge of the plan that is locked, audited: it prices no period that ends from then on."""
    charge.deleted_at = moment.since
    charge.save(update_fields=["deleted_at"])
    audit.record(
        actor=None,
        action="charge.remove",
        target=charge,
        service=charge.service,
        before=_describe(charge),
        after={"deleted_at": moment.since.isoformat()},
        rule=rule,
    )


def _ask(request: ChargeRequest, present: ChargeTerms | None) -> ChargeTerms:
    """The terms that are asked for; what is not said stays, except the prices of another charge model."""
    model = request.model or (present.model if present else "")
    if not model:
        raise RefusedFieldsError({"charge_model": "value_is_mandatory"})
    kept = _keep(model, present)
    asked: dict[str, Any] = {
        "properties": request.properties,
        "filters": request.filters,
        "is_prorated": request.is_prorated,
        "is_pay_in_advance": request.is_pay_in_advance,
        "min_amount": request.min_amount,
    }
    terms = replace(kept, **{name: value for name, value in asked.items() if value is not None})
    return replace(
        terms,
        properties=normalize(model, terms.properties),
        filters=[_read_filter(model, item) for item in terms.filters],
    )


def _keep(model: str, present: ChargeTerms | None) -> ChargeTerms:
    if present is None:
        return ChargeTerms(model, DEFAULTS[model])
    if present.model == model:
        return present
    return replace(
        present,
        model=model,
        properties={},
        filters=[{**item, "properties": {}} for item in present.filters],
    )


def _terms_of(version: ChargeVersion) -> ChargeTerms:
    return ChargeTerms(
        model=version.model,
        properties=normalize(version.model, version.properties),
        filters=[_read_filter(version.model, item) for item in version.filters],
        is_prorated=version.is_prorated,
        is_pay_in_advance=version.is_pay_in_advance,
        min_amount=version.min_amount,
    )


def _read_filter(model: str, item: Mapping[str, Any]) -> dict[str, Any]:
    properties = item.get("properties")
    return {
        "values": item["values"],
        "properties": normalize(model, DEFAULTS[model] if properties is None else properties),
        "invoice_display_name": item.get("invoice_display_name") or "",
    }


def _in_cents(terms: ChargeTerms, currency: str) -> tuple[Any, ...]:
    """What can be asked for, to compare by: its own rounded figure does not change a minimum that is finer."""
    return (
        terms.model,
        terms.properties,
        list(terms.filters),
        terms.is_prorated,
        terms.is_pay_in_advance,
        round_to_currency(terms.min_amount, currency),
    )


def _describe(charge: Charge) -> dict[str, Any]:
    return {
        "plan": charge.plan.code,
        "metric": charge.metric.code,
        "code": charge.code,
        "invoice_display_name": charge.invoice_display_name,
    }
