"""The filters of a charge by themselves: each is known by its values, within its charge (Lago: charge filters)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from ingest.errors import DomainError
from ingest.models import Charge
from ingest.plan_charges import ChargeRequest, find_terms
from ingest.single_charges import change_charge

Values = Mapping[str, Sequence[str]]
Filter = Mapping[str, Any]


def filter_id(charge: Charge, values: Values) -> UUID:
    """The id of the filter that takes these values: it stays through every change of its price."""
    named = {key: sorted(texts) for key, texts in values.items()}
    return uuid5(charge.public_id, json.dumps(named, sort_keys=True))


@transaction.atomic
def add_filter(*, charge: Charge, item: Filter, rule: str) -> UUID:
    """One more filter of a charge, and its id; audited.

    Refuses `filter_exists` for values that one has already, and as `change_charge` does.
    """
    filters: Sequence[Filter] = find_terms(charge).filters
    public_id = filter_id(charge, item["values"])
    if any(filter_id(charge, each["values"]) == public_id for each in filters):
        raise DomainError("filter_exists", "The charge has a filter of these values.")
    _replace(charge, [*filters, item], rule)
    return public_id


@transaction.atomic
def change_filter(*, charge: Charge, public_id: UUID, given: Filter, rule: str) -> None:
    """Changes the name and the price of a filter, audited. Refuses `unknown_filter`, and as `change_charge` does."""
    filters = _find(charge, public_id)
    _replace(charge, [{**each, **given} if is_it else each for each, is_it in filters], rule)


@transaction.atomic
def remove_filter(*, charge: Charge, public_id: UUID, rule: str) -> None:
    """Takes a filter away: from now on its events cost what the rest does. Audited; refuses `unknown_filter`."""
    _replace(charge, [each for each, is_it in _find(charge, public_id) if not is_it], rule)


def _find(charge: Charge, public_id: UUID) -> list[tuple[Filter, bool]]:
    """The charge's filters, each with whether it is the one that is meant."""
    filters: Sequence[Filter] = find_terms(charge).filters
    found = [(each, filter_id(charge, each["values"]) == public_id) for each in filters]
    if not any(is_it for _, is_it in found):
        raise DomainError("unknown_filter", "The charge has no such filter.")
    return found


def _replace(charge: Charge, filters: Sequence[Filter], rule: str) -> None:
    change_charge(charge=charge, request=ChargeRequest(filters=filters), rule=rule)
