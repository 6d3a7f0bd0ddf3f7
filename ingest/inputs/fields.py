"""Fields and refusals of what is said in Lago's shapes: each value checked, each error one of Lago's codes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ingest.errors import DomainError

MAX_LENGTH = 255

# The names and indexes that lead to a value.
Path = tuple[str | int, ...]

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
        "feature_not_available",
        "invalid_type",
        "too_many_thresholds",
        "duplicate_threshold_values",
        "recurring_value_is_negative",
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


class InputError(DomainError):
    """What cannot be taken as it was said: `places` are its errors, each by its path, with Lago's code."""

    def __init__(self, places: Sequence[tuple[Path, str]]) -> None:
        said = ", ".join(f"{show_path(path)} ({code})" for path, code in places)
        super().__init__("invalid_input", f"This cannot be taken: {said}.")
        self.places = places

    @property
    def fields(self) -> dict[str, list[str]]:
        """The codes by the name of the field nearest to each; what concerns the whole is `base` (Lago: errors)."""
        found: dict[str, list[str]] = {}
        for path, code in self.places:
            codes = found.setdefault(
                next((name for name in reversed(path) if isinstance(name, str)), "base"), []
            )
            if code not in codes:
                codes.append(code)
        return found


def check_input(reader: serializers.Serializer) -> dict[str, Any]:
    """The values that a serializer was given, checked; raises InputError with every error."""
    if not reader.is_valid():
        raise InputError([(path, _code_of(detail)) for path, detail in _walk(reader.errors, ())])
    values: dict[str, Any] = reader.validated_data
    return values


def drop_nulls(value: Any) -> Any:
    """A JSON value whose objects have no nulls: with Lago's clients null counts as absent."""
    if isinstance(value, dict):
        return {name: drop_nulls(member) for name, member in value.items() if member is not None}
    return [drop_nulls(member) for member in value] if isinstance(value, list) else value


def show_path(path: Path) -> str:
    """A path as a person reads it, such as `charges[2].properties`, counted from zero as its writer counts."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return shown.lstrip(".") or "it"


def _code_of(detail: ErrorDetail) -> str:
    said = detail.code or ""
    return said if said in VOCABULARY else CODES.get(said, "value_is_invalid")


def _walk(errors: Any, path: Path) -> Iterator[tuple[Path, ErrorDetail]]:
    """Every error with its path; what concerns a whole object has that object's."""
    if isinstance(errors, ErrorDetail):
        yield path, errors
    elif isinstance(errors, Mapping):
        for name, member in errors.items():
            yield from _walk(member, path if name == "non_field_errors" else (*path, name))
    else:
        for place, member in enumerate(errors):
            yield from _walk(member, path if isinstance(member, ErrorDetail) else (*path, place))
