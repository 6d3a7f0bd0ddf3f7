"""Our fees of a bill beside Lago's, fee by fee: the closest look at why both sides differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ingest.buckets import canonical_group, describe_parts
from ingest.models import Fee, FeeKind
from ingest.rating.money import exponent
from reconciliation.comparison.fee_pairs import FeeFigures, FeeKey, FeePair, pair_fees
from reconciliation.models import AmountLine, LineKind, Reconciliation, Source, SourceDocument

# What an invoice of Lago's says beside what it bills: how that was settled, which is no part of it.
SETTLED = {
    "prepaid_credit_amount_cents": "paid from prepaid credits",
    "credit_notes_amount_cents": "paid from credit notes",
    "progressive_billing_credit_amount_cents": "billed progressively before",
    "coupons_amount_cents": "taken off by coupons",
}
_KINDS = {LineKind.USAGE: "usage", LineKind.PLAN: "plan", LineKind.ADJUSTMENT: "commitment"}
_OUR_KINDS = {
    FeeKind.USAGE: "usage",
    FeeKind.TRUE_UP: "true_up",
    FeeKind.PLAN: "plan",
    FeeKind.COMMITMENT: "commitment",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fees in pairs with a name for each, and what Lago's invoices say of how they were settled."""

    pairs: Sequence[tuple[str, FeePair]]
    settled: Sequence[tuple[str, str, Decimal]]

    @property
    def differing(self) -> int:
        """How many fees differ in anything."""
        return sum(bool(pair.differs) for _, pair in self.pairs)


def compare_fees(row: Reconciliation, fees: Sequence[Fee]) -> Comparison | None:
    """The fees of a reconciliation beside those of Lago's invoices for it; None where there are none of Lago's."""
    lines = list(_read_lines(row))
    if not lines:
        return None
    names = {}
    theirs = [(_key_of_line(line), _figures_of_line(line)) for line in lines if line.kind in _KINDS]
    for line in lines:
        names[_key_of_line(line)] = _name(
            line.description, line.detail.get("filters"), line.detail.get("grouped_by")
        )
    ours = [(_key_of_fee(fee), _figures_of_fee(fee)) for fee in fees if FeeKind(fee.kind) in _OUR_KINDS]
    for fee in fees:
        sold = fee.charge.metric.name if fee.charge else fee.subscription.plan.name
        names.setdefault(_key_of_fee(fee), _name(sold, fee.filter_values, fee.grouped_by))
    pairs = pair_fees(ours=ours, theirs=theirs)
    return Comparison([(names[pair.key], pair) for pair in pairs], list(_read_settled(row)))


def _read_lines(row: Reconciliation) -> Iterator[AmountLine]:
    yield from AmountLine.objects.filter(
        amount__service=row.service_id,
        amount__customer=row.customer_id,
        amount__currency=row.currency,
        amount__period_start=row.period_start,
        amount__period_end=row.period_end,
        amount__document__is_current=True,
        amount__document__source=Source.LAGO_INVOICE,
    ).order_by("amount", "position")


def _read_settled(row: Reconciliation) -> Iterator[tuple[str, str, Decimal]]:
    documents = SourceDocument.objects.filter(
        service=row.service_id,
        is_current=True,
        source=Source.LAGO_INVOICE,
        amounts__customer=row.customer_id,
        amounts__currency=row.currency,
        amounts__period_start=row.period_start,
        amounts__period_end=row.period_end,
    )
    for title, *cents in documents.order_by("pk").values_list(
        "title", *(f"content__{name}" for name in SETTLED)
    ):
        for said, amount in zip(SETTLED.values(), cents, strict=True):
            if isinstance(amount, int) and amount:
                yield title, said, Decimal(amount).scaleb(-exponent(row.currency))


def _key_of_line(line: AmountLine) -> FeeKey:
    detail = line.detail
    kind = "true_up" if detail.get("true_up_of") else _KINDS.get(LineKind(line.kind), str(line.kind))
    return _make_key(
        str(detail.get("subscription") or ""),
        kind,
        line.code,
        detail.get("filters"),
        detail.get("grouped_by"),
    )


def _key_of_fee(fee: Fee) -> FeeKey:
    code = fee.charge.metric.code if fee.charge else ""
    kind = _OUR_KINDS.get(FeeKind(fee.kind), str(fee.kind))
    return _make_key(fee.subscription.external_id, kind, code, fee.filter_values, fee.grouped_by)


def _make_key(
    subscription: str,
    kind: str,
    code: str,
    filters: Mapping[str, Any] | None,
    group: Mapping[str, Any] | None,
) -> FeeKey:
    is_metered = kind in {"usage", "true_up"}
    return FeeKey(
        subscription,
        kind,
        code if is_metered else "",
        canonical_group(filters or {}) if is_metered else "",
        canonical_group(group or {}) if is_metered else "",
    )


def _figures_of_line(line: AmountLine) -> FeeFigures:
    detail = line.detail
    is_part = bool(detail.get("is_part"))
    events = detail.get("events")
    return FeeFigures(
        units=None if is_part or line.kind != LineKind.USAGE else line.quantity,
        exact=None if is_part or not detail.get("precise_amount") else Decimal(detail["precise_amount"]),
        amount=line.untaxed or Decimal(0),
        events=events if isinstance(events, int) and not is_part and line.kind == LineKind.USAGE else None,
        details=tuple(_flatten(detail.get("details") or {})),
    )


def _figures_of_fee(fee: Fee) -> FeeFigures:
    is_usage = fee.kind == FeeKind.USAGE
    return FeeFigures(
        units=fee.quantity if is_usage else None,
        exact=fee.exact_amount,
        amount=fee.amount,
        events=fee.events_count if is_usage else None,
    )


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """What Lago tells of each tier, as pairs to read."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flatten(member, f"{name} {key}".strip().replace("_", " "))
    elif isinstance(value, list):
        for number, member in enumerate(value, start=1):
            yield from _flatten(member, f"{name} {number}")
    else:
        yield name, str(value)


def _name(sold: str, filters: Mapping[str, Any] | None, group: Mapping[str, Any] | None) -> str:
    bucket = describe_parts(filters, group or {})
    return f"{sold}, {bucket}" if bucket else sold
