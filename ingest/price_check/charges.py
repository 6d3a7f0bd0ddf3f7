"""Questions about prices: what a quantity or a sequence of events costs under a charge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ingest.metering.advance import Arrival, walk_arrivals
from ingest.metering.aggregation.contract import AggregationError, Span
from ingest.metering.aggregation.registry import aggregate
from ingest.metering.arithmetic import ZERO, exact_product, exact_sum, quotient
from ingest.metering.proration import days_of
from ingest.metering.usage import MeteredUsage
from ingest.price_check.errors import PriceCheckError
from ingest.price_check.fields import Fields
from ingest.price_check.usage import ANY_TIME, Figures, read_events, read_rule, read_span
from ingest.rating.advance import rate_arrivals
from ingest.rating.charge_models import graduated_percentage, percentage
from ingest.rating.charge_models.contract import ChargeModel, ChargePropertiesError, PropertyError, Rated
from ingest.rating.charge_models.graduated import price_tier
from ingest.rating.charge_models.ranges import Range
from ingest.rating.charge_models.registry import CHARGE_MODELS
from ingest.rating.instant import ESTIMATED, estimate
from ingest.rating.money import MoneyError, exponent, to_cents

DEFAULT_CURRENCY = "EUR"
BOUNDS = ("per_transaction_min_amount", "per_transaction_max_amount")
OF_TIERS = ("graduated", "graduated_percentage")
HIDDEN = frozenset({"packages", "units", "rate"})


def read_currency(case: Fields) -> str:
    """The currency of a question; EUR where none is given."""
    currency = case.text("currency", case.fields("input").text("currency", DEFAULT_CURRENCY))
    try:
        exponent(currency)
    except MoneyError as error:
        raise case.error("currency", "must be an ISO 4217 code") from error
    return currency


def read_model(case: Fields) -> tuple[str, ChargeModel[Any], Mapping[str, Any]]:
    """The charge's model and its properties."""
    name = case.text("charge_model")
    if name not in CHARGE_MODELS:
        raise case.error("charge_model", f"must be one of {', '.join(CHARGE_MODELS)}")
    return name, CHARGE_MODELS[name], case.fields("properties").values


def answer_charge(case: Fields) -> Figures:
    """Units under a charge: the amount, exact and in cents, and what each tier gave."""
    name, model, properties = read_model(case)
    given, currency = case.fields("input"), read_currency(case)
    if given.values.get("apply_min_max") is False:
        properties = {key: value for key, value in properties.items() if key not in BOUNDS}
    try:
        if given.flag("instant_estimate") and name in ESTIMATED:
            units = given.number("units")
            rated = estimate(name=name, properties=properties, units=units, currency=currency)
        else:
            usage = _read_usage(given, name, properties)
            rated = model.rate(properties, usage, currency=currency)
    except ChargePropertiesError as error:
        raise PriceCheckError("invalid_properties", f"properties.{error}.") from error
    return _show(name, rated, currency)


def _show(name: str, rated: Rated, currency: str) -> Figures:
    lines = [asdict(line) for line in rated.details]
    details: Any = lines
    if name not in OF_TIERS:
        details = {key: value for line in lines for key, value in line.items() if key not in HIDDEN}
        if "per_package_size" in details:
            details["per_package_size"] = _whole(details["per_package_size"])
    return {
        "units": rated.quantity,
        "amount": rated.amount,
        "amount_cents": to_cents(rated.amount, currency),
        "unit_amount": rated.unit_amount,
        "details": details,
    }


def _whole(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


def _read_usage(given: Fields, name: str, properties: Mapping[str, Any]) -> MeteredUsage:
    values = given.numbers("event_values")
    units = given.number("units")
    count = given.count("events_count", len(values) or 0)
    shares = given.numbers("event_prorated_values")
    is_prorated = given.flag("prorated")
    values = values or ((units,) if count == 1 else ())
    if is_prorated and name == "graduated":
        _check_walk(given, units, values, shares)
    usage = MeteredUsage(
        quantity=units,
        events_count=count,
        full_quantity=given.number("full_units") if given.has("full_units") else None,
        is_prorated=is_prorated,
        event_values=values,
        prorated_values=shares,
        precise_total_amount_cents=given.number("precise_total_amount_cents", 0),
    )
    if name == "percentage" and given.has("running_total"):
        return _with_running_total(usage, given, properties)
    if units and not values and any(properties.get(bound) not in (None, "") for bound in BOUNDS):
        raise given.error("event_values", "must be given where single events have a minimum or a maximum")
    return usage


def _check_walk(given: Fields, units: Decimal, values: Sequence[Decimal], shares: Sequence[Decimal]) -> None:
    """By days graduated prices are found event by event: units alone would cost the first flat amount."""
    if len(shares) != len(values):
        raise given.error("event_prorated_values", "must stand beside event_values")
    if units and not values:
        raise given.error("event_values", "must be given for units by days")


def _with_running_total(usage: MeteredUsage, given: Fields, properties: Mapping[str, Any]) -> MeteredUsage:
    errors: list[PropertyError] = []
    prices = percentage.read(properties, errors)
    if errors:
        raise ChargePropertiesError(errors)
    known = percentage.allowance_of(prices, given.numbers("running_total"))
    bounded = percentage.summarize(prices, usage.event_values).bounded_amount if usage.event_values else None
    return replace(usage, transactions=replace(known, bounded_amount=bounded))


def answer_tier(case: Fields) -> Figures:
    """One range of a graduated price alone."""
    name, _, _ = read_model(case)
    given = case.fields("properties").fields("range")
    is_rate = name == "graduated_percentage"
    tier = Range(
        from_value=given.number("from_value"),
        to_value=given.number("to_value") if given.has("to_value") else None,
        price=given.number("rate" if is_rate else "per_unit_amount"),
        flat=given.number("flat_amount", 0),
    )
    units = case.fields("input").number("units")
    touching = case.fields("input").flag("adjacent_model")
    if tier.units_of(units, are_touching=touching) < 0:
        raise PriceCheckError("invalid_field", "input.units must reach the range.")
    if is_rate:
        return asdict(graduated_percentage.price_tier(tier, units))
    return asdict(price_tier(tier, tier.units_of(units, are_touching=touching)))


def answer_arrivals(case: Fields) -> Figures:
    """Events as they arrive, each billed at once."""
    name, model, properties = read_model(case)
    given, currency = case.fields("input"), read_currency(case)
    rule = read_rule(case)
    arrived = read_events(given, rule.field_name, untimed=ANY_TIME)
    events = sorted(arrived, key=lambda event: (event.timestamp, event.sequence))
    span = read_span(given) if given.has("period") else _span_of(events, given)
    fees = []
    try:
        arrivals = walk_arrivals(rule=rule, events=events, span=span)
        for arrival, rated in rate_arrivals(
            name=name, model=model, properties=properties, arrivals=arrivals, currency=currency
        ):
            fees.append(
                {
                    "units": _units_of(arrival),
                    "amount_cents": to_cents(rated.amount, currency),
                    "events_count": 1,
                }
            )
    except ChargePropertiesError as error:
        raise PriceCheckError("invalid_properties", f"properties.{error}.") from error
    except AggregationError as error:
        raise PriceCheckError(error.code, f"aggregation: {error}") from error
    return {"fees": fees}


def _units_of(arrival: Arrival) -> Decimal:
    """Lago shows what an event applies, also where the level stays below what was billed before."""
    return arrival.units or max(arrival.change, ZERO)


def _span_of(events: list[Any], given: Fields) -> Span:
    if not events:
        raise given.error("events", "must list at least one event")
    first, last = events[0].timestamp, events[-1].timestamp
    return Span(first, last + timedelta.resolution, 1, given.zone())


def answer_prorated_period(case: Fields) -> Figures:
    """A recurring sum under a graduated price by days, with what was there before the period."""
    name, model, properties = read_model(case)
    given, currency = case.fields("input"), read_currency(case)
    rule = replace(read_rule(case), is_recurring=True)
    span = read_span(given)
    usage = aggregate(rule=rule, events=read_events(given, rule.field_name), span=span, is_prorated=True)
    usage = _with_persisted(usage, given.number("persisted_units_before_period", 0), span)
    try:
        rated = model.rate(properties, usage, currency=currency)
    except ChargePropertiesError as error:
        raise PriceCheckError("invalid_properties", f"properties.{error}.") from error
    return {**_show(name, rated, currency), "units": usage.whole_quantity, "prorated_units": usage.quantity}


def _with_persisted(usage: MeteredUsage, persisted: Decimal, span: Span) -> MeteredUsage:
    if not persisted:
        return usage
    share = quotient(exact_product(persisted, Decimal(days_of(span))), Decimal(span.period_days))
    return replace(
        usage,
        quantity=exact_sum((usage.quantity, share)),
        full_quantity=exact_sum((usage.whole_quantity, persisted)),
        event_values=(persisted, *usage.event_values),
        prorated_values=(share, *usage.prorated_values),
    )


KINDS: Mapping[str, Callable[[Fields], Figures]] = MappingProxyType(
    {
        "charge_model": answer_charge,
        "tier_detail": answer_tier,
        "pay_in_advance": answer_arrivals,
        "prorated_graduated_period": answer_prorated_period,
    }
)
