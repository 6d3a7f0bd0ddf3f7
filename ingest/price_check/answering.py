"""Questions in, figures out: every kind of question, and how figures are written."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ingest.metering.arithmetic import ExactnessError
from ingest.price_check import charges, invoices, metering
from ingest.price_check.errors import PriceCheckError
from ingest.price_check.fields import Fields
from ingest.rating.money import MoneyError

KINDS: Mapping[str, Callable[[Fields], dict[str, Any]]] = MappingProxyType(
    {**charges.KINDS, **metering.KINDS, **invoices.KINDS}
)


def answer(case: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one question under the cases' names; exact decimals as text, counts and cents as numbers.

    Raises PriceCheckError that names the field, for whatever cannot be answered.
    """
    if not isinstance(case, Mapping):
        raise PriceCheckError("invalid_case", "A case must be an object.")
    fields = Fields(case)
    fields.refuse_floats()
    kind = fields.text("kind")
    if kind not in KINDS:
        raise PriceCheckError("unknown_kind", f"kind must be one of {', '.join(sorted(KINDS))}.")
    try:
        figures = KINDS[kind](fields)
    except (ExactnessError, MoneyError, OverflowError) as error:
        raise PriceCheckError(getattr(error, "code", "out_of_range"), str(error)) from error
    written: dict[str, Any] = write(figures)
    return written


def answer_all(document: object) -> dict[str, Any]:
    """The answers of a document `{"cases": [...]}`, or of a list of cases, by their id.

    A case that cannot be answered has `{"error": {"code", "message"}}` in its place, and the others go on. Raises
    PriceCheckError for a document that is none, or a case without an id of its own.
    """
    answers: dict[str, Any] = {}
    for place, case in enumerate(_read_cases(document)):
        key = case.get("id") if isinstance(case, Mapping) else None
        if not isinstance(key, str) or not key or key in answers:
            raise PriceCheckError("invalid_id", f"cases[{place}].id must be a text of its own.")
        try:
            answers[key] = answer(case)
        except PriceCheckError as error:
            answers[key] = {"error": {"code": error.code, "message": str(error)}}
    return answers


def write(figure: Any) -> Any:
    """A figure as JSON has it: a decimal as its plain text, without zeros that say nothing."""
    if isinstance(figure, Decimal):
        text = format(figure, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    if isinstance(figure, Mapping):
        return {key: write(value) for key, value in figure.items()}
    if isinstance(figure, list | tuple):
        return [write(value) for value in figure]
    return figure


def _read_cases(document: object) -> Iterable[Any]:
    cases = document.get("cases") if isinstance(document, Mapping) else document
    if not isinstance(cases, list):
        raise PriceCheckError("invalid_document", 'The document must be {"cases": [...]} or a list of cases.')
    return cases
