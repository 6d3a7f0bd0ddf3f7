"""Stripe's integers as amounts: minor units by Stripe's own rules, which are not those of ISO 4217.

Source: https://docs.stripe.com/currencies, sections Zero-decimal, Three-decimal and Special cases. Told as two
decimals although they have none: ISK and UGX. HUF and TWD are without decimals in payouts alone; charges have two.
MGA has none at Stripe and two by ISO 4217.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from reconciliation.connectors.stripe.records import BillError

_WITHOUT_DECIMALS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_WITH_THREE = "BHD JOD KWD OMR TND"


def read_currency(value: Any) -> str:
    """The code in capitals; Stripe writes it in small letters. Raises BillError for what is no currency."""
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]{3}", value):
        raise BillError("unknown_currency", f"{str(value)[:20]!r} is no ISO 4217 currency.")
    return value.upper()


def count_decimals(currency: str) -> int:
    """How many of an amount's digits are behind the point."""
    if currency in _WITHOUT_DECIMALS.split():
        return 0
    return 3 if currency in _WITH_THREE.split() else 2


def read_amount(value: Any, currency: str, where: str) -> Decimal:
    """An integer of minor units as the amount; raises BillError for anything else: nothing is guessed."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise BillError("no_amount", f"{where} is {str(value)[:40]!r}, not a whole number of minor units.")
    return Decimal(value).scaleb(-count_decimals(currency))


def read_unit_price(value: Any, currency: str) -> Decimal | None:
    """A price in minor units with decimals, which Stripe gives as text; None where there is none."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?", value):
        return None
    return Decimal(value).scaleb(-count_decimals(currency))
