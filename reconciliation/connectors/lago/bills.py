"""Lago's invoices and credit notes: listed page by page, and each invoice whole with its fees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.api import Forbidden, LagoApi, Query
from reconciliation.connectors.lago.pages import decode, holds_unkept
from reconciliation.connectors.lago.records import Bills, Echo, fail, refuse_gap


class LagoBills(LagoApi):
    """What one organization billed, as one key sees it; a key that may read invoices and credit notes is enough."""

    def list_bills(self, bills: Bills, echo: Echo, since: date | None = None) -> Iterator[Mapping[str, Any]]:
        """Each of a list once, a page in memory at a time; of invoices those issued on a day or later.

        Raises ConnectorError: `forbidden` when the key may not read the list, `incomplete` at the end of a list that
        says that it has more, and whatever else reading a page raises.
        """
        query: Query = [("issuing_date_from", since.isoformat())] if since and bills is Bills.INVOICES else []
        seen: set[str] = set()
        total: list[Any] = []
        try:
            for where, entry in self._read_entries(bills, query, echo, total):
                lago_id = _find_id(where, entry)
                # A list that grows while it is read shows some of it twice.
                if lago_id not in seen:
                    seen.add(lago_id)
                    yield entry
        except Forbidden as error:
            raise fail("forbidden", f"{bills.value}: {error}.") from None
        refuse_gap(f"{self.name}/{bills.value}", tuple(seen), total[-1])  # type: ignore[arg-type]

    def read_invoice(self, lago_id: str, echo: Echo) -> Mapping[str, Any]:
        """One invoice with its customer, fees and credits; raises ConnectorError as `list_bills`."""
        where = f"invoice {lago_id}"
        try:
            body = self._get(where, f"{Bills.INVOICES.value}/{lago_id}", [], echo)
        except Forbidden as error:
            raise fail("forbidden", f"{where}: {error}.") from None
        value = decode(where, body)
        invoice = value.get("invoice") if isinstance(value, dict) else None
        if not isinstance(invoice, dict) or invoice.get("lago_id") != lago_id or holds_unkept(invoice):
            raise fail("unexpected_answer", f"{where}: Lago answered something else.", permanent=False)
        return invoice

    def check(self) -> dict[str, str]:
        """What the key may read, by list: empty where it may, else why not. Raises ConnectorError for no Lago."""
        found = {}
        for bills in Bills:
            try:
                next(self.list_bills(bills, lambda _: None), None)
                found[bills.value] = ""
            except ConnectorError as error:
                if error.code != "forbidden":
                    raise
                found[bills.value] = error.message
        return found


def _find_id(where: str, entry: Any) -> str:
    lago_id = entry.get("lago_id") if isinstance(entry, dict) else None
    if not isinstance(lago_id, str) or not lago_id.replace("-", "").isalnum() or holds_unkept(entry):
        raise fail("unexpected_answer", f"{where} has no id, or holds what cannot be kept.")
    return lago_id
