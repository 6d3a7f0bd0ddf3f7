"""What the connector returns: Odoo's records as frozen values, amounts as decimals, times aware.

`raw` is the record as it came, fit to be stored as JSON; see `values.keep_raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Company:
    """`rounding_method`: tax is rounded per document (round_globally) or per line (round_per_line)."""

    id: int
    name: str
    currency: str
    rounding_method: str


@dataclass(frozen=True, slots=True)
class Partner:
    """`fiscal_position_id` is the one that somebody gave it in the connector's company, not a detected one."""

    id: int
    name: str
    ref: str | None
    email: str | None
    vat: str | None
    country_id: int | None
    country_code: str | None
    state_id: int | None
    state_code: str | None
    parent_id: int | None
    address_type: str
    fiscal_position_id: int | None
    is_active: bool
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Product:
    """`list_price` is in the company's currency, with as many digits as Odoo holds.

    `tax_ids` are its sales taxes before any fiscal position, archived ones and other companies' included.
    `is_recurring` is None on a server without subscriptions.
    """

    id: int
    name: str
    default_code: str | None
    list_price: Decimal
    tax_ids: tuple[int, ...]
    is_recurring: bool | None
    is_active: bool
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pricelist:
    """What sets a document's currency."""

    id: int
    name: str
    currency: str
    company_id: int | None
    is_active: bool
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecurringPlan:
    """How often Odoo bills a subscription: `every` so many of `unit` (week, month, year)."""

    id: int
    name: str
    every: int
    unit: str
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax: `amount` is a percentage unless `amount_type` says otherwise; a group's are its children's.

    `original_ids` are the taxes that it stands in for under the fiscal positions that hold it.
    """

    id: int
    name: str
    amount: Decimal
    amount_type: str
    is_price_included: bool
    affects_base: bool
    use: str
    company_id: int
    child_ids: tuple[int, ...]
    original_ids: tuple[int, ...]
    is_active: bool
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class FiscalPosition:
    """Which taxes stand in for a product's own; without any, it takes all of them away.

    An automatic one is detected by country and province, the lowest sequence first; a conditional one asks
    for more than these: a VAT number, a group of countries, a range of postal codes.
    """

    id: int
    name: str
    sequence: int
    is_automatic: bool
    is_conditional: bool
    country_id: int | None
    state_ids: tuple[int, ...]
    tax_ids: tuple[int, ...]
    company_id: int
    is_active: bool
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class SubscriptionOrder:
    """An order that Odoo bills by itself; without subscriptions on the server it has no plan and dates."""

    id: int
    name: str
    state: str
    partner_id: int
    pricelist_id: int | None
    currency: str
    client_order_ref: str | None
    plan: tuple[int, str] | None
    subscription_state: str | None
    start_date: date | None
    next_invoice_date: date | None
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of a subscription order, in its currency; `untaxed_to_invoice` is what Odoo would bill today.

    Quantities and the unit price have the digits that Odoo holds. `external_id` is "" where it has none.
    """

    id: int
    order_id: int
    product_id: int | None
    name: str
    quantity: Decimal
    delivered: Decimal
    invoiced: Decimal
    to_invoice: Decimal
    price_unit: Decimal
    untaxed: Decimal
    total: Decimal
    untaxed_to_invoice: Decimal
    tax_ids: tuple[int, ...]
    external_id: str
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Invoice:
    """A customer invoice or credit note, draft, posted or cancelled; a credit note's amounts are negative.

    Trust the amounts of the header: a line of a posted invoice can be edited without them following.
    """

    id: int
    name: str | None
    ref: str | None
    state: str
    move_type: str
    partner_id: int
    origin: str | None
    currency: str
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    payment_state: str
    invoice_date: date | None
    due_date: date | None
    reversed_id: int | None
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line that an invoice bills, or one of its taxes (`display_type`), as Odoo shows it.

    So `untaxed` is positive on a credit note too; `balance`, in the company's currency, is negative for what an
    invoice earns. The deferred dates, the last one inclusive, are Odoo Enterprise's.
    """

    id: int
    move_id: int
    display_type: str
    product_id: int | None
    name: str | None
    quantity: Decimal
    price_unit: Decimal
    untaxed: Decimal
    total: Decimal
    balance: Decimal
    tax_ids: tuple[int, ...]
    sale_line_ids: tuple[int, ...]
    deferred_from: date | None
    deferred_to: date | None
    external_id: str
    write_date: datetime
    raw: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class QuotationLine:
    """`external_key` is the draft's line key, None for a line that somebody else put there."""

    external_key: str | None
    id: int
    product_id: int | None
    name: str
    quantity: Decimal
    price_unit: Decimal
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    tax_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quotation:
    """A shadow quotation as Odoo holds it; `external_key` is its draft's key."""

    external_key: str
    id: int
    name: str
    state: str
    partner_id: int
    currency: str
    company_id: int
    pricelist_id: int | None
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    lines: tuple[QuotationLine, ...]
    write_date: datetime
    raw: Raw = field(repr=False)
