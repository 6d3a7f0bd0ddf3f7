"""What a resource's request says: the object under its root key, checked field by field, in Lago's error codes."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ingest.api.errors import FieldErrors, refuse_body, refuse_fields
from ingest.api.parsing import decode_root

MAX_LENGTH = 255

# Lago's word for what the serializers find; what is not named here is `value_is_invalid` (Lago: errors).
CODES: Mapping[str, str] = {
    **dict.fromkeys(("required", "null", "blank", "empty"), "value_is_mandatory"),
    **dict.fromkeys(("max_length", "max_string_length"), "value_is_too_long"),
    **dict.fromkeys(
        ("min_value", "max_value", "max_digits", "max_whole_digits", "max_decimal_places"),
        "value_is_out_of_range",
    ),
}
# Codes that a field raises itself and that leave as they are.
VOCABULARY = frozenset(
    {
        "value_is_mandatory",
        "value_already_exist",
        "value_is_invalid",
        "value_is_out_of_range",
        "value_is_too_long",
        "value_is_not_valid_number",
        "invalid_count",
        "invalid_count_per_integration_type",
        "invalid_format",
        "invalid_date",
        "invalid_amount",
        "invalid_rate",
        "invalid_timezone",
        "not_a_valid_country_code",
        "not_a_valid_language_code",
        "invalid_email_format",
        "url_is_invalid",
        "invalid_expression",
        "invalid_event",
        "not_compatible_with_aggregation_type",
        "exceeded_limit",
        "feature_unavailable",
    }
)


class TextField(serializers.CharField):
    """Text as it was sent, of up to 255 characters; blanks alone are no text, a number becomes its text."""

    def __init__(self, *, max_length: int = MAX_LENGTH, **options: Any) -> None:
        super().__init__(max_length=max_length, trim_whitespace=False, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """As a CharField, where a text of blanks counts as blank."""
        if isinstance(data, str) and data.isspace() and not self.allow_blank:
            self.fail("blank")
        return super().run_validation(data)


def refuse_value(code: str) -> ValidationError:
    """What a field or a serializer raises to say one of Lago's codes."""
    return ValidationError(code, code=code)


def refuse_values(codes: Mapping[str, str]) -> ValidationError:
    """As `refuse_value`, for several fields at once."""
    return ValidationError({field: [ErrorDetail(code, code=code)] for field, code in codes.items()})


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


def _read(reader: serializers.Serializer) -> dict[str, Any]:
    if not reader.is_valid():
        raise refuse_fields(_translate(reader.errors))
    values: dict[str, Any] = reader.validated_data
    return values


def read_root(body: bytes, root: str) -> dict[str, Any]:
    """The object under a root key without its nulls; fractions stay the text they were sent as.

    Raises ApiError: 400 when it is missing, 422 when it is no object.
    """
    raw = decode_root(body).get(root)
    if raw is None or bytes(raw) == b"null":
        raise refuse_body(f"param is missing or the value is empty or invalid: {root}")
    try:
        found: dict[str, Any] = _drop_nulls(_OBJECT.decode(raw))
    except msgspec.ValidationError:
        raise refuse_fields({root: ["value_is_invalid"]}) from None
    except RecursionError as error:
        raise refuse_body("JSON is nested too deeply") from error
    return found


def _drop_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _drop_nulls(member) for name, member in value.items() if member is not None}
    return [_drop_nulls(member) for member in value] if isinstance(value, list) else value


def _translate(errors: Any) -> FieldErrors:
    found: FieldErrors = {}
    for field, detail in _walk(errors, "base"):
        said = detail.code or ""
        code = said if said in VOCABULARY else CODES.get(said, "value_is_invalid")
        if code not in found.setdefault(field, []):
            found[field].append(code)
    return found


def _walk(errors: Any, field: str) -> Iterator[tuple[str, ErrorDetail]]:
    """Every error with the name of the field nearest to it; indexes and what concerns a whole object have none."""
    if isinstance(errors, ErrorDetail):
        yield field, errors
    elif isinstance(errors, Mapping):
        for name, member in errors.items():
            is_name = isinstance(name, str) and name != "non_field_errors"
            yield from _walk(member, name if is_name else field)
    else:
        for member in errors:
            yield from _walk(member, field)


_OBJECT = msgspec.json.Decoder(dict[str, Any], float_hook=str)
