"""The push: shadow quotations written into Odoo so that doing it twice is doing it once.

Per batch of drafts, whatever their number:

1. Claim: a `load()` of the headers that only inserts. It answers every quotation's id by its external id and
   changes nothing that is there; what a lost answer left behind is found the same way.
2. A quotation that is no longer a draft is refused and not written. (Should one be confirmed just now, Odoo
   refuses the next step for it: a confirmed order takes no `pricelist_id`, which every header carries.)
3. A `load()` of headers with usage lines, at our exact amounts.
4. A `load()` of plan lines without a price: Odoo prices new ones, and leaves or recomputes its own on others.
5. Lines under our external ids that the draft no longer has are deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM, classify_messages
from reconciliation.connectors.odoo.client import OdooClient
from reconciliation.connectors.odoo.drafts import QuotationDraft, refuse_repeated
from reconciliation.connectors.odoo.external_ids import TAG, parse_line
from reconciliation.connectors.odoo.guard import TAG_COLUMNS
from reconciliation.connectors.odoo.loading import load_drafts, load_rows
from reconciliation.connectors.odoo.outcomes import WriteOutcome
from reconciliation.connectors.odoo.sheets import INSERT_ONLY, PLAN_SHEET, header_sheet, usage_sheet

TAG_NAME = "Shadow billing: do not confirm"

# Odoo takes about 4 ms per line: a batch stays far below a minute.
BATCH_LINES = 1000


def write_quotations(client: OdooClient, drafts: Iterable[QuotationDraft]) -> dict[str, WriteOutcome]:
    """Make each draft's quotation in Odoo what the draft says, and tell of each what became of it.

    Seven calls for each thousand lines, more only to find the drafts that Odoo refuses. A draft fails alone:
    "not_draft" when a person has sent, confirmed or cancelled its quotation, "permanent" when Odoo refuses
    its data (it may leave a quotation without lines). Raises `ConnectorError` for what concerns no single
    draft ("transient", "outcome_unknown", "authentication", …): then any of them may have been written, and
    all may be written again.
    """
    every = list(drafts)
    refuse_repeated((draft.key for draft in every), "the drafts")
    if not every:
        return {}
    tag_id = _ensure_tag(client)
    outcomes: dict[str, WriteOutcome] = {}
    for batch in _batches(every):
        outcomes |= _write_batch(client, batch, tag_id)
    return outcomes


def _batches(drafts: Iterable[QuotationDraft]) -> Iterator[list[QuotationDraft]]:
    batch: list[QuotationDraft] = []
    lines = 0
    for draft in drafts:
        size = max(1, len(draft.line_keys))
        if batch and lines + size > BATCH_LINES:
            yield batch
            batch, lines = [], 0
        batch.append(draft)
        lines += size
    yield batch


def _ensure_tag(client: OdooClient) -> int:
    """The id of the tag that tells a person in Odoo what they are looking at.

    Only inserted: writing the one tag in every push would set two workers against each other.
    """
    ids, messages = load_rows(client, "crm.tag", TAG_COLUMNS, [[TAG, TAG_NAME]], INSERT_ONLY)
    if ids is None:
        raise classify_messages(messages)
    return ids[0]


def _write_batch(
    client: OdooClient, drafts: Sequence[QuotationDraft], tag_id: int
) -> dict[str, WriteOutcome]:
    header, usage = header_sheet(tag_id), usage_sheet(tag_id)
    claimed = load_drafts(client, header, drafts)
    ids = {key: order_ids[0] for key, order_ids in claimed.ids.items()}
    errors = claimed.errors | _refuse_decided(client, ids)
    for sheet in (usage, PLAN_SHEET):
        errors |= load_drafts(client, sheet, [draft for draft in drafts if draft.key not in errors]).errors
    errors |= _delete_gone_lines(client, [draft for draft in drafts if draft.key not in errors], ids)
    return {draft.key: WriteOutcome(draft.key, ids.get(draft.key), errors.get(draft.key)) for draft in drafts}


def _refuse_decided(client: OdooClient, ids: Mapping[str, int]) -> dict[str, ConnectorError]:
    """An error for every quotation that a person has sent, confirmed, cancelled or deleted."""
    if not ids:
        return {}
    rows = client.call("sale.order", "read", sorted(ids.values()), fields=["state"])
    states = {row["id"]: row["state"] for row in rows}
    return {
        key: not_draft(states.get(order_id, "deleted"))
        for key, order_id in ids.items()
        if states.get(order_id) != "draft"
    }


def not_draft(state: str) -> ConnectorError:
    """The alarm that somebody acted on a shadow quotation."""
    message = f"The shadow quotation is no longer a draft in Odoo (state “{state}”); it was not written."
    return ConnectorError("not_draft", message, SYSTEM)


def _delete_gone_lines(
    client: OdooClient, drafts: Sequence[QuotationDraft], ids: Mapping[str, int]
) -> dict[str, ConnectorError]:
    """Delete our lines that a draft no longer has; all the drafts concerned fail when Odoo refuses."""
    gone = _find_gone_lines(client, drafts, [ids[draft.key] for draft in drafts])
    if not gone:
        return {}
    try:
        client.call("sale.order.line", "unlink", sorted(gone))
    except ConnectorError as error:
        if not error.permanent:
            raise
        return dict.fromkeys(gone.values(), error)
    return {}


def _find_gone_lines(
    client: OdooClient, drafts: Sequence[QuotationDraft], order_ids: Sequence[int]
) -> dict[int, str]:
    """The draft's key by the id of each line under our external ids that the draft does not have."""
    lines = client.read_lines("sale.order.line", "order_id", order_ids, ())
    line_ids = [line["id"] for each in lines.values() for line in each]
    names = client.read_external_ids("sale.order.line", line_ids)
    wanted = {draft.key: draft.line_keys for draft in drafts}
    gone = {}
    for line_id, external_id in names.items():
        key, line_key = parse_line(external_id) or ("", "")
        if key in wanted and line_key not in wanted[key]:
            gone[line_id] = key
    return gone
