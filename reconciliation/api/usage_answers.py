"""What the API answers about usage, with Lago's field names, and how it is made of a period's usage."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from ingest.api.openapi import envelop, list_of
from ingest.api.rendering import render_decimal, render_second
from ingest.calendar import customer_timezone, midnight_of
from ingest.charge_usage import BucketUsage, ChargeUsage, PeriodUsage
from ingest.metering.arithmetic import ZERO
from ingest.rating.money import to_cents
from reconciliation.expected_taxes import CustomerTaxes


class UsageOfCharge(msgspec.Struct):
    """The charge that usage is of."""

    lago_id: str
    code: str | None
    charge_model: str
    invoice_display_name: str | None


class UsageOfMetric(msgspec.Struct):
    """The metric that usage is of."""

    lago_id: str
    name: str
    code: str
    aggregation_type: str


class Figures(msgspec.Struct, kw_only=True):
    """What some events came to."""

    units: str
    total_aggregated_units: str
    events_count: int
    amount_cents: int
    pricing_unit_details: None = None
    presentation_breakdowns: list[None] = []


class FilterUsage(Figures, kw_only=True):
    """What a filter's events came to; without values those that no filter took."""

    invoice_display_name: str | None
    values: dict[str, list[str]] | None


class GroupedUsage(Figures, kw_only=True):
    """What a group's events came to."""

    grouped_by: dict[str, str | None]
    filters: list[FilterUsage]


class ChargeUsageAnswer(Figures, kw_only=True):
    """What a charge came to."""

    amount_currency: str
    charge: UsageOfCharge
    billable_metric: UsageOfMetric
    filters: list[FilterUsage]
    grouped_usage: list[GroupedUsage]


class ProjectedFilterUsage(FilterUsage, kw_only=True):
    """A filter's usage, and what it will have come to."""

    projected_units: str
    projected_amount_cents: int


class ProjectedGroupedUsage(Figures, kw_only=True):
    """A group's usage, and what it will have come to."""

    grouped_by: dict[str, str | None]
    filters: list[ProjectedFilterUsage]
    projected_units: str
    projected_amount_cents: int


class ProjectedChargeUsage(Figures, kw_only=True):
    """A charge's usage, and what it will have come to."""

    amount_currency: str
    charge: UsageOfCharge
    billable_metric: UsageOfMetric
    filters: list[ProjectedFilterUsage]
    grouped_usage: list[ProjectedGroupedUsage]
    projected_units: str
    projected_amount_cents: int
    projected_presentation_breakdowns: list[None] = []


class UsageSums(msgspec.Struct, kw_only=True):
    """A period and its sums; `taxes_note` says why its tax is not known, and is then none."""

    from_datetime: str
    to_datetime: str
    issuing_date: str
    lago_invoice_id: str | None
    currency: str
    amount_cents: int
    taxes_amount_cents: int
    total_amount_cents: int
    taxes_note: str | None


class CustomerUsage(UsageSums, kw_only=True):
    """What a subscription used in a period."""

    charges_usage: list[ChargeUsageAnswer]


class ProjectedUsage(UsageSums, kw_only=True):
    """What a subscription used so far in a period, and will have used."""

    projected_amount_cents: int
    charges_usage: list[ProjectedChargeUsage]


CustomerUsageAnswer = envelop("customer_usage", CustomerUsage, "CustomerUsageAnswer")
ProjectedUsageAnswer = envelop("customer_projected_usage", ProjectedUsage, "ProjectedUsageAnswer")
UsagePeriodsAnswer = list_of("usage_periods", CustomerUsage, "UsagePeriodsAnswer")

_Words = dict[str, object]


def show_usage(
    usage: PeriodUsage, charges: Sequence[ChargeUsage], taxes: CustomerTaxes, *, invoice_id: str | None = None
) -> CustomerUsage:
    """A period's usage, of all its charges or of those that are asked for."""
    shown = [show_charge(charge, usage.currency) for charge in charges]
    return CustomerUsage(**_sums(usage, charges, taxes, invoice_id), charges_usage=shown)  # type: ignore[arg-type]


def show_projection(
    usage: PeriodUsage,
    charges: Sequence[ChargeUsage],
    projected: Mapping[int, ChargeUsage],
    taxes: CustomerTaxes,
) -> ProjectedUsage:
    """A period's usage beside what it will have come to, by the charges' keys."""
    shown = [_project_charge(each, projected[each.charge.pk], usage.currency) for each in charges]
    return ProjectedUsage(
        **_sums(usage, charges, taxes, None),  # type: ignore[arg-type]
        projected_amount_cents=sum(each.projected_amount_cents for each in shown),
        charges_usage=shown,
    )


def show_charge(usage: ChargeUsage, currency: str) -> ChargeUsageAnswer:
    """One charge, with its filters and groups."""
    return ChargeUsageAnswer(
        **_charge_words(usage, currency),  # type: ignore[arg-type]
        filters=[_show_filter(each, currency) for each in usage.by_filter()],
        grouped_usage=[
            GroupedUsage(
                **_figures(group, currency),  # type: ignore[arg-type]
                grouped_by=dict(group.grouped_by or {}),
                filters=[_show_filter(each, currency) for each in filters],
            )
            for group, filters in usage.by_group()
        ],
    )


def _project_charge(usage: ChargeUsage, projected: ChargeUsage, currency: str) -> ProjectedChargeUsage:
    groups = zip(usage.by_group(), projected.by_group(), strict=True)
    return ProjectedChargeUsage(
        **_charge_words(usage, currency),  # type: ignore[arg-type]
        **_projection(projected.whole, currency),  # type: ignore[arg-type]
        filters=_project_filters(usage.by_filter(), projected.by_filter(), currency),
        grouped_usage=[
            ProjectedGroupedUsage(
                **_figures(group, currency),  # type: ignore[arg-type]
                **_projection(later, currency),  # type: ignore[arg-type]
                grouped_by=dict(group.grouped_by or {}),
                filters=_project_filters(filters, later_filters, currency),
            )
            for (group, filters), (later, later_filters) in groups
        ],
    )


def _project_filters(
    now: Sequence[BucketUsage], later: Sequence[BucketUsage], currency: str
) -> list[ProjectedFilterUsage]:
    return [
        ProjectedFilterUsage(
            **_figures(bucket, currency),  # type: ignore[arg-type]
            **_filter_words(bucket),  # type: ignore[arg-type]
            **_projection(projected, currency),  # type: ignore[arg-type]
        )
        for bucket, projected in zip(now, later, strict=True)
    ]


def _show_filter(bucket: BucketUsage, currency: str) -> FilterUsage:
    return FilterUsage(**_figures(bucket, currency), **_filter_words(bucket))  # type: ignore[arg-type]


def _sums(
    usage: PeriodUsage, charges: Sequence[ChargeUsage], taxes: CustomerTaxes, invoice_id: str | None
) -> _Words:
    customer = usage.subscription.customer
    currency, zone = usage.currency, customer_timezone(customer)
    # Of one that began within a day Lago tells the day's beginning, though events count from the instant on.
    first_day = midnight_of(customer, usage.start.astimezone(zone).date())
    amounts = [(each.charge.odoo_product_id, each.whole.amount) for each in charges]
    untaxed = to_cents(sum((amount for _, amount in amounts), start=ZERO), currency)
    tax = to_cents(taxes.tax(amounts, currency), currency)
    return {
        "from_datetime": render_second(first_day),
        "to_datetime": render_second(usage.end - timedelta(seconds=1)),
        "issuing_date": usage.end.astimezone(zone).date().isoformat(),
        "lago_invoice_id": invoice_id,
        "currency": currency,
        "amount_cents": untaxed,
        "taxes_amount_cents": tax,
        "total_amount_cents": untaxed + tax,
        "taxes_note": taxes.reason or None,
    }


def _charge_words(usage: ChargeUsage, currency: str) -> _Words:
    charge, metric = usage.charge, usage.charge.metric
    return {
        **_figures(usage.whole, currency),
        "amount_currency": currency,
        "charge": UsageOfCharge(
            lago_id=str(charge.public_id),
            code=charge.code or None,
            charge_model=usage.version.model,
            invoice_display_name=charge.invoice_display_name or None,
        ),
        "billable_metric": UsageOfMetric(
            lago_id=str(metric.public_id),
            name=metric.name,
            code=metric.code,
            aggregation_type=metric.aggregation,
        ),
    }


def _figures(bucket: BucketUsage, currency: str) -> _Words:
    return {
        "units": render_decimal(bucket.units),
        "total_aggregated_units": render_decimal(bucket.total_units),
        "events_count": bucket.events_count,
        "amount_cents": to_cents(bucket.amount, currency),
    }


def _projection(bucket: BucketUsage, currency: str) -> _Words:
    return {
        "projected_units": render_decimal(bucket.units),
        "projected_amount_cents": to_cents(bucket.amount, currency),
    }


def _filter_words(bucket: BucketUsage) -> _Words:
    values = bucket.filter_values
    return {
        "invoice_display_name": bucket.filter_name or None,
        "values": None if values is None else {key: list(each) for key, each in values.items()},
    }
