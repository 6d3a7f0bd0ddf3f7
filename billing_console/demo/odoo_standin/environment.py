"""One call's view of the records: who asks, in which company, at what time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from .errors import AccessError, MissingError
from .fields import DATE_LENGTH, Kind, Record
from .model import Model, Registry
from .store import Store


class Environment:
    """What the functions of the stand-in are given; reading here asks for no rights, the call's edge does."""

    def __init__(
        self, store: Store, registry: Registry, *, user_id: int, now: datetime, context: Mapping[str, Any]
    ) -> None:
        self.store = store
        self.registry = registry
        self.user_id = user_id
        self.context = context
        # Odoo stamps the start of the transaction, with microseconds that it answers without.
        self.now = now.strftime("%Y-%m-%d %H:%M:%S.%f")
        self._moment = now
        self.company_ids = self._choose_companies()

    @property
    def today(self) -> str:
        return self.now[:DATE_LENGTH]

    @property
    def company_id(self) -> int:
        return self.company_ids[0]

    @property
    def currency_id(self) -> int:
        """The currency of the current company."""
        return int(self.get("res.company", self.company_id)["currency_id"])

    def with_context(self, **entries: Any) -> Environment:
        """Return the same view with these entries added to the context."""
        return Environment(
            self.store,
            self.registry,
            user_id=self.user_id,
            now=self._moment,
            context={**self.context, **entries},
        )

    def model(self, name: str) -> Model:
        return self.registry.model(name)

    def get(self, model: str, record_id: int) -> Record:
        """Return a record, or raise MissingError."""
        record = self.store.get(model, record_id)
        if record is None:
            raise MissingError(model, record_id, self.user_id)
        return record

    def browse(self, model: str, ids: Iterable[int]) -> list[Record]:
        """Return the records of the ids, or raise MissingError for the first that does not exist."""
        return [self.get(model, record_id) for record_id in ids]

    def list_existing(self, model: str, ids: Iterable[int]) -> list[Record]:
        """Return the records of the ids that exist."""
        return [record for record_id in ids if (record := self.store.get(model, record_id))]

    def value(self, model: str, record: Record, name: str) -> Any:
        """Return a field's value as it is stored or worked out; ids for a field that leads to many."""
        definition = self.model(model).field(name)
        if definition.compute is not None:
            return definition.compute(self, record)
        if definition.kind is Kind.ONE2MANY:
            return [child["id"] for child in self.children(model, record["id"], name)]
        return record.get(name, definition.empty)

    def children(self, model: str, record_id: int, name: str) -> list[Record]:
        """Return the records of a one2many field, by id."""
        definition = self.model(model).field(name)
        found = self.browse(
            definition.relation, self.store.find_ids(definition.relation, definition.inverse, record_id)
        )
        if definition.only is None:
            return found
        field, wanted = definition.only
        return [record for record in found if record[field] == wanted]

    def related(self, model: str, record_id: int | bool, name: str) -> Any:
        """Return a field of another record; False when there is no such record."""
        record = self.store.get(model, record_id) if record_id else None
        return self.value(model, record, name) if record else False

    def display_name(self, model: str, record_id: int) -> str:
        record = self.store.get(model, record_id)
        return self.model(model).display(self, record) if record else ""

    def is_visible(self, model: str, record: Record) -> bool:
        """Whether the record belongs to no company or to one of those asked for."""
        if "company_id" not in self.model(model).fields:
            return True
        company_id = self.value(model, record, "company_id")
        return not company_id or company_id in self.company_ids

    def update(self, model: str, record_id: int, changes: Record) -> None:
        """Store values worked out by the server; a record that already has them is left alone."""
        record = self.get(model, record_id)
        if any(record.get(name) != value for name, value in changes.items()):
            self.store.put(model, {**record, **changes, "write_date": self.now})

    def insert(self, model: str, values: Record) -> Record:
        """Store a new record with the defaults under these values, asking no rules."""
        record = self.prepare(model, values)
        self.store.put(model, record)
        return record

    def prepare(self, model: str, values: Record) -> Record:
        """Return a new record with its id and the defaults under these values, not stored yet."""
        stored = {
            name: definition for name, definition in self.model(model).fields.items() if definition.is_stored
        }
        defaults = {
            name: definition.default(self) if callable(definition.default) else definition.default
            for name, definition in stored.items()
            if definition.default is not None and name not in values
        }
        return {
            **{name: definition.empty for name, definition in stored.items()},
            **defaults,
            **values,
            "id": self.store.take_id(model),
            "create_date": self.now,
            "write_date": self.now,
        }

    def _choose_companies(self) -> list[int]:
        user = self.store.get("res.users", self.user_id)
        if user is None:  # the server itself, seeding
            return [company["id"] for company in self.store.list_records("res.company")]
        asked = self.context.get("allowed_company_ids")
        if not asked:
            others = [company_id for company_id in user["company_ids"] if company_id != user["company_id"]]
            return [user["company_id"], *others]
        if not set(asked) <= set(user["company_ids"]):
            raise AccessError("Access to unauthorized or invalid companies.")
        return list(asked)
