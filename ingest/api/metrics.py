"""/billable_metrics: what a service meters (Lago: billable metrics)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.inputs import read_input
from ingest.api.openapi import PAGES, describe, envelop, list_of
from ingest.api.pagination import paginate
from ingest.api.rendering import render_second
from ingest.api.view import ApiView
from ingest.inputs.metrics import CUSTOM, SECONDS, MetricInput, to_columns
from ingest.metrics import change_metric, create_metric, delete_metric
from ingest.models import Aggregation, Metric

REFUSALS: Mapping[str, ApiError] = {
    "code_is_taken": refuse_fields({"code": ["value_already_exist"]}),
    "unknown_metric": ApiError(404, code="billable_metric_not_found"),
    "metric_is_in_use": ApiError(405, code="billable_metric_in_use"),
}


class MetricFilter(msgspec.Struct):
    """A property that a price may depend on."""

    key: str
    values: list[str]


class BillableMetric(msgspec.Struct):
    """A metric as the API returns it, with Lago's field names."""

    lago_id: str
    name: str
    code: str
    description: str | None
    aggregation_type: str
    weighted_interval: str | None
    recurring: bool
    rounding_function: str | None
    rounding_precision: int | None
    created_at: str
    field_name: str | None
    expression: str | None
    filters: list[MetricFilter]
    # Lago once counted these, and answers none.
    active_subscriptions_count: int = 0
    draft_invoices_count: int = 0
    plans_count: int = 0


MetricAnswer = envelop("billable_metric", BillableMetric, "BillableMetricAnswer")
MetricsAnswer = list_of("billable_metrics", BillableMetric, "BillableMetricsAnswer")


def show_metric(metric: Metric) -> BillableMetric:
    """The answer that tells of a metric."""
    is_weighted = metric.aggregation == Aggregation.WEIGHTED_SUM
    return BillableMetric(
        lago_id=str(metric.public_id),
        name=metric.name,
        code=metric.code,
        description=metric.description or None,
        aggregation_type=metric.aggregation,
        weighted_interval=SECONDS if is_weighted else None,
        recurring=metric.is_recurring,
        rounding_function=metric.rounding_function or None,
        rounding_precision=metric.rounding_precision if metric.rounding_function else None,
        created_at=render_second(metric.created_at),
        field_name=metric.field_name or None,
        expression=metric.expression or None,
        filters=[MetricFilter(key, list(values)) for key, values in metric.filters.items()],
    )


class MetricsView(ApiView):
    """All metrics of the service."""

    resource = "billable_metric"

    @describe("list_billable_metrics", "List metrics", tag="metrics", answer=MetricsAnswer, query=PAGES)
    def get(self, request: Request) -> Response:
        """One page of metrics, the newest first."""
        rows, meta = paginate(_metrics(self.caller.service_id).order_by("-pk"), request.query_params)
        return Response({"billable_metrics": [show_metric(row) for row in rows], "meta": meta})

    @describe(
        "create_billable_metric",
        "Create a metric",
        tag="metrics",
        takes={"billable_metric": MetricInput()},
        answer=MetricAnswer,
    )
    def post(self, request: Request) -> Response:
        """A new metric; its code must be free."""
        values = read_input(self.body, root="billable_metric", serializer=MetricInput)
        if values["aggregation_type"] == CUSTOM:
            raise ApiError(403, code="feature_unavailable")
        with self.refusing(REFUSALS):
            metric = create_metric(
                service_id=self.caller.service_id, values=to_columns(values), rule=self.caller.rule
            )
        return Response({"billable_metric": show_metric(metric)})


class MetricView(ApiView):
    """One metric, by its code."""

    resource = "billable_metric"

    @describe("get_billable_metric", "Get a metric", tag="metrics", answer=MetricAnswer, refuses=(404,))
    def get(self, request: Request, code: str) -> Response:
        """The metric of that code."""
        return Response({"billable_metric": show_metric(self._find(code))})

    @describe(
        "update_billable_metric",
        "Change a metric",
        description="Once a plan uses the metric, only its name, description and filters change.",
        tag="metrics",
        takes={"billable_metric": MetricInput(partial=True)},
        answer=MetricAnswer,
        refuses=(404,),
    )
    def put(self, request: Request, code: str) -> Response:
        """Changes what is given; the rest stays."""
        metric = self._find(code)
        values = read_input(
            self.body,
            root="billable_metric",
            serializer=MetricInput,
            is_partial=True,
            present=_present(metric),
        )
        if values.get("aggregation_type") == CUSTOM:
            raise ApiError(403, code="feature_unavailable")
        with self.refusing(REFUSALS):
            changed = change_metric(metric=metric, values=to_columns(values), rule=self.caller.rule)
        return Response({"billable_metric": show_metric(changed)})

    @describe(
        "delete_billable_metric",
        "Delete a metric",
        description="A metric that a plan charges for is in use: 405, and nothing changes.",
        tag="metrics",
        answer=MetricAnswer,
        refuses=(404, 405),
    )
    def delete(self, request: Request, code: str) -> Response:
        """Deletes a metric that no plan charges for."""
        with self.refusing(REFUSALS):
            metric = delete_metric(metric=self._find(code), rule=self.caller.rule)
        return Response({"billable_metric": show_metric(metric)})

    def _find(self, code: str) -> Metric:
        metric = _metrics(self.caller.service_id).filter(code=code).first()
        if metric is None:
            raise REFUSALS["unknown_metric"]
        return metric


def _metrics(service_id: int) -> QuerySet[Metric]:
    return Metric.objects.filter(service=service_id, deleted_at=None)


def _present(metric: Metric) -> dict[str, Any]:
    """What a change is checked together with."""
    shown = show_metric(metric)
    names = ("aggregation_type", "field_name", "weighted_interval", "recurring", "expression")
    return {name: getattr(shown, name) for name in names}
