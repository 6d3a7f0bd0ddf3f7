"""Request bodies reach the views as bytes; each view decodes what it expects."""

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.parsers import BaseParser


class RawBodyParser(BaseParser):
    """The whole body, whatever its content type says: Lago's clients always mean JSON."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        assert isinstance(stream, HttpRequest)
        return stream.body
