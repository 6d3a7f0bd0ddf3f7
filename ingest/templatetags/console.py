"""Template filters and tags for figures, times and states; the words are `ingest.screens.formatting`'s."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.utils.safestring import SafeString

from ingest.screens import formatting

register = template.Library()


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """An amount, digit for digit."""
    return formatting.format_amount(value, currency)


@register.filter
def signed(value: Decimal | None, currency: str) -> str:
    """An amount that says its direction, digit for digit."""
    return formatting.format_signed(value, currency)


@register.filter
def rounded(value: Decimal | None, currency: str) -> SafeString:
    """An amount in whole minor units, the exact one as its tooltip."""
    return formatting.show_amount(value, currency)


@register.filter
def rounded_signed(value: Decimal | None, currency: str) -> SafeString:
    """The same, saying its direction."""
    return formatting.show_amount(value, currency, is_signed=True)


@register.filter
def number(value: Decimal | int | str | None) -> str:
    """A quantity or a count, thousands grouped; what a row does not have is a dash."""
    return formatting.NOTHING if value in (None, "") else formatting.format_decimal(Decimal(value))


@register.filter
def share(value: Decimal | None) -> str:
    """A share of one as a signed percentage."""
    return formatting.format_share(value)


@register.filter
def percent(value: Decimal) -> str:
    """A share of one as a percentage, digit for digit."""
    return formatting.format_percent(value)


@register.filter
def ago(since: datetime | None) -> SafeString:
    """How long ago, the instant as its tooltip."""
    return formatting.show_instant(since)


@register.filter
def instant(value: datetime | None) -> str:
    """An instant to the minute, in UTC."""
    return formatting.format_instant(value)


@register.filter
def person(user: User) -> str:
    """A person's name."""
    return formatting.name_person(user)


@register.filter
def words(name: str) -> str:
    """A field's name as words."""
    return name.replace("_", " ")


@register.filter
def document(value: Any) -> SafeString:
    """A document as indented JSON."""
    return formatting.show_json(value)


@register.simple_tag
def badge(text: str, tone: str = "plain", icon: str = "circle") -> SafeString:
    """A state as a word with an icon."""
    return formatting.show_badge(text, tone, icon)
