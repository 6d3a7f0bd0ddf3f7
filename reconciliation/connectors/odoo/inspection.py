"""Inspecting a connection: the table of checks, made in turn. None of them writes.

A check is one small function in `checks`, and one entry here: it says what it found, or raises what Odoo answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo import checks, money_checks
from reconciliation.connectors.odoo.checks import Expected, Finding, Level
from reconciliation.connectors.odoo.client import OdooClient

Examine = Callable[[OdooClient, Expected], Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of an inspection; without an `is_vital` one the rest cannot be asked."""

    code: str
    title: str
    examine: Examine
    is_vital: bool = False


CHECKS: Sequence[Check] = (
    Check("encryption", "Encryption", checks.examine_encryption),
    Check("version", "Server", checks.examine_version, is_vital=True),
    Check("login", "Login", checks.examine_login, is_vital=True),
    Check("company", "Company", checks.examine_company, is_vital=True),
    Check("rights", "Rights", checks.examine_rights),
    Check("external_ids", "External ids", checks.examine_external_ids),
    Check("fields", "Models and fields", checks.examine_fields),
    Check("subscriptions", "Subscriptions", checks.examine_subscriptions),
    Check("fusion", "The optional billing module", checks.examine_fusion),
    Check("precision", "Decimal precision", money_checks.examine_precision),
    Check("rounding", "Rounding of taxes", money_checks.examine_rounding),
    Check("taxes", "Taxes and fiscal positions", money_checks.examine_taxes),
    Check("currencies", "Currencies and pricelists", money_checks.examine_currencies),
    Check("usage_products", "Products that usage bills as", money_checks.examine_usage_products),
    Check("plan_products", "Products that plans bill as", money_checks.examine_plan_products),
    Check("stripe", "The payment provider", money_checks.examine_stripe),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What one check came to."""

    code: str
    title: str
    level: Level
    message: str
    advice: str


def inspect(client: OdooClient, expected: Expected) -> Iterator[Line]:
    """A line for each check in turn; after a vital one has failed the others are told as not made."""
    is_stopped = False
    for check in CHECKS:
        if is_stopped:
            yield Line(check.code, check.title, Level.SKIPPED, "Not checked.", "")
            continue
        finding = _examine(check, client, expected)
        is_stopped = finding.level is Level.FAILED and (check.is_vital or finding.is_final)
        yield Line(check.code, check.title, finding.level, finding.message, finding.advice)


def _examine(check: Check, client: OdooClient, expected: Expected) -> Finding:
    try:
        return check.examine(client, expected)
    except ConnectorError as error:
        return checks.explain(error)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        # An answer of another shape than the recorded ones: a line of the report, not the end of it.
        return checks.fail(
            f"Odoo answered in a way that is not understood ({type(error).__name__}).",
            "Tell the console's developers, with the server's version.",
        )
