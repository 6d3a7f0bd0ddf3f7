"""Which percentages a customer pays on a product, as Odoo's taxes and fiscal positions say.

Nothing is assumed: what a mirror does not tell is not comparable, and says why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from ingest.rating.taxes import TaxRate


class Obstacle(StrEnum):
    """Why no tax can be expected."""

    NO_COUNTRY = "no_country"
    NO_PROVINCE = "no_province"
    DELIVERY_ADDRESS = "delivery_address"
    UNCLEAR_POSITION = "unclear_position"
    UNMAPPED = "unmapped"
    NOT_MIRRORED = "not_mirrored"
    NOT_PERCENT = "not_percent"
    INCLUDED = "included"
    COMPOUND = "compound"


@dataclass(frozen=True, slots=True)
class NotComparable:
    """No tax can be expected; the reason is a sentence for finance."""

    obstacle: Obstacle
    reason: str


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax of Odoo's: a percentage of the price without tax, unless `kind` or `is_included` say otherwise."""

    id: int
    name: str
    percent: Decimal
    kind: str = "percent"
    is_included: bool = False
    affects_base: bool = False
    is_active: bool = True
    child_ids: tuple[int, ...] = ()
    original_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FiscalPosition:
    """Which taxes stand in for a product's own; `is_conditional` when it asks for more than a place."""

    id: int
    name: str
    tax_ids: tuple[int, ...] = ()
    country_id: int | None = None
    state_ids: tuple[int, ...] = ()
    sequence: int = 0
    is_automatic: bool = True
    is_conditional: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a partner is taxed: the fiscal position that somebody gave it, or country and province."""

    position_id: int | None = None
    country_id: int | None = None
    state_id: int | None = None
    has_delivery_address: bool = False


@dataclass(frozen=True, slots=True)
class TaxChart:
    """The taxes of one company by id, and its fiscal positions."""

    taxes: Mapping[int, Tax]
    positions: Sequence[FiscalPosition]


@dataclass(frozen=True, slots=True)
class Rate:
    """One percentage that a customer pays on a product, and the tax that it is."""

    tax_id: int
    name: str
    percent: Decimal

    @property
    def tax_rate(self) -> TaxRate:
        """The rate as the rating room adds taxes up: two taxes of one percentage stay two."""
        return TaxRate(str(self.tax_id), self.percent)


Rates = tuple[Rate, ...]


def find_rates(*, tax_ids: Iterable[int], place: Place, chart: TaxChart) -> Rates | NotComparable:
    """The percentages on a product whose own taxes are `tax_ids`, for a customer at a place.

    Odoo 19: a position replaces a product's tax by those of its taxes that name it as their original, keeps
    any other, and takes all away when it has no taxes itself. Beyond Odoo, a tax above zero that a position
    neither replaces nor holds is not comparable: nobody decided what the customer pays there.
    """
    position = find_position(place, chart)
    if isinstance(position, NotComparable):
        return position
    own = [tax_id for tax_id in tax_ids if tax_id not in chart.taxes or chart.taxes[tax_id].is_active]
    charged = own if position is None else _replace(own, position, chart)
    if isinstance(charged, NotComparable):
        return charged
    return _read_rates(charged, chart)


def find_position(place: Place, chart: TaxChart) -> FiscalPosition | NotComparable | None:
    """The position of a place; None where Odoo leaves a product's own taxes alone.

    Odoo: the one that a partner was given, else the first automatic one by sequence whose country and
    provinces fit. Beyond Odoo: no country is not comparable, nor is a country without a province where
    positions are by province. Odoo would fall back to some other tax there, which is a guess.
    """
    if place.position_id is not None:
        return _find_given(place.position_id, chart)
    if place.country_id is None:
        return NotComparable(Obstacle.NO_COUNTRY, "The partner has no country in Odoo.")
    if place.has_delivery_address:
        return NotComparable(
            Obstacle.DELIVERY_ADDRESS,
            "The partner has a delivery address of its own, which decides its taxes.",
        )
    automatic = sorted(
        (position for position in chart.positions if position.is_automatic),
        key=lambda position: (position.sequence, position.id),
    )
    by_province = any(each.state_ids and each.country_id == place.country_id for each in automatic)
    if by_province and place.state_id is None:
        return NotComparable(Obstacle.NO_PROVINCE, "The partner has no province in Odoo.")
    found = next((position for position in automatic if _is_at(position, place)), None)
    if found and found.is_conditional:
        return NotComparable(
            Obstacle.UNCLEAR_POSITION,
            f"The fiscal position “{found.name}” asks for more than a country and a province.",
        )
    return found


def _find_given(position_id: int, chart: TaxChart) -> FiscalPosition | NotComparable:
    given = next((position for position in chart.positions if position.id == position_id), None)
    return given or NotComparable(
        Obstacle.NOT_MIRRORED, "The partner's fiscal position is not in the mirror: synchronise Odoo."
    )


def _is_at(position: FiscalPosition, place: Place) -> bool:
    return position.country_id in (None, place.country_id) and (
        not position.state_ids or place.state_id in position.state_ids
    )


def _replace(own: Sequence[int], position: FiscalPosition, chart: TaxChart) -> Sequence[int] | NotComparable:
    if not position.tax_ids:
        return ()
    charged: list[int] = []
    for tax_id in own:
        others = [
            other
            for other in position.tax_ids
            if other in chart.taxes and tax_id in chart.taxes[other].original_ids
        ]
        tax = chart.taxes.get(tax_id)
        if not others and tax and tax_id not in position.tax_ids and not _is_zero(tax):
            return NotComparable(
                Obstacle.UNMAPPED, f"The fiscal position “{position.name}” says nothing of “{tax.name}”."
            )
        charged += others or [tax_id]
    return list(dict.fromkeys(charged))


def _is_zero(tax: Tax) -> bool:
    """Zero-rated stays so everywhere, and no chart of accounts maps it."""
    return tax.kind == "percent" and not tax.percent


def _read_rates(tax_ids: Sequence[int], chart: TaxChart) -> Rates | NotComparable:
    ids = dict.fromkeys(each for tax_id in tax_ids for each in _ungroup(tax_id, chart))
    if not ids.keys() <= chart.taxes.keys():
        return NotComparable(
            Obstacle.NOT_MIRRORED, "A tax of the product is not in the mirror: synchronise Odoo."
        )
    taxes = [chart.taxes[tax_id] for tax_id in ids]
    obstacles = (_find_obstacle(tax, is_alone=len(taxes) == 1) for tax in taxes)
    first = next((obstacle for obstacle in obstacles if obstacle), None)
    return first or tuple(Rate(tax.id, tax.name, tax.percent) for tax in taxes)


def _ungroup(tax_id: int, chart: TaxChart) -> tuple[int, ...]:
    """A group is charged as its children are, in its place: Quebec's GST and QST are one tax of a product."""
    tax = chart.taxes.get(tax_id)
    return tax.child_ids if tax and tax.kind == "group" and tax.child_ids else (tax_id,)


def _find_obstacle(tax: Tax, *, is_alone: bool) -> NotComparable | None:
    if tax.kind != "percent":
        return NotComparable(Obstacle.NOT_PERCENT, f"“{tax.name}” is not a percentage of the price.")
    if tax.is_included:
        return NotComparable(Obstacle.INCLUDED, f"“{tax.name}” is included in the price.")
    if tax.affects_base and not is_alone:
        return NotComparable(Obstacle.COMPOUND, f"“{tax.name}” is itself taxed by the taxes after it.")
    return None
