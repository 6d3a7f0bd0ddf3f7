"""/events/estimate_fees and the instant estimates: what events would cost, before they are posted."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.decoding import decode_batch, decode_event
from ingest.api.errors import ApiError, FieldErrors, refuse_fields
from ingest.api.openapi import describe, envelop
from ingest.api.schema import BATCH, EventInput
from ingest.api.view import ApiView
from ingest.collection import PostedEvent
from ingest.errors import DomainError
from ingest.estimates import estimate_alone, estimate_event
from ingest.models import Fee, Scope
from ingest.rating.money import exponent
from ingest.rating.taxes import tax_of
from reconciliation.api.fee_answers import FeeItem, FeeOut, show_fee, show_number
from reconciliation.expected_taxes import CustomerTaxes, read_customer_taxes
from reconciliation.fee_taxes import BilledFee, FeeTax

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
        products = [fee.charge.odoo_product_id for fee in found if fee.charge]
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
        return Response({"fees": [_show_instant(fee, event) for fee in found]})


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
        service_id = self.caller.service_id
        fees = [
            _show_instant(fee, event)
            for event in events
            for fee in _estimate(estimate_alone, service_id, event)
        ]
        return Response({"fees": fees})


def _estimate(estimate: Callable[..., Sequence[Fee]], service_id: int, event: PostedEvent) -> Sequence[Fee]:
    try:
        return estimate(service_id=service_id, event=event, now=timezone.now())
    except DomainError as error:
        if error.code == "expression_failed":
            raise refuse_fields(error.message) from error
        raise REFUSALS.get(error.code, error) from error


def _show_fee(fee: Fee, taxes: CustomerTaxes) -> FeeOut:
    rates = taxes.rates(fee.charge.odoo_product_id if fee.charge else None)
    charged = [FeeTax(rate.name, rate.tax_rate, tax_of(fee.amount, rate.tax_rate)) for rate in rates]
    return msgspec.structs.replace(show_fee(BilledFee(fee, None, charged)), lago_id=None)


def _show_instant(fee: Fee, event: PostedEvent) -> InstantFee:
    shown = show_fee(BilledFee(fee, None))
    names = set(InstantFee.__struct_fields__) & set(FeeOut.__struct_fields__)
    kept = {name: getattr(shown, name) for name in names - {"lago_id", "amount_cents"}}
    cents = fee.exact_amount.scaleb(exponent(fee.currency))
    return InstantFee(**kept, amount_cents=show_number(cents), event_transaction_id=event.transaction_id)
