"""Whom a file's line is of: its customer's id, or an id of its subscription or in Stripe that the console knows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from ingest.models import Service
from reconciliation.connectors.files.records import ExternalLine, RowError


class Identities:
    """The customers of one service by the other ids that a file may tell; read when one does."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def identify(self, line: ExternalLine) -> ExternalLine | RowError:
        """The line with its customer's id, or why nobody can tell whose it is: there is no customer to make of it."""
        if line.customer:
            return line
        name, value, known = (
            ("subscription", line.subscription, self._of_subscriptions)
            if line.subscription
            else ("Stripe customer", line.stripe_customer, self._of_stripe)
        )
        customers = known.get(value, frozenset())
        if len(customers) == 1:
            return replace(line, customer=next(iter(customers)))
        code = name.replace(" ", "_").lower()
        if customers:
            message = f"the {name} {value!r} is of several customers"
            return RowError(line.row, _column_of(line, value), f"ambiguous_{code}", message)
        message = f"the console knows no {name} {value!r}"
        return RowError(line.row, _column_of(line, value), f"unknown_{code}", message)

    @cached_property
    def _of_subscriptions(self) -> Mapping[str, frozenset[str]]:
        rows = self._service.subscriptions.values_list("external_id", "customer__external_id")
        return _group(rows.distinct())

    @cached_property
    def _of_stripe(self) -> Mapping[str, frozenset[str]]:
        rows = self._service.customers.exclude(stripe_customer_id="")
        return _group(rows.values_list("stripe_customer_id", "external_id"))


def _group(pairs: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for name, customer in pairs:
        groups[name].add(customer)
    return {name: frozenset(customers) for name, customers in groups.items()}


def _column_of(line: ExternalLine, value: str) -> str:
    return next((column for column, text in line.raw.items() if text.strip() == value), "")
