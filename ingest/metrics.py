"""Billable metrics as a service keeps them: made, changed while no plan sells them, and deleted unless in use."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError
from ingest.models import Charge, Metric

# What may change once a plan sells the metric: nothing that would meter an earlier period anew.
FREE_TO_CHANGE = frozenset({"name", "description", "filters"})


@transaction.atomic
def create_metric(*, service_id: int, values: Mapping[str, Any], rule: str) -> Metric:
    """A new metric of a service, audited; `values` are fields of the model, already checked.

    Refuses with `code_is_taken`. `rule` says what asked for it, as in `audit.Decision`.
    """
    code = values["code"]
    metric, is_new = Metric.objects.get_or_create(
        service_id=service_id,
        code=code,
        deleted_at=None,
        defaults={name: value for name, value in values.items() if name != "code"},
    )
    if not is_new:
        raise _is_taken(code)
    _record(metric, "metric.create", rule, after=_describe(metric))
    return metric


@transaction.atomic
def change_metric(*, metric: Metric, values: Mapping[str, Any], rule: str) -> Metric:
    """Changes a metric, audited; once a plan sells it, all but its name, description and filters stay as they are.

    Refuses with `code_is_taken`, or `unknown_metric` when it has been deleted (Lago: billable metrics).
    """
    row = Metric.objects.select_for_update(no_key=True).filter(pk=metric.pk, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_metric", "There is no such metric.")
    # A charge that was removed still prices what it priced.
    is_sold = Charge.objects.filter(metric=row).exists()
    before = _describe(row)
    for name, value in values.items():
        if name in FREE_TO_CHANGE or not is_sold:
            setattr(row, name, value)
    after = _describe(row)
    if after != before:
        others = Metric.objects.filter(service=row.service_id, code=row.code, deleted_at=None).exclude(
            pk=row.pk
        )
        if others.exists():
            raise _is_taken(row.code)
        row.save(force_update=True)
        _record(row, "metric.change", rule, before=before, after=after)
    return row


@transaction.atomic
def delete_metric(*, metric: Metric, rule: str) -> Metric:
    """Deletes a metric that no plan sells; its row and its code's past stay.

    Refuses with `metric_is_in_use`: what a plan charges for is billed, and does not end by the way. And with
    `unknown_metric`.
    """
    row = Metric.objects.select_for_update().filter(pk=metric.pk, deleted_at=None).first()
    if row is None:
        raise DomainError("unknown_metric", "There is no such metric.")
    if Charge.objects.filter(metric=row, deleted_at=None, plan__deleted_at=None).exists():
        raise DomainError("metric_is_in_use", "A plan charges for this metric.")
    row.deleted_at = timezone.now()
    row.save(update_fields=["deleted_at"])
    _record(row, "metric.delete", rule, before=_describe(row))
    return row


def _is_taken(code: str) -> DomainError:
    return DomainError("code_is_taken", f"There is a metric {code} already.")


def _describe(metric: Metric) -> dict[str, Any]:
    return {
        "code": metric.code,
        "name": metric.name,
        "description": metric.description,
        "aggregation": metric.aggregation,
        "field_name": metric.field_name,
        "is_recurring": metric.is_recurring,
        "rounding_function": metric.rounding_function,
        "rounding_precision": metric.rounding_precision,
        "expression": metric.expression,
        "filters": metric.filters,
    }


def _record(
    metric: Metric,
    action: str,
    rule: str,
    *,
    before: Mapping[str, Any] = MappingProxyType({}),
    after: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    audit.record(
        actor=None,
        action=action,
        target=metric,
        service=metric.service,
        before=before,
        after=after,
        rule=rule,
    )
