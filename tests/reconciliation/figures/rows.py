"""Rows of reconciliations for the figures: what both sides say, in September 2026 unless told otherwise."""

from datetime import UTC, datetime
from decimal import Decimal

from reconciliation.figures.selection import select
from tests import factories


def make_row(odoo, external, **values):
    """A row with these amounts as text, None for a side that is missing."""
    amounts = [None if amount is None else Decimal(amount) for amount in (odoo, external)]
    return factories.ReconciliationFactory(odoo_untaxed=amounts[0], external_untaxed=amounts[1], **values)


def choose(period="2026-09", service=""):
    """The selection of a period, of all services unless one is named."""
    return select(service_code=service, period_label=period)


def month(number):
    """The first instant of a month of 2026."""
    return datetime(2026, number, 1, tzinfo=UTC)
