"""What a resource's request says: the object under its root key, checked field by field, in Lago's error codes."""

from typing import Any

import msgspec
from django.http import QueryDict
from rest_framework import serializers

from ingest.api.errors import refuse_body, refuse_fields
from ingest.api.parsing import decode_root
from ingest.inputs.fields import InputError, check_input, drop_nulls


def read_input(
    body: bytes,
    *,
    root: str,
    serializer: type[serializers.Serializer],
    is_partial: bool = False,
    **context: Any,
) -> dict[str, Any]:
    """The checked values of the object under a root key; a null counts as absent, unknown keys are skipped.

    `context` is what the serializer wants to know of the row that changes. Raises ApiError: 400 without the root
    key, 422 with a list of codes by field; a nested field goes by its own
    name, as in Lago.
    """
    return _read(serializer(data=read_root(body, root), partial=is_partial, context=context))


def read_query(query: QueryDict, *, serializer: type[serializers.Serializer]) -> dict[str, Any]:
    """The checked values of a query; empty ones count as absent, the last of several counts.

    Raises ApiError as `read_input` does.
    """
    return _read(serializer(data={name: text for name, text in query.items() if text}))


def read_list(body: bytes, *, root: str) -> list[dict[str, Any]]:
    """The objects of the list under a root key without their nulls, unchecked; none where there is no list of any.

    Raises ApiError as `read_root` does.
    """
    raw = decode_root(body).get(root)
    try:
        found: list[dict[str, Any]] = drop_nulls(_LIST.decode(raw) or []) if raw is not None else []
    except msgspec.ValidationError:
        raise refuse_fields({root: ["value_is_invalid"]}) from None
    except RecursionError as error:
        raise refuse_body("JSON is nested too deeply") from error
    return found


def check(given: dict[str, Any], *, serializer: type[serializers.Serializer]) -> dict[str, Any]:
    """The checked values of one object; raises ApiError as `read_input` does."""
    return _read(serializer(data=given))


def read_object(raw: msgspec.Raw, *, root: str, serializer: type[serializers.Serializer]) -> dict[str, Any]:
    """The checked values of a body whose whole object is the value of a root key, with its nulls.

    Raises ApiError 422 as `read_input` does.
    """
    try:
        value = _ANY.decode(raw)
    except msgspec.ValidationError:
        raise refuse_fields({root: ["value_is_invalid"]}) from None
    except RecursionError as error:
        raise refuse_body("JSON is nested too deeply") from error
    return _read(serializer(data={root: value}))


def _read(reader: serializers.Serializer) -> dict[str, Any]:
    try:
        return check_input(reader)
    except InputError as error:
        raise refuse_fields(error.fields) from error


def read_root(body: bytes, root: str) -> dict[str, Any]:
    """The object under a root key without its nulls; fractions stay the text they were sent as.

    Raises ApiError: 400 when it is missing, 422 when it is no object.
    """
    raw = decode_root(body).get(root)
    if raw is None or bytes(raw) == b"null":
        raise refuse_body(f"param is missing or the value is empty or invalid: {root}")
    try:
        found: dict[str, Any] = drop_nulls(_OBJECT.decode(raw))
    except msgspec.ValidationError:
        raise refuse_fields({root: ["value_is_invalid"]}) from None
    except RecursionError as error:
        raise refuse_body("JSON is nested too deeply") from error
    return found


_LIST = msgspec.json.Decoder(list[dict[str, Any]] | None, float_hook=str)
_ANY = msgspec.json.Decoder(Any, float_hook=str)
_OBJECT = msgspec.json.Decoder(dict[str, Any], float_hook=str)
