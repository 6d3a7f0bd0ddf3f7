"""Metrics and plans from Lago, by the functions that the API makes them with."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from ingest.errors import DomainError
from ingest.inputs import metrics as metric_input
from ingest.inputs import plans as plan_input
from ingest.inputs.fields import InputError, check_input
from ingest.lago_ids import find_public_ids, link_lago_id
from ingest.metrics import change_metric, create_metric
from ingest.models import Charge, LagoKind, Metric, Plan
from ingest.models.public import PublicModel
from ingest.plans import PlanPrice, change_plan, create_plan
from reconciliation.connectors.lago.records import LagoRecord
from reconciliation.lago.answers import METRIC, pick, pick_plan
from reconciliation.lago.taking import RULE, Errand, Taken

Values = Mapping[str, Any]

# What a metric or a plan is of which nothing is said: Lago's null takes a value away.
EMPTY_METRIC: Values = {
    "description": "",
    "field_name": "",
    "is_recurring": False,
    "expression": "",
    "rounding_function": "",
    "rounding_precision": 0,
    "filters": {},
}
EMPTY_PLAN: Values = {"description": "", "invoice_display_name": ""}
FREE: Values = {"minimum_commitment": PlanPrice().minimum_commitment, "trial_days": 0}


class Metrics:
    """Billable metrics."""

    kind = LagoKind.METRIC

    def name(self, values: Values) -> str:
        return str(values.get("code", ""))

    def pick(self, values: Values) -> dict[str, Any]:
        return pick(values, METRIC)

    def find(self, errand: Errand, public_id: UUID) -> tuple[PublicModel | None, bool]:
        row = Metric.objects.filter(service=errand.service, public_id=public_id).first()
        return row, row is not None and row.deleted_at is None

    def find_twin(self, errand: Errand, said: Values) -> PublicModel | None:
        rows = Metric.objects.filter(service=errand.service, deleted_at=None)
        return rows.filter(code=str(said.get("code"))).first()

    def is_due(self, errand: Errand, row: PublicModel) -> bool:
        return False

    def check_new(self, errand: Errand, record: LagoRecord, said: Values) -> None:
        return None

    def take(self, errand: Errand, said: Values, row: PublicModel | None) -> Taken:
        values = check_input(metric_input.MetricInput(data=said))
        if values["aggregation_type"] == metric_input.CUSTOM:
            raise InputError([(("aggregation_type",), "feature_unavailable")])
        columns = {**EMPTY_METRIC, **metric_input.to_columns(values)}
        if not isinstance(row, Metric):
            return Taken(create_metric(service_id=errand.service.pk, values=columns, rule=RULE))
        changed = change_metric(metric=row, values=columns, rule=RULE)
        kept = [name for name, value in columns.items() if getattr(changed, name) != value]
        if kept:
            said_of = ", ".join(kept)
            raise DomainError(
                "metric_is_sold", f"A plan here sells it as it is ({said_of}); give it a new code."
            )
        return Taken(changed)


class Plans:
    """Plans with their charges and filters."""

    kind = LagoKind.PLAN

    def name(self, values: Values) -> str:
        return str(values.get("code", ""))

    def pick(self, values: Values) -> dict[str, Any]:
        return pick_plan(values)

    def find(self, errand: Errand, public_id: UUID) -> tuple[PublicModel | None, bool]:
        row = Plan.objects.filter(service=errand.service, public_id=public_id).first()
        return row, row is not None and row.deleted_at is None

    def find_twin(self, errand: Errand, said: Values) -> PublicModel | None:
        rows = Plan.objects.filter(service=errand.service, deleted_at=None)
        return rows.filter(code=str(said.get("code"))).first()

    def is_due(self, errand: Errand, row: PublicModel) -> bool:
        return False

    def check_new(self, errand: Errand, record: LagoRecord, said: Values) -> None:
        return None

    def take(self, errand: Errand, said: Values, row: PublicModel | None) -> Taken:
        plan = row if isinstance(row, Plan) else None
        asked = {**said, "charges": _resolve_charges(errand, said["charges"], plan)}
        values = check_input(plan_input.PlanInput(data=asked))
        currency = values["amount_currency"]
        columns = {**EMPTY_PLAN, **plan_input.to_columns(values)}
        price = {**FREE, **plan_input.to_price(values, currency)}
        charges = plan_input.to_charges(values, currency, is_new=plan is None) or []
        if plan is None:
            plan = create_plan(
                service_id=errand.service.pk,
                values=columns,
                price=PlanPrice(**price),
                charges=charges,
                rule=RULE,
            )
        else:
            plan = change_plan(plan=plan, values=columns, price=price, charges=charges, rule=RULE)
        _link_charges(errand, plan, said["charges"], [charge.code or "" for charge in charges])
        return Taken(plan)


def _resolve_charges(errand: Errand, said: Any, plan: Plan | None) -> Any:
    """The charges with our ids in place of Lago's, and a code each by which they are found again."""
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        return said
    metrics = _find(errand, LagoKind.METRIC, (each.get("lago_billable_metric_id") for each in said))
    known = _find(errand, LagoKind.CHARGE, (each.get("lago_id") for each in said))
    live = set(plan.charges.filter(deleted_at=None).values_list("public_id", flat=True)) if plan else set()
    codes = _choose_codes(said)
    resolved = []
    for place, (each, code) in enumerate(zip(said, codes, strict=True)):
        charge = {**each, "code": code, "billable_metric_id": _find_metric(errand, each, metrics, place)}
        charge.pop("id", None)
        if (own := known.get(str(each.get("lago_id")))) in live:
            charge["id"] = str(own)
        resolved.append(charge)
    return resolved


def _find_metric(errand: Errand, charge: Values, known: Mapping[str, UUID], place: int) -> str:
    """The metric that a charge prices: by Lago's id, else by its code where the key may not read metrics."""
    public_id = known.get(str(charge.get("lago_billable_metric_id")))
    rows = Metric.objects.filter(service=errand.service, deleted_at=None)
    row = rows.filter(public_id=public_id).first() if public_id else None
    code = charge.get("billable_metric_code")
    if row is None and isinstance(code, str):
        row = rows.filter(code=code).first()
    if row is None:
        shown = code if isinstance(code, str) else charge.get("lago_billable_metric_id")
        raise DomainError(
            "unknown_metric", f"charges[{place}]: its metric {shown} is not here; bring it first."
        )
    return str(row.public_id)


def _choose_codes(charges: list[dict[str, Any]]) -> list[str]:
    """Each charge's code; where Lago has none, its metric's, with a number where that is taken."""
    taken = {code for each in charges if isinstance(code := each.get("code"), str) and code}
    chosen = []
    for each in charges:
        code = each.get("code")
        if not (isinstance(code, str) and code):
            base = str(each.get("billable_metric_code") or "charge")[:240]
            number, code = 1, base
            while code in taken:
                number += 1
                code = f"{base}_{number}"
            taken.add(code)
        chosen.append(code)
    return chosen


def _link_charges(errand: Errand, plan: Plan, said: Any, codes: list[str]) -> None:
    rows = {row.code: row for row in Charge.objects.filter(plan=plan, deleted_at=None)}
    for each, code in zip(said, codes, strict=True):
        if (lago_id := _to_uuid(each.get("lago_id"))) is not None:
            link_lago_id(
                row=rows[code],
                service_id=errand.service.pk,
                kind=LagoKind.CHARGE,
                lago_id=lago_id,
                rule=RULE,
            )


def _find(errand: Errand, kind: LagoKind, said: Iterable[Any]) -> dict[str, UUID]:
    """Our ids by the text of Lago's."""
    ids = {text: found for text in said if (found := _to_uuid(text)) is not None}
    known = find_public_ids(service_id=errand.service.pk, kind=kind, lago_ids=ids.values())
    return {text: known[lago_id] for text, lago_id in ids.items() if lago_id in known}


def _to_uuid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
