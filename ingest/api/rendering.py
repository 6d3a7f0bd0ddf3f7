"""Responses are JSON, whatever the request says it accepts."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JsonRenderer(BaseRenderer):
    """Writes dicts and msgspec structs as UTF-8 JSON."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return msgspec.json.encode(data)


class JsonOnly(BaseContentNegotiation):
    """One parser and one renderer for everything: Lago's clients send and read JSON, headers notwithstanding."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def render_second(moment: datetime) -> str:
    """ISO 8601 UTC in whole seconds, as Lago writes `created_at`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def render_millisecond(moment: datetime) -> str:
    """ISO 8601 UTC, cut to milliseconds, as Lago writes an event's `timestamp`."""
    # msgspec writes a date in a third of the time of isoformat().
    return f"{msgspec.to_builtins(moment)[:19]}.{moment.microsecond // 1000:03}Z"


def render_decimal(number: Decimal | None) -> str | None:
    """A decimal as Rails writes one: no exponent, no zeros at the end but the first after the point."""
    if number is None:
        return None
    text = f"{number:f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text
