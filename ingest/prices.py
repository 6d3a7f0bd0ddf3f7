"""Which version of each price a period is rated with, and what rating and metering make of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from ingest.buckets import canonical_group
from ingest.errors import DomainError
from ingest.metering.filters import Bucket, ChargeFilter, buckets_of, list_values
from ingest.metering.usage import MeteredUsage
from ingest.models import Charge, ChargeVersion, Plan, PlanVersion
from ingest.rating.charge_models.contract import ChargeModel, ChargePropertiesError, Rated
from ingest.rating.charge_models.registry import CHARGE_MODELS

Version = TypeVar("Version", ChargeVersion, PlanVersion)


INHERITED = ("pricing_group_keys", "grouped_by")


@dataclass(frozen=True)
class Price:
    """One charge in one version, for one bucket of its events: a filter's, or the rest."""

    charge: Charge
    version: ChargeVersion
    bucket: Bucket

    @cached_property
    def filter_values(self) -> dict[str, list[str]] | None:
        """The filter's values as they are stored beside usage and fees; None is the rest."""
        taken = self.bucket.filter
        return None if taken is None else list_values(taken.values)

    @cached_property
    def key(self) -> tuple[int, str]:
        """The charge, and the filter as one text; empty for the rest."""
        return key_of(self.charge.pk, self.filter_values)

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """What is priced with: the filter's own properties, else the charge's (Lago: filters)."""
        shared: Mapping[str, Any] = self.version.properties
        if self.bucket.filter is None:
            return shared
        own: Mapping[str, Any] = self.version.filters[int(self.bucket.filter.key)]["properties"]
        return {**{name: shared[name] for name in INHERITED if name in shared}, **own}

    @cached_property
    def group_keys(self) -> list[str]:
        """By which properties the events are grouped, one fee each (Lago: pricing_group_keys, grouped_by)."""
        return next((list(self.properties[name]) for name in INHERITED if self.properties.get(name)), [])

    def rate(self, usage: MeteredUsage) -> Rated:
        """What usage costs; refuses properties that cannot be priced with (`invalid_properties`)."""
        return self._model.apply(self.terms, usage, currency=self.charge.plan.currency)

    @cached_property
    def _model(self) -> ChargeModel[Any]:
        return CHARGE_MODELS[self.version.model]

    @cached_property
    def terms(self) -> Any:
        """The properties as the charge's model reads them; refuses as `rate` does."""
        try:
            return self._model.prepare(self.properties)
        except ChargePropertiesError as error:
            raise DomainError(
                "invalid_properties", f"The charge {self.charge} has no usable price: {error}."
            ) from error


@dataclass(frozen=True, slots=True)
class PriceList:
    """What a plan costs in one period: its own version and its charges', in a fixed order."""

    plan: PlanVersion | None
    prices: tuple[Price, ...]

    def find(self, charge_id: int, filter_text: str) -> Price:
        """The price of a charge for a filter, as its `key` has them."""
        return next(price for price in self.prices if price.key == (charge_id, filter_text))


@dataclass
class PriceBook:
    """The versions of some plans' prices; `instead` puts others in their place, for a what-if."""

    plans: Iterable[int]
    instead: Mapping[int, ChargeVersion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plans = set(self.plans)
        self._plans = _by_key(PlanVersion.objects.filter(plan__in=plans).select_related("plan"), "plan_id")
        self._versions = _by_key(ChargeVersion.objects.filter(charge__plan__in=plans), "charge_id")
        self._charges: dict[int, list[Charge]] = defaultdict(list)
        for charge in Charge.objects.filter(plan__in=plans).select_related("plan", "metric").order_by("pk"):
            self._charges[charge.plan_id].append(charge)
        self._lists: dict[tuple[int | None, ...], PriceList] = {}
        self._found: dict[tuple[int, datetime], PriceList] = {}

    def find(self, *, plan_id: int, period_end: datetime) -> PriceList:
        """The prices of a period that ends then; the same object for the same versions.

        A version prices the periods that end after it took effect, as Lago prices with what it finds when it
        bills. Of two from the same instant the later number counts. A charge prices no period that ended before
        it was added, nor one that ends after it was removed.
        """
        if (plan_id, period_end) not in self._found:
            self._found[plan_id, period_end] = self._find(plan_id, period_end)
        return self._found[plan_id, period_end]

    def _find(self, plan_id: int, period_end: datetime) -> PriceList:
        plan = in_force(self._plans[plan_id], period_end)
        chosen = [
            (charge, version)
            for charge in self._charges[plan_id]
            if not _is_removed(charge, period_end)
            and (version := self._version_of(charge, period_end)) is not None
        ]
        key = (plan_id, plan and plan.pk, *(version.pk for _, version in chosen))
        if key not in self._lists:
            prices = [price for charge, version in chosen for price in split_charge(charge, version)]
            self._lists[key] = PriceList(plan, tuple(prices))
        return self._lists[key]

    def _version_of(self, charge: Charge, period_end: datetime) -> ChargeVersion | None:
        return self.instead.get(charge.pk) or in_force(self._versions[charge.pk], period_end)


def key_of(charge_id: int, filter_values: Mapping[str, Any] | None) -> tuple[int, str]:
    """A charge, and a filter of its as one text; empty for what no filter takes."""
    return charge_id, "" if filter_values is None else canonical_group(filter_values)


def in_force(versions: Sequence[Version], period_end: datetime) -> Version | None:
    """The version that prices a period which ends then, of versions in the order they took effect; None before."""
    effective = [version for version in versions if version.effective_from < period_end]
    return effective[-1] if effective else None


def current(versions: Sequence[Version], now: datetime) -> Version | None:
    """The version that a price has now, of versions in the order they took effect; else the first one to come."""
    effective = [version for version in versions if version.effective_from <= now]
    return effective[-1] if effective else next(iter(versions), None)


def _is_removed(charge: Charge, period_end: datetime) -> bool:
    return charge.deleted_at is not None and charge.deleted_at < period_end


def plan_version_at(plan: Plan, now: datetime) -> PlanVersion | None:
    """What the plan costs now; its versions may be prefetched."""
    return current(sorted(plan.versions.all(), key=lambda each: (each.effective_from, each.number)), now)


def filters_of(version: ChargeVersion) -> list[ChargeFilter]:
    """The version's filters in the order they were made; a filter's key is its place."""
    return [
        ChargeFilter(str(place), {key: tuple(values) for key, values in item["values"].items()})
        for place, item in enumerate(version.filters)
    ]


def split_charge(charge: Charge, version: ChargeVersion) -> Iterable[Price]:
    """The prices of a charge in one version: of each of its filters, and of the rest."""
    allowed = {key: tuple(values) for key, values in charge.metric.filters.items()}
    return (Price(charge, version, bucket) for bucket in buckets_of(filters_of(version), allowed))


def _by_key(versions: Any, key: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for version in versions.order_by("effective_from", "number"):
        found[getattr(version, key)].append(version)
    return found
