"""The Odoo connector as the rest of the console sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Self

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo import (
    corrections,
    inspection,
    kinds,
    mirror,
    order_lines,
    payments,
    quotation,
    readback,
)
from reconciliation.connectors.odoo.checks import Expected
from reconciliation.connectors.odoo.classification import SYSTEM
from reconciliation.connectors.odoo.client import OdooClient
from reconciliation.connectors.odoo.corrections import Correction, CorrectionDraft
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.guard import BillerReader, GuardedTransport
from reconciliation.connectors.odoo.inspection import Line
from reconciliation.connectors.odoo.kinds import Kind, Page, T
from reconciliation.connectors.odoo.live_guard import AskBiller
from reconciliation.connectors.odoo.order_drafts import OrderDraft
from reconciliation.connectors.odoo.order_lines import OrderUsage
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.connectors.odoo.records import Company, Quotation
from reconciliation.connectors.odoo.selection import make_transport
from reconciliation.connectors.odoo.transport import Transport, TransportKind


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection check found: the server's version, who we are there, the company that we write to."""

    version: str
    login: str
    company: Company


class OdooConnector:
    """One company of one Odoo. Every method raises `ConnectorError`, and nothing gets past the write guard.

    Readers are generators: they call Odoo page by page as they are consumed.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        company_id: int,
        language: str = "en_US",
        read_billers: BillerReader | None = None,
    ) -> None:
        """Any transport, put behind the guard here: there is no way to have the connector without it."""
        guarded = GuardedTransport(transport, read_billers)
        self._client = OdooClient(guarded, company_id=company_id, language=language)

    @classmethod
    def connect(
        cls,
        *,
        url: str,
        database: str,
        login: str,
        api_key: str,
        company_id: int,
        read_billers: BillerReader,
        language: str = "en_US",
        timeout: float = 60.0,
        transport: str = "auto",
        ca_file: str = "",
    ) -> Self:
        """A connector; nothing is sent before the first call. `timeout` is in seconds.

        The guard asks `read_billers` before each write of lines. `transport` is a `TransportKind`, `ca_file`
        names certificates that are trusted beside the system's own.
        """
        way = make_transport(
            TransportKind(transport),
            url=url,
            database=database,
            login=login,
            api_key=api_key,
            timeout=timeout,
            ca_file=ca_file,
        )
        return cls(way, company_id=company_id, language=language, read_billers=read_billers)

    @property
    def company_id(self) -> int:
        """The company whose records are read and written."""
        return self._client.company_id

    @contextmanager
    def watched(self, before_call: Callable[[], None]) -> Iterator[None]:
        """Asks `before_call` before each call to Odoo within the block; what it raises ends the work there."""
        self._client.before_call = before_call
        try:
            yield
        finally:
            self._client.before_call = None

    def probe(self) -> Probe:
        """Log in and read the company; raises what stands in the way."""
        version = self._client.transport.version()
        for company in self.read_companies():
            if company.id == self._client.company_id:
                return Probe(version, self._client.transport.login, company)
        message = f"The user does not see a company with id {self._client.company_id} in Odoo."
        raise ConnectorError("permission", message, SYSTEM)

    def describe(self) -> dict[str, str]:
        """The server's version and the transport that is spoken with it; asks where neither is known yet."""
        return {"version": self._client.transport.version(), "transport": self._client.transport.kind}

    def inspect(self, expected: Expected) -> Iterator[Line]:
        """A line for each check of the connection, as it is made; raises nothing and writes nothing."""
        return inspection.inspect(self._client, expected)

    def read_companies(self) -> Iterator[Company]:
        return mirror.read_companies(self._client)

    def read_all(self, kind: Kind[T], since: datetime | None = None) -> Iterator[T]:
        """Every record of a kind by id, of those written since."""
        page = self.read_page(kind, since=since)
        yield from page.records
        while not page.is_last:
            page = self.read_page(kind, since=since, after=page.last_id)
            yield from page.records

    def read_page(self, kind: Kind[T], *, since: datetime | None = None, after: int = 0) -> Page[T]:
        """The next page of a kind after an id, of those written since, with an overlap for late commits."""
        return kinds.read_page(self._client, kind, since=since, after=after)

    def read_records(self, kind: Kind[T], ids: Collection[int]) -> Iterator[T]:
        """The records of these ids that are of the kind."""
        pages = kinds.read_records(self._client, kind, ids=ids)
        return chain.from_iterable(page.records for page in pages)

    def count_records(self, kind: Kind[T], *, since: datetime | None = None, after: int = 0) -> int:
        """How many records `read_page` has yet to read."""
        return kinds.count_records(self._client, kind, since=since, after=after)

    def read_ids(self, kind: Kind[T]) -> Iterator[tuple[list[int], bool]]:
        """All ids of a kind in ascending pages, and with each whether it is the last: what is gone is not there."""
        return kinds.read_ids(self._client, kind)

    @contextmanager
    def permitting(self, ask: AskBiller) -> Iterator[None]:
        """Lets usage onto orders within the block: of the fees whose period Odoo bills, as `ask` tells."""
        with self._client.transport.permitting(ask):
            yield

    def write_order_lines(self, drafts: Iterable[OrderDraft]) -> dict[str, WriteOutcome]:
        return order_lines.write_order_lines(self._client, drafts)

    def read_order_usage(self, drafts: Iterable[OrderDraft]) -> dict[str, OrderUsage]:
        return order_lines.read_order_usage(self._client, drafts)

    def write_corrections(self, drafts: Iterable[CorrectionDraft]) -> dict[str, WriteOutcome]:
        return corrections.write_corrections(self._client, drafts)

    def read_corrections(self, keys: Iterable[str]) -> dict[str, Correction]:
        return corrections.read_corrections(self._client, keys)

    def read_transactions(self, since: datetime | None = None) -> Iterator[payments.Transaction]:
        return payments.read_transactions(self._client, since)

    def read_tokens(self) -> Iterator[payments.Token]:
        return payments.read_tokens(self._client)

    def write_quotations(self, drafts: Iterable[QuotationDraft]) -> dict[str, WriteOutcome]:
        return quotation.write_quotations(self._client, drafts)

    def read_quotations(
        self, keys: Iterable[str], known_ids: Mapping[str, int] | None = None
    ) -> dict[str, Quotation]:
        return readback.read_quotations(self._client, keys, known_ids)
