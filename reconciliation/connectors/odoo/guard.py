"""The write guard: what may leave for Odoo, and nothing else. It stands before either transport.

The console makes Odoo compute; it never confirms, invoices, posts, sends or charges. So the reads are listed, and
the writes: the tag, shadow quotations, their lines, the deletion of such lines, and, for a period that Odoo bills,
usage on its order and drafts of corrections (see `live_guard`). Each load() is held to its exact columns: a `state`
column, or a `default_state` in the context, would confirm an order.
And each line is held to its biller, asked at the last moment: what Odoo bills goes onto no quotation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.classification import SYSTEM, without_effect
from reconciliation.connectors.odoo.external_ids import TAG, is_shadow, parse_line
from reconciliation.connectors.odoo.live_guard import (
    AskBiller,
    check_correction_load,
    check_usage_load,
    is_usage_load,
)
from reconciliation.connectors.odoo.transport import Transport, TransportKind

HEADER_COLUMNS = (
    "id",
    "partner_id/.id",
    "company_id/.id",
    "pricelist_id/.id",
    "client_order_ref",
    "require_signature",
    "require_payment",
    "tag_ids/.id",
)
USAGE_COLUMNS = (
    "order_line/id",
    "order_line/product_id/.id",
    "order_line/name",
    "order_line/product_uom_qty",
    "order_line/price_unit",
)
PLAN_COLUMNS = ("id", "order_id/id", "product_id/.id", "name", "product_uom_qty")
TAG_COLUMNS = ("id", "name")

READABLE_MODELS = frozenset(
    {
        "account.fiscal.position",
        "account.move",
        "account.move.line",
        "account.tax",
        "payment.token",
        "payment.transaction",
        "product.pricelist",
        "product.product",
        "res.company",
        "res.country",
        "res.country.state",
        "res.currency",
        "res.partner",
        "sale.order",
        "sale.order.line",
        "sale.subscription.plan",
    }
)
READ_METHODS = frozenset({"fields_get", "get_external_id", "read", "search", "search_count", "search_read"})
# What a check of the connection asks beside: rights, whose key it is, and whether a model is there at all.
ASKED_MODELS = frozenset({"crm.tag", "payment.provider", "sale.subscription.plan"})
READS = (
    {(model, method) for model in READABLE_MODELS for method in READ_METHODS}
    | {(model, "has_access") for model in READABLE_MODELS | {"crm.tag"}}
    | {(model, "fields_get") for model in ASKED_MODELS}
    | {
        ("ir.model.data", "check_object_reference"),
        ("res.users", "context_get"),
        ("res.users", "read"),
        ("payment.provider", "search_read"),
    }
)
# Of the optional modules only what they consist of.
DESCRIBED = "fusion.billing."
# Of these models nothing is read but what is named: they hold passwords and secret keys beside it.
READABLE_FIELDS: Mapping[str, frozenset[str]] = {
    "res.users": frozenset({"login"}),
    "payment.provider": frozenset({"code", "state", "company_id", "stripe_publishable_key"}),
}

LOADABLE_COLUMNS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "crm.tag": (TAG_COLUMNS,),
    "sale.order": (HEADER_COLUMNS, HEADER_COLUMNS + USAGE_COLUMNS),
    "sale.order.line": (PLAN_COLUMNS,),
}
CONTEXT_KEYS = frozenset({"allowed_company_ids", "lang", "mode", "noupdate"})

# A quotation that its reader can sign or pay online is one that a customer can confirm.
FIXED_CELLS = {"require_signature": "False", "require_payment": "False"}

# The column that names a line in each model's load().
LINE_COLUMNS: Mapping[str, str] = {"sale.order": "order_line/id", "sale.order.line": "id"}

Check = Callable[[str, list[Any], dict[str, Any]], None]
# Who bills what is behind each line's key, "service" or "odoo"; a key that nobody knows is left out.
BillerReader = Callable[[Collection[str]], Mapping[str, str]]
THE_SERVICE = "service"


class GuardedTransport:
    """A transport that lets only the listed calls through; the rest is refused before anything leaves.

    Lines may be deleted only after Odoo itself has said, through this guard, that their external id is one of
    ours: an id alone proves nothing. With `read_billers` a line is written only while the service bills what is
    behind it; without, a line is held to its form alone.
    """

    def __init__(self, transport: Transport, read_billers: BillerReader | None = None) -> None:
        self.__transport = transport
        self.__read_billers = read_billers
        self.__own_lines: set[int] = set()
        self.__ask_biller: AskBiller | None = None
        self.__writes: Mapping[tuple[str, str], Check] = {
            ("account.move", "load"): self.__check_moves,
            ("crm.tag", "load"): check_load,
            ("sale.order", "load"): check_load,
            ("sale.order.line", "load"): self.__check_lines,
            ("sale.order.line", "unlink"): self.__check_unlink,
        }

    @property
    def login(self) -> str:
        return self.__transport.login

    @property
    def kind(self) -> TransportKind:
        return self.__transport.kind

    def version(self) -> str:
        return self.__transport.version()

    def execute(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Pass the call on, or raise `ConnectorError` "refused_by_guard"."""
        if (model, method) in READS or (method == "fields_get" and model.startswith(DESCRIBED)):
            check_fields(model, method, args, kwargs)
            return self.__read(model, method, args, kwargs)
        check = self.__writes.get((model, method))
        if check is None:
            raise refusal(f"{model}.{method} is not among the calls that the console makes")
        check(model, args, kwargs)
        if method == "load" and self.__read_billers is not None:
            check_billers(list_line_keys(model, args), self.__read_billers)
        return self.__transport.execute(model, method, args, kwargs)

    @contextmanager
    def permitting(self, ask: AskBiller) -> Iterator[None]:
        """Lets usage onto orders within the block, of the fees that `ask` says Odoo bills."""
        self.__ask_biller = ask
        try:
            yield
        finally:
            self.__ask_biller = None

    def __check_moves(self, model: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        check_context(kwargs)
        check_correction_load(args, self.__ask_biller)

    def __check_lines(self, model: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        if is_usage_load(args):
            check_context(kwargs)
            check_usage_load(args, self.__ask_biller)
        else:
            check_load(model, args, kwargs)

    def __read(self, model: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            answer = self.__transport.execute(model, method, args, kwargs)
        except ConnectorError as error:
            raise without_effect(error) from None
        if (model, method) == ("sale.order.line", "get_external_id"):
            self.__learn(answer)
        return answer

    def __learn(self, external_ids: Mapping[str, str]) -> None:
        for line_id, external_id in external_ids.items():
            learn = self.__own_lines.add if is_shadow(external_id) else self.__own_lines.discard
            learn(int(line_id))

    def __check_unlink(self, model: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        check_context(kwargs)
        if len(args) != 1 or not args[0] or not self.__own_lines.issuperset(args[0]):
            raise refusal(f"{model}.unlink of lines that are not known to be the console's own")


def check_fields(model: str, method: str, args: list[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse to read other fields than the listed of a model that holds secrets; without any it reads all."""
    allowed = READABLE_FIELDS.get(model)
    if allowed is None or method not in {"read", "search_read"}:
        return
    if len(args) != 1 or not kwargs.get("fields") or not allowed.issuperset(kwargs["fields"]):
        raise refusal(f"{model}.{method} of fields that the console does not read")


def check_load(model: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Refuse a `load()` of other columns than the listed, or of a row outside our external ids."""
    check_context(kwargs)
    if len(args) != 2 or tuple(args[0]) not in LOADABLE_COLUMNS[model]:
        raise refusal(f"{model}.load with columns that the console does not write")
    columns, rows = tuple(args[0]), args[1]
    parent: dict[str, str] | None = None
    for row in rows:
        cells = dict(zip(columns, row, strict=True))
        if parent is not None and is_continuation(cells):
            continue
        check_row(model, cells)
        parent = cells


def is_continuation(cells: Mapping[str, str]) -> bool:
    """Whether a row only carries one more usage line of the quotation above it."""
    return is_shadow(cells.get("order_line/id", "")) and not any(cells[column] for column in HEADER_COLUMNS)


def list_line_keys(model: str, args: list[Any]) -> Iterator[str]:
    """The keys of the lines that a checked `load()` would write."""
    columns, rows = args
    place = columns.index(LINE_COLUMNS[model]) if LINE_COLUMNS.get(model) in columns else None
    for row in rows if place is not None else ():
        _, key = parse_line(row[place]) or ("", "")
        if key:
            yield key


def check_billers(line_keys: Iterator[str], read_billers: BillerReader) -> None:
    """Refuse lines of what Odoo bills, or of what nobody knows.

    The first is not permanent: the cutover came between, and who sends again leaves those lines out.
    """
    keys = set(line_keys)
    billers = read_billers(keys) if keys else {}
    if not keys <= billers.keys():
        raise refusal("a line of which it is not known who bills it")
    if any(biller != THE_SERVICE for biller in billers.values()):
        message = "The write guard refused lines of a period that Odoo bills by now."
        raise ConnectorError("billed_by_odoo", message, SYSTEM, permanent=False)


def check_row(model: str, cells: Mapping[str, str]) -> None:
    """Refuse a row that would create or change a record outside our external ids, or open a quotation."""
    if model == "crm.tag":
        is_ours = cells["id"] == TAG
    else:
        is_ours = is_shadow(cells["id"]) and is_shadow(cells.get("order_id/id", cells["id"]))
    if not is_ours or not _has_own_usage_line(cells):
        raise refusal(f"{model}.load of a record that is not the console's own")
    if any(cells.get(column, value) != value for column, value in FIXED_CELLS.items()):
        raise refusal(f"{model}.load of a quotation that could be signed or paid online")


def _has_own_usage_line(cells: Mapping[str, str]) -> bool:
    """A usage line is ours, or there is none: no cell of it is filled."""
    line = [cells[column] for column in USAGE_COLUMNS if column in cells]
    return not any(line) or is_shadow(cells["order_line/id"])


def check_context(kwargs: Mapping[str, Any]) -> None:
    """Refuse arguments by name other than a context, and in it any `default_…` that would set a field."""
    context = kwargs.get("context", {})
    if set(kwargs) - {"context"} or set(context) - CONTEXT_KEYS:
        raise refusal("a write with a context that the console does not use")


def refusal(what: str) -> ConnectorError:
    """The error for what may not leave; it names the call, never its values."""
    return ConnectorError("refused_by_guard", f"The write guard refused {what}.", SYSTEM)
