"""/customers/…/current_usage, past_usage and projected_usage: what a subscription uses, and what that costs."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import ApiError, refuse_fields
from ingest.api.openapi import PAGES, describe
from ingest.api.pagination import read_page
from ingest.api.queries import read_flag, read_object
from ingest.api.view import ApiView
from ingest.charge_usage import (
    ChargeUsage,
    PeriodUsage,
    find_window,
    narrow_down,
    read_current_usage,
    read_past_usage,
)
from ingest.models import Customer, Fee, FeeKind, Subscription
from ingest.projection import project
from reconciliation.api.usage_answers import (
    CustomerUsage,
    CustomerUsageAnswer,
    ProjectedUsageAnswer,
    UsagePeriodsAnswer,
    show_projection,
    show_usage,
)
from reconciliation.expected_taxes import CustomerTaxes, read_customer_taxes
from reconciliation.models import Reconciliation

SUBSCRIPTION = OpenApiParameter("external_subscription_id", str, description="Whose usage.")
TAXES = OpenApiParameter("apply_taxes", bool, description="Whether tax is added; true unless told.")
CHOICE = (
    SUBSCRIPTION,
    TAXES,
    OpenApiParameter("charge_id", str, description="Of this charge alone; also `filter_by_charge_id`."),
    OpenApiParameter("charge_code", str, description="The same by code; also `filter_by_charge_code`."),
    OpenApiParameter(
        "billable_metric_code", str, description="Of this metric alone; also `filter_by_metric_code`."
    ),
    OpenApiParameter("filter_by_group", str, description="Of one pricing group, a JSON object."),
    OpenApiParameter("full_usage", bool, description="Not served: 405."),
)


class CurrentUsageView(ApiView):
    """The usage of the period that is running."""

    resource = "customer_usage"

    @describe(
        "get_current_usage",
        "Get a subscription's usage so far",
        tag="usage",
        answer=CustomerUsageAnswer,
        query=CHOICE,
        refuses=(404, 405),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """The usage of the current period, by charge."""
        query, now = request.query_params, timezone.now()
        subscription = _find_subscription(self.caller.service_id, external_id, query, now)
        usage = _read_usage(subscription, now)
        charges = _choose(usage, query)
        taxes = _read_taxes(subscription.customer, charges, query)
        return Response({"customer_usage": show_usage(usage, charges, taxes)})


class ProjectedUsageView(ApiView):
    """What the period that is running will have come to."""

    resource = "customer_usage"

    @describe(
        "get_projected_usage",
        "Get what a subscription's usage is heading for",
        tag="usage",
        answer=ProjectedUsageAnswer,
        query=CHOICE,
        refuses=(404, 405),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """The usage of the current period, and what it comes to if it goes on so."""
        query, now = request.query_params, timezone.now()
        subscription = _find_subscription(self.caller.service_id, external_id, query, now)
        usage = _read_usage(subscription, now)
        charges = _choose(usage, query)
        window = find_window(subscription, now)
        if window is None:
            raise NO_SUBSCRIPTION
        chosen = PeriodUsage(usage.subscription, usage.start, usage.end, charges)
        projected = {each.charge.pk: each for each in project(chosen, window=window, now=now).charges}
        taxes = _read_taxes(subscription.customer, charges, query)
        return Response({"customer_projected_usage": show_projection(usage, charges, projected, taxes)})


class PastUsageView(ApiView):
    """The usage of periods that were rated."""

    resource = "customer_usage"

    @describe(
        "list_past_usage",
        "List a subscription's usage of closed periods",
        tag="usage",
        answer=UsagePeriodsAnswer,
        query=(
            SUBSCRIPTION,
            OpenApiParameter("billable_metric_code", str, description="Of this metric alone."),
            OpenApiParameter("periods_count", int, description="How many periods at most."),
            *PAGES,
        ),
        refuses=(404, 422),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """One page of periods, newest first."""
        query = request.query_params
        customer = _find_customer(self.caller.service_id, external_id)
        if not query.get("external_subscription_id"):
            raise refuse_fields({"external_subscription_id": ["value_is_mandatory"]})
        fees = Fee.objects.filter(
            kind=FeeKind.USAGE,
            subscription__customer=customer,
            subscription__external_id=query["external_subscription_id"],
            period_end__lte=timezone.now(),
        )
        if code := query.get("billable_metric_code"):
            fees = fees.filter(charge__metric__code=code)
        periods = fees.order_by("-period_start", "-subscription").values_list("period_start", "subscription")
        found = list(dict.fromkeys(periods))
        limit = query.get("periods_count", "")
        found = found[: int(limit)] if limit.isascii() and limit.isdigit() and len(limit) < 6 else found
        page = read_page(query)
        products = fees.order_by().values_list("charge__odoo_product_id", flat=True).distinct()
        taxes = read_customer_taxes(customer=customer, product_ids=products)
        shown = [
            _show_period(customer, fees.filter(period_start=start, subscription=subscription), taxes)
            for start, subscription in found[page.start : page.start + page.size]
        ]
        return Response({"usage_periods": shown, "meta": page.describe(len(found))})


NO_CUSTOMER = ApiError(404, code="customer_not_found")
NO_SUBSCRIPTION = ApiError(405, code="no_active_subscription")
NO_CHARGE = ApiError(404, code="charge_not_found")


def _show_period(customer: Customer, fees: QuerySet[Fee], taxes: CustomerTaxes) -> CustomerUsage:
    rows = list(
        fees.select_related(
            "subscription__plan", "subscription__customer__service", "charge__metric", "charge_version"
        ).order_by("pk")
    )
    first, usage = rows[0], read_past_usage(rows)
    invoice = Reconciliation.objects.filter(
        customer=customer,
        currency=first.currency,
        period_start=first.period_start,
        period_end=first.period_end,
    ).first()
    return show_usage(usage, usage.charges, taxes, invoice_id=str(invoice.public_id) if invoice else None)


def _find_customer(service_id: int, external_id: str) -> Customer:
    customers = Customer.objects.select_related("service")
    customer = customers.filter(service=service_id, external_id=external_id, deleted_at=None).first()
    if customer is None:
        raise NO_CUSTOMER
    return customer


def _find_subscription(service_id: int, external_id: str, query: QueryDict, now: datetime) -> Subscription:
    """The customer's active subscription; without its id the one there is, if there is only one."""
    customer = _find_customer(service_id, external_id)
    if read_flag(query, "full_usage", otherwise=False):
        raise ApiError(405, code="full_usage_not_allowed")
    rows = Subscription.objects.filter(
        Q(terminated_at=None) | Q(terminated_at__gt=now),
        customer=customer,
        started_at__lte=now,
        canceled_at=None,
    ).select_related("plan", "customer__service")
    if wanted := query.get("external_subscription_id"):
        rows = rows.filter(external_id=wanted)
    found = list(rows[:2])
    if len(found) != 1:
        raise NO_SUBSCRIPTION
    return found[0]


def _read_usage(subscription: Subscription, now: datetime) -> PeriodUsage:
    usage = read_current_usage(subscription=subscription, now=now)
    if usage is None:
        raise NO_SUBSCRIPTION
    return usage


def _choose(usage: PeriodUsage, query: QueryDict) -> list[ChargeUsage]:
    """The charges, narrowed down as asked; 404 for a charge that is not there."""
    charge_id = query.get("charge_id") or query.get("filter_by_charge_id")
    charge_code = query.get("charge_code") or query.get("filter_by_charge_code")
    metric_code = query.get("billable_metric_code") or query.get("filter_by_metric_code")
    chosen = [
        each
        for each in usage.charges
        if (not charge_id or str(each.charge.public_id) == charge_id)
        and (not charge_code or each.charge.code == charge_code)
        and (not metric_code or each.charge.metric.code == metric_code)
    ]
    if not chosen and (charge_id or charge_code or metric_code):
        raise NO_CHARGE
    group = _read_group(query)
    return [narrow_down(each, group) for each in chosen] if group else chosen


def _read_group(query: QueryDict) -> dict[str, str]:
    if not query.get("filter_by_group"):
        return read_object(query, "group")
    try:
        group = json.loads(str(query["filter_by_group"]))
    except (ValueError, RecursionError):
        group = None
    if not isinstance(group, dict):
        raise refuse_fields({"filter_by_group": ["value_is_invalid"]})
    return {str(key): str(value) for key, value in group.items()}


def _read_taxes(customer: Customer, charges: Sequence[ChargeUsage], query: QueryDict) -> CustomerTaxes:
    if not read_flag(query, "apply_taxes", otherwise=True):
        return CustomerTaxes({})
    products = [each.charge.odoo_product_id for each in charges]
    return read_customer_taxes(customer=customer, product_ids=products)
