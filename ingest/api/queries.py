"""What the query of an address asks for: instants, flags and lists, each in Lago's spelling."""

from datetime import UTC, datetime
from uuid import UUID

from django.http import QueryDict

from ingest.api.errors import refuse_fields

TRUE = frozenset({"true", "1", "t", "yes", "on"})
FALSE = frozenset({"false", "0", "f", "no", "off"})


def read_instant(query: QueryDict, name: str) -> datetime | None:
    """An ISO 8601 date or date with time; without a zone it is in UTC. 422 `invalid_date` for anything else."""
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise refuse_fields({name: ["invalid_date"]}) from None


def read_flag(query: QueryDict, name: str, *, otherwise: bool) -> bool:
    """A boolean as Rails reads one; what is neither is what it is otherwise."""
    text = str(query.get(name, "")).lower()
    return otherwise if text not in TRUE | FALSE else text in TRUE


def read_list(query: QueryDict, name: str) -> list[str]:
    """Every value of `name[]`, or of `name`."""
    return [str(value) for value in (*query.getlist(f"{name}[]"), *query.getlist(name)) if value]


def read_object(query: QueryDict, name: str) -> dict[str, str]:
    """The values of `name[key]` by key."""
    start, end = f"{name}[", "]"
    return {
        key[len(start) : -1]: str(query[key])
        for key in query
        if key.startswith(start) and key.endswith(end) and len(key) > len(start) + 1
    }


def read_id(text: str) -> UUID | None:
    """A `lago_id` of an address; None for a text that can be none's."""
    try:
        return UUID(text)
    except ValueError:
        return None
