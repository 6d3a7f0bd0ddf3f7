"""The names under which the console's records are known in Odoo; what has no such name is not ours to write.

`__billing_console__` must never be the name of an installed module: upgrading a module deletes the records
under its name that its data files do not mention. A dot separates module and name, so a name has none.
"""

from __future__ import annotations

import re

from reconciliation.connectors.errors import ConnectorError

MODULE = "__billing_console__"
TAG = f"{MODULE}.tag_shadow"

# Keys never hold two underscores in a row, which part a quotation's key from its line's: otherwise line
# "b_c" of quotation "a" and line "c" of quotation "a_b" would be one record.
KEY = re.compile(r"[A-Za-z0-9-]+(?:_[A-Za-z0-9-]+)*")
# However a line of ours is called, the key of the fee that it bills ends its name.
FEE_LINE = re.compile(rf"{MODULE}\.(?:.*_)?(?P<fee>[0-9a-f]{{32}})")
# A correction that finance had drafted is called after the reconciliation that it corrects, and its version.
CORRECTION_LINE = re.compile(rf"{MODULE}\.correction_(?P<row>[0-9a-f]{{32}})_[0-9]+(?:__line)?")
CORRECTION = re.compile(rf"{MODULE}\.correction_(?P<key>{KEY.pattern})")
FEE = re.compile(rf"{MODULE}\.fee_(?P<key>{KEY.pattern})")
SHADOW = re.compile(rf"{MODULE}\.shadow_(?P<key>{KEY.pattern})(?:__(?P<line>{KEY.pattern}))?")


def check_key(key: str) -> None:
    """Refuse a key that could not be told apart, or not be stored, in an external id."""
    if not KEY.fullmatch(key):
        message = f"“{key}” cannot be part of an external id: letters, digits, “-” and single “_” only."
        raise ConnectorError("invalid_draft", message, "odoo")


def name_quotation(key: str) -> str:
    return f"{MODULE}.shadow_{key}"


def name_line(key: str, line_key: str) -> str:
    return f"{MODULE}.shadow_{key}__{line_key}"


def name_fee(fee_key: str) -> str:
    """The line of a fee on the order of a subscription that Odoo bills."""
    return f"{MODULE}.fee_{fee_key}"


def parse_fee(external_id: str) -> str | None:
    """The fee's key of such a line, None when it is not one."""
    match = FEE.fullmatch(external_id)
    return match["key"] if match else None


def name_correction(key: str) -> str:
    """A draft invoice or credit note."""
    return f"{MODULE}.correction_{key}"


def name_correction_line(key: str) -> str:
    """Its one line."""
    return f"{name_correction(key)}__line"


def parse_correction(external_id: str) -> str | None:
    """The key of such a document, None when it is not one."""
    match = CORRECTION.fullmatch(external_id)
    return match["key"] if match else None


def is_shadow(external_id: str) -> bool:
    return SHADOW.fullmatch(external_id) is not None


def parse_quotation(external_id: str) -> str | None:
    """The key of a quotation's external id, None when it is not a quotation of ours."""
    match = SHADOW.fullmatch(external_id)
    return match["key"] if match and match["line"] is None else None


def parse_line(external_id: str) -> tuple[str, str] | None:
    """The quotation's key and the line's key of a line's external id, None when it is not a line of ours."""
    match = SHADOW.fullmatch(external_id)
    return (match["key"], match["line"]) if match and match["line"] else None


def find_fee_key(external_id: str) -> str | None:
    """The key of the fee that a line of ours bills, None when it is not one."""
    match = FEE_LINE.fullmatch(external_id)
    return match["fee"] if match else None


def find_corrected_row(external_id: str) -> str | None:
    """The key of the reconciliation that a line of ours corrects, None when it is not one."""
    match = CORRECTION_LINE.fullmatch(external_id)
    return match["row"] if match else None
