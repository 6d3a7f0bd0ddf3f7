"""/events/estimate_fees and the instant estimates: what events would cost, before they are posted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.decoding import decode_batch, decode_event
from ingest.api.errors import ApiError, FieldErrors, refuse_fields
from ingest.api.openapi import describe, envelop
from ingest.api.rendering import render_second
from ingest.api.schema import BATCH, EventInput
from ingest.api.view import ApiView
from ingest.collection import PostedEvent
from ingest.errors import DomainError
from ingest.estimates import Estimate, estimate_alone, estimate_event
from ingest.metering.arithmetic import exact_sum
from ingest.models import Scope
from ingest.rating.money import exponent, round_to_currency, to_cents
from ingest.rating.taxes import tax_of
from reconciliation.api.fee_answers import AppliedTax, FeeItem, FeeOut, show_number, show_tax
from reconciliation.expected_taxes import CustomerTaxes, read_customer_taxes
from reconciliation.fee_taxes import FeeTax

REFUSALS: Mapping[str, ApiError] = {
    "unknown_subscription": ApiError(404, code="subscription_not_found"),
    "unknown_metric": ApiError(404, code="billable_metric_not_found"),
    "no_instant_charge": refuse_fields({"code": ["does_not_match_an_instant_charge"]}),
    "not_numeric": refuse_fields({"properties": ["value_is_not_valid_number"]}),
}


class InstantFee(msgspec.Struct, kw_only=True):
    """What one event alone would cost: its cents are a decimal, unrounded."""

    lago_id: None = None
    lago_charge_id: str
    lago_subscription_id: str
    external_subscription_id: str
    lago_customer_id: str
    external_customer_id: str
    item: FeeItem
    pay_in_advance: bool = True
    invoiceable: bool = True
    amount_cents: str
    amount_currency: str
    units: str
    events_count: int = 1
    payment_status: str = "pending"
    event_transaction_id: str


EstimatedFeesAnswer = envelop("fees", list[FeeOut], "EstimatedFeesAnswer")
InstantFeesAnswer = envelop("fees", list[InstantFee], "InstantFeesAnswer")


class EstimateView(ApiView):
    """What an event would cost now, after what there is in its period."""

    resource = "event"
    writes = Scope.INGEST

    @describe(
        "estimate_fees",
        "Estimate the fees of an event",
        description="Of charges that are billed on arrival. Nothing is stored; id and time are not looked at.",
        tag="events",
        takes={"event": EventInput()},
        answer=EstimatedFeesAnswer,
        refuses=(404,),
    )
    def post(self, request: Request) -> Response:
        """The fees that the event would make."""
        event = decode_event(self.body, needs_id=False)
        found = _estimate(estimate_event, self.caller.service_id, event)
        customer = found[0].subscription.customer
        products = [each.price.charge.odoo_product_id for each in found]
        taxes = read_customer_taxes(customer=customer, product_ids=products)
        return Response({"fees": [_show_fee(each, taxes) for each in found]})


class InstantEstimateView(ApiView):
    """What an event would cost if it were alone."""

    resource = "event"
    writes = Scope.INGEST

    @describe(
        "estimate_instant_fees",
        "Estimate the fees of an event by itself",
        description="Of standard and percentage charges that are billed on arrival; earlier events are not read.",
        tag="events",
        takes={"event": EventInput()},
        answer=InstantFeesAnswer,
        refuses=(404,),
    )
    def post(self, request: Request) -> Response:
        """The fees that the event alone would make."""
        event = decode_event(self.body, needs_id=False)
        found = _estimate(estimate_alone, self.caller.service_id, event)
        return Response({"fees": [_show_instant(each) for each in found]})


class InstantEstimateBatchView(ApiView):
    """What events would cost, each if it were alone."""

    resource = "event"
    writes = Scope.INGEST

    @describe(
        "estimate_batch_instant_fees",
        "Estimate the fees of events, each by itself",
        description="As for one event; one that cannot be estimated refuses all.",
        tag="events",
        takes={"events": BATCH},
        answer=InstantFeesAnswer,
        refuses=(404,),
    )
    def post(self, request: Request) -> Response:
        """The fees that each event alone would make, in the order of the events."""
        outcomes = decode_batch(self.body, limit=self.caller.intake.batch_max, needs_id=False)
        errors: dict[str, FieldErrors] = {
            str(at): each for at, each in enumerate(outcomes) if not isinstance(each, PostedEvent)
        }
        if errors:
            raise refuse_fields(errors)
        events = [each for each in outcomes if isinstance(each, PostedEvent)]
        found = [_estimate(estimate_alone, self.caller.service_id, event) for event in events]
        return Response({"fees": [_show_instant(each) for some in found for each in some]})


def _estimate(
    estimate: Callable[..., Sequence[Estimate]], service_id: int, event: PostedEvent
) -> Sequence[Estimate]:
    try:
        return estimate(service_id=service_id, event=event, now=timezone.now())
    except DomainError as error:
        if error.code == "expression_failed":
            raise refuse_fields(error.message) from error
        raise REFUSALS.get(error.code, error) from error


def _show_fee(estimate: Estimate, taxes: CustomerTaxes) -> FeeOut:
    price, subscription = estimate.price, estimate.subscription
    currency = price.charge.plan.currency
    exact = estimate.rated.amount
    amount = round_to_currency(exact, currency)
    rates = taxes.rates(price.charge.odoo_product_id)
    charged = [FeeTax(rate.name, rate.tax_rate, tax_of(amount, rate.tax_rate)) for rate in rates]
    tax = exact_sum(each.exact for each in charged)
    cents, tax_cents = to_cents(amount, currency), to_cents(tax, currency)
    applied: list[AppliedTax] = [show_tax(each, currency) for each in charged]
    return FeeOut(
        lago_id=None,
        lago_charge_id=str(price.charge.public_id),
        lago_invoice_id=None,
        lago_subscription_id=str(subscription.public_id),
        external_subscription_id=subscription.external_id,
        lago_customer_id=str(subscription.customer.public_id),
        external_customer_id=subscription.customer.external_id,
        item=_show_item(estimate),
        pay_in_advance=True,
        amount_cents=cents,
        amount_currency=currency,
        precise_amount=show_number(exact),
        precise_total_amount=show_number(exact_sum((exact, tax))),
        taxes_amount_cents=tax_cents,
        taxes_precise_amount=show_number(tax),
        taxes_rate=float(sum(each.rate.percent for each in charged)),
        total_aggregated_units=show_number(estimate.rated.quantity),
        total_amount_cents=cents + tax_cents,
        total_amount_currency=currency,
        units=show_number(estimate.rated.quantity),
        precise_unit_amount=show_number(estimate.rated.unit_amount),
        sub_total_excluding_taxes_amount_cents=cents,
        sub_total_excluding_taxes_precise_amount_cents=show_number(amount.scaleb(exponent(currency))),
        events_count=1,
        created_at=render_second(timezone.now()),
        from_date=render_second(estimate.window.counts_from),
        to_date=render_second(estimate.window.counts_to - timedelta(seconds=1)),
        amount_details={},
        applied_taxes=applied,
    )


def _show_instant(estimate: Estimate) -> InstantFee:
    price, subscription = estimate.price, estimate.subscription
    currency = price.charge.plan.currency
    return InstantFee(
        lago_charge_id=str(price.charge.public_id),
        lago_subscription_id=str(subscription.public_id),
        external_subscription_id=subscription.external_id,
        lago_customer_id=str(subscription.customer.public_id),
        external_customer_id=subscription.customer.external_id,
        item=_show_item(estimate),
        amount_cents=show_number(estimate.rated.amount.scaleb(exponent(currency))),
        amount_currency=currency,
        units=show_number(estimate.rated.quantity),
        event_transaction_id=estimate.transaction_id,
    )


def _show_item(estimate: Estimate) -> FeeItem:
    price = estimate.price
    metric = price.charge.metric
    return FeeItem(
        type="charge",
        code=metric.code,
        name=metric.name,
        description=metric.description or None,
        invoice_display_name=price.charge.invoice_display_name or None,
        filters=price.filter_values,
        filter_invoice_display_name=None,
        lago_item_id=str(metric.public_id),
        item_type="BillableMetric",
        grouped_by={key: value or "" for key, value in estimate.grouped_by.items()},
    )
