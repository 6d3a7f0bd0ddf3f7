"""How figures, times and states read on a page: exact, in tabular numerals, never by colour alone."""

import json
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingest.rating.money import exponent, round_to_currency

NOTHING = "—"
MINUS = "−"
# A prorated amount may have two hundred digits; past these the page says that there are more.
SHOWN_DECIMALS = 12

TONES = {"good", "bad", "warn", "info", "plain"}


def format_decimal(value: Decimal, *, decimals: int = 0) -> str:
    """A number digit for digit, thousands grouped, with at least `decimals` of them after the point."""
    whole, _, fraction = f"{abs(value):,f}".partition(".")
    fraction = fraction.rstrip("0")
    more = "…" if len(fraction) > SHOWN_DECIMALS else ""
    fraction = fraction[:SHOWN_DECIMALS].ljust(decimals, "0")
    text = f"{whole}.{fraction}{more}" if fraction else whole
    return f"{MINUS}{text}" if value < 0 else text


def format_amount(value: Decimal | None, currency: str) -> str:
    """An amount with all its digits and at least those of its currency: 1,204.10."""
    return NOTHING if value is None else format_decimal(value, decimals=exponent(currency))


def format_signed(value: Decimal | None, currency: str) -> str:
    """An amount that says its direction: +5.70, −5.70, 0.00."""
    text = format_amount(value, currency)
    return f"+{text}" if value is not None and value > 0 else text


def say_amount(value: Decimal | None, currency: str, *, is_signed: bool = False) -> str:
    """An amount within a sentence: in whole minor units, without a mark; the exact one stands in a table.

    One that rounds to nothing and is not nothing is "less than 0.01"; a signed one, a difference, is that "apart".
    """
    if value is None:
        return NOTHING
    rounded = round_to_currency(value, currency)
    if value and not rounded:
        least = format_amount(Decimal(1).scaleb(-exponent(currency)), currency)
        return f"less than {least} apart" if is_signed else f"less than {least}"
    return (format_signed if is_signed else format_amount)(rounded, currency)


def format_rounded(value: Decimal | None, currency: str, *, is_signed: bool = False) -> str:
    """An amount in whole minor units, marked with ≈ when that is not all of it."""
    if value is None:
        return NOTHING
    rounded = round_to_currency(value, currency)
    text = (format_signed if is_signed else format_amount)(rounded, currency)
    return text if rounded == value else f"≈ {text}"


def format_share(share: Decimal | None) -> str:
    """A share of one as a signed percentage with two decimals: −0.47 %."""
    if share is None:
        return NOTHING
    percent = (share * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{'+' if percent > 0 else ''}{format_decimal(percent, decimals=2)} %"


def format_percent(share: Decimal) -> str:
    """A share of one as a percentage with all its digits: 0.1 %."""
    return f"{format_decimal(share * 100)} %"


def format_ago(since: datetime | None, now: datetime | None = None) -> str:
    """How long ago something was, in its largest unit: 3 d ago, 5 h ago, just now."""
    if since is None:
        return "never"
    seconds = int(((now or timezone.now()) - since).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def format_instant(instant: datetime | None) -> str:
    """An instant to the minute, in UTC."""
    return NOTHING if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


def name_person(user: User) -> str:
    """A person's full name, else their user name."""
    return user.get_full_name() or user.get_username()


def show_figure(text: str, *, exact: str = "", tone: str = "") -> SafeString:
    """A figure in tabular numerals, its exact value as the tooltip."""
    return format_html('<span class="figure {}" title="{}">{}</span>', tone, exact, text)


def show_amount(value: Decimal | None, currency: str, *, is_signed: bool = False) -> SafeString:
    """An amount for a list: rounded, the exact one behind it."""
    exact = "" if value is None else f"{format_amount(value, currency)} {currency}"
    return show_figure(format_rounded(value, currency, is_signed=is_signed), exact=exact)


def show_quantity(value: Decimal | None) -> SafeString:
    """A quantity with all its digits."""
    return show_figure(NOTHING if value is None else format_decimal(value))


def show_badge(text: str, tone: str, icon: str) -> SafeString:
    """A state as a word with an icon; the tone only repeats what the word says."""
    return format_html(
        '<span class="badge badge-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>'
        "{}</span>",
        tone,
        icon,
        text,
    )


def show_instant(instant: datetime | None) -> SafeString:
    """How long ago, with the instant as the tooltip."""
    return format_html(
        '<span class="nowrap" title="{}">{}</span>', format_instant(instant), format_ago(instant)
    )


def show_json(value: Any) -> SafeString:
    """A document as indented JSON, as it is kept."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html('<pre class="document">{}</pre>', text)
