"""Which charges there can be: what a price may ask of its metric (Lago: charge models, proration, advance)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.metering.advance import IN_ADVANCE
from ingest.metering.filters import ChargeFilter, Values, find_overlaps, resolve
from ingest.rating.charge_models.contract import PropertyError
from ingest.rating.charge_models.registry import CHARGE_MODELS

PRORATED_AGGREGATIONS = ("sum_agg", "unique_count_agg")
PRORATED_MODELS = ("standard", "graduated", "volume")
MOST_PRESENTATION_KEYS = 2


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """How a charge is to be priced; `filters` have `values` and `properties`, as they are stored."""

    model: str
    properties: Mapping[str, object]
    filters: Sequence[Mapping[str, object]] = ()
    is_prorated: bool = False
    is_pay_in_advance: bool = False
    min_amount: Decimal = Decimal(0)


def check_charge(
    terms: ChargeTerms, *, aggregation: str, is_recurring: bool, allowed: Values
) -> list[PropertyError]:
    """All that is wrong with the terms for a metric that aggregates so; every error names its field."""
    if terms.model not in CHARGE_MODELS:
        return [
            PropertyError("charge_model", "value_is_invalid", f"must be one of {', '.join(CHARGE_MODELS)}")
        ]
    return [
        *CHARGE_MODELS[terms.model].validate(terms.properties),
        *_check_groups(terms.properties),
        *_check_metric(terms, aggregation),
        *_check_proration(terms, aggregation, is_recurring=is_recurring),
        *_check_filters(terms, allowed),
    ]


def _check_metric(terms: ChargeTerms, aggregation: str) -> Iterator[PropertyError]:
    if terms.model in ("percentage", "graduated_percentage") and aggregation == "latest_agg":
        yield PropertyError("billable_metric", "invalid_value", "a percentage cannot price it")
    if terms.model == "dynamic" and aggregation != "sum_agg":
        yield PropertyError("billable_metric", "invalid_value", "a dynamic price needs a metric that sums")
    if terms.is_pay_in_advance and aggregation not in IN_ADVANCE:
        code = "invalid_aggregation_type_or_charge_model"
        yield PropertyError("pay_in_advance", code, f"{aggregation} cannot be billed in advance")
    if terms.is_pay_in_advance and terms.model == "volume":
        code = "invalid_aggregation_type_or_charge_model"
        yield PropertyError("pay_in_advance", code, "a volume price cannot be billed in advance")
    if terms.is_pay_in_advance and terms.min_amount:
        code = "not_compatible_with_pay_in_advance"
        yield PropertyError("min_amount_cents", code, "a minimum needs billing in arrears")


def _check_proration(terms: ChargeTerms, aggregation: str, *, is_recurring: bool) -> Iterator[PropertyError]:
    if not terms.is_prorated:
        return
    models = ("standard",) if terms.is_pay_in_advance else PRORATED_MODELS
    code = "invalid_billable_metric_or_charge_model"
    if aggregation not in PRORATED_AGGREGATIONS or not is_recurring:
        yield PropertyError("prorated", code, "only a recurring sum or unique count goes by days")
    if terms.model not in models:
        yield PropertyError("prorated", code, f"only {', '.join(models)} prices go by days here")


def _check_groups(properties: object) -> Iterator[PropertyError]:
    if not isinstance(properties, Mapping):
        return
    for name in ("pricing_group_keys", "grouped_by", "presentation_group_keys"):
        keys = properties.get(name)
        if keys is not None and not (isinstance(keys, list) and all(map(_is_group_key, keys))):
            yield PropertyError(name, "value_is_invalid", "must list the names of properties")
        elif name == "presentation_group_keys" and keys and len(keys) > MOST_PRESENTATION_KEYS:
            message = f"must list at most {MOST_PRESENTATION_KEYS} properties"
            yield PropertyError(name, "value_is_invalid", message)


def _is_group_key(key: object) -> bool:
    """A property's name, which holds no NUL; Lago writes those only presented as `{"value": name}`."""
    name = key.get("value") if isinstance(key, Mapping) else key
    return isinstance(name, str) and bool(name) and "\x00" not in name


def _check_filters(terms: ChargeTerms, allowed: Values) -> Iterator[PropertyError]:
    filters = []
    for place, item in enumerate(terms.filters):
        path = f"filters[{place}]"
        values = _read_values(item.get("values")) if isinstance(item, Mapping) else None
        if values is None:
            yield PropertyError(f"{path}.values", "value_is_invalid", "must list values for each property")
            continue
        chosen = ChargeFilter(str(place), values)
        filters.append(chosen)
        yield from _check_values(chosen, allowed, path)
        properties = item.get("properties")
        errors = [*CHARGE_MODELS[terms.model].validate(properties), *_check_groups(properties)]
        for error in errors:
            yield PropertyError(f"{path}.properties.{error.field}", error.code, error.message)
    for one, other in find_overlaps(filters, allowed):
        message = f"one event can match this and filters[{other}]: it would be counted twice"
        yield PropertyError(f"filters[{one}].values", "overlapping_filters", message)


def _read_values(values: object) -> Values | None:
    if not isinstance(values, Mapping) or not values:
        return None
    lists = [options for options in values.values() if isinstance(options, list) and options]
    texts = [option for options in lists for option in options if isinstance(option, str)]
    if len(lists) < len(values) or len(texts) < sum(map(len, lists)):
        return None
    return {key: tuple(options) for key, options in values.items()}


def _check_values(chosen: ChargeFilter, allowed: Values, path: str) -> Iterator[PropertyError]:
    for key, options in resolve(chosen.values, allowed).items():
        unknown = sorted(set(options) - set(allowed.get(key, ())))
        if key not in allowed or unknown:
            message = f"the metric has no {key} {', '.join(unknown)}".rstrip()
            yield PropertyError(f"{path}.values.{key}", "value_is_invalid", message)
