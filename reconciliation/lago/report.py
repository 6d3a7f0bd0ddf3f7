"""What an import from Lago did, or would do, row by row; what did not come has a reason that a person can act on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ingest.errors import DomainError
from ingest.inputs.fields import InputError, show_path


class Done(StrEnum):
    """What became of a row."""

    CREATED = "created"
    CHANGED = "changed"
    LEFT = "left"
    SKIPPED = "skipped"
    GONE = "gone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of Lago's objects: where it stood, what it is called, what became of it and why."""

    collection: str
    place: str
    name: str
    done: Done
    reason: str = ""


@dataclass
class Report:
    """Every outcome in order, and the lists that could not be read."""

    outcomes: list[Outcome] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def count(self, collection: str) -> Counter[Done]:
        """How many of a collection became what."""
        return Counter(each.done for each in self.outcomes if each.collection == collection)

    @property
    def is_complete(self) -> bool:
        """Whether everything came that was to come."""
        return not any(each.done is Done.REFUSED for each in self.outcomes)


# What a person can do about a code; the sentence of the refusal itself stands before it.
ADVICE: Mapping[str, str] = {
    "feature_unavailable": "the console does not bill by it; take it off in Lago, or bill it in Odoo",
    "value_is_mandatory": "give it a value in Lago",
    "value_is_too_long": "shorten it in Lago",
    "value_is_out_of_range": "no such value can be kept; change it in Lago",
    "overlapping_filters": "one event would be billed twice; part the filters' values in Lago",
    "plan_in_use": "subscriptions here run on it as it was; make a new plan in Lago instead",
    "not_a_valid_country_code": "correct it in Lago",
    "invalid_email_format": "correct it in Lago",
    "invalid_timezone": "correct it in Lago",
    "invalid_expression": "the console does not know this expression; compute the value before the event is sent",
    "currencies_differ": "give the customer's subscriptions plans of one currency",
    "code_is_taken": "another one has this code here; rename one of them",
    "periods_are_billed": "end it here and begin it anew, or leave it as it is",
    "start_is_taken": "another subscription of this external id ran here then; end that one first",
    "external_id_is_taken": "another customer has a subscription of this external id here",
    "exceeded_limit": "take away what is not needed",
    "invalid_properties": "correct the price in Lago, or make the plan here by hand",
}


def explain(error: DomainError) -> str:
    """A refusal as one line: where, what, and what to do about it."""
    if isinstance(error, InputError):
        said = "; ".join(f"{show_path(path)}: {code}" for path, code in error.places)
        return _advise(said, [code for _, code in error.places])
    fields = getattr(error, "fields", {})
    codes = [error.code, *(code for code in fields.values() if isinstance(code, str))]
    return _advise(error.message.rstrip("."), codes)


def _advise(said: str, codes: Iterable[str]) -> str:
    advice: Sequence[str] = list(dict.fromkeys(ADVICE[code] for code in codes if code in ADVICE))
    return f"{said} – {'; '.join(advice)}" if advice else said
