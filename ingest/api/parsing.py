"""Request bodies, as bytes: Lago's clients mean JSON whatever their content type says."""

import json
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest

from ingest.api.errors import refuse_body


def read_body(request: WSGIRequest) -> bytes:
    """The whole body; one over DATA_UPLOAD_MAX_MEMORY_SIZE raises RequestDataTooBig and is not kept.

    Raises ApiError 400 for one that is compressed: what it unpacks to has no bound.
    """
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise refuse_body("the body is compressed; send it as it is")
    if "HTTP_TRANSFER_ENCODING" not in request.META or not request.environ.get("wsgi.input_terminated"):
        return request.body
    # Django takes a body whose length is not declared for an empty one.
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = request.environ["wsgi.input"].read(limit + 1)
    if len(body) > limit:
        raise RequestDataTooBig
    return body


def decode_root(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of the body's object, not yet decoded.

    Raises ApiError: 400 for what is no JSON object, is deeper than a thousand levels, or says one thing twice: which
    of two values was meant nobody can tell, and what is answered would not be what is stored.
    """
    try:
        text = body.decode()  # raw members are copied through as they are: they must be UTF-8
        members = _ROOT.decode(body)
        _find_doubled(text)
        return members
    except DoubledNameError as error:
        raise refuse_body(f"the name {error} is there twice") from error
    except msgspec.ValidationError as error:
        raise refuse_body("the body is not a JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refuse_body(str(error)) from error
    except RecursionError as error:
        raise refuse_body("JSON is nested too deeply") from error


class DoubledNameError(ValueError):
    """An object has two members of this name."""


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            raise DoubledNameError(repr(name[:50]))
        seen.add(name)


# Looks at names alone: numbers are not made, and no object is kept.
_find_doubled = json.JSONDecoder(
    object_pairs_hook=_refuse_doubled, parse_float=len, parse_int=len, parse_constant=len
).decode
_ROOT = msgspec.json.Decoder(dict[str, msgspec.Raw])
