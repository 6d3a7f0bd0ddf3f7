"""Linking customers to Odoo's partners: what is suggested, and many links from a file."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from ingest import customers
from ingest.errors import DomainError, require_permission
from ingest.models import Customer
from reconciliation.comparison.linking import (
    CustomerFacts,
    Match,
    PartnerFacts,
    normalise_email,
    score,
)
from reconciliation.models import OdooPartner

MOST_SUGGESTED = 3
COLUMNS = ("service", "external_customer_id", "partner_id")
# What a person can look through before saying yes to all of it.
MOST_ROWS = 20_000


def suggest(rows: Sequence[Customer]) -> dict[int, list[Match]]:
    """The likeliest partners of each customer, by its key: from the mirror, in three queries for all of them."""
    facts = {row.pk: _customer_facts(row) for row in rows}
    stripe_ids = _read_stripe_links(fact.stripe_id for fact in facts.values())
    partners = _find_partners(list(facts.values()), stripe_ids)
    return {pk: _rank(fact, partners) for pk, fact in facts.items()}


def _rank(fact: CustomerFacts, partners: Iterable[PartnerFacts]) -> list[Match]:
    matches = [match for partner in partners if (match := score(fact, partner)) and match.score]
    return sorted(matches, key=lambda match: (-match.score, match.partner.odoo_id))[:MOST_SUGGESTED]


def _customer_facts(row: Customer) -> CustomerFacts:
    vat = row.profile.get("tax_identification_number")
    return CustomerFacts(row.external_id, row.name, row.email, str(vat or ""), row.stripe_customer_id)


def _read_stripe_links(stripe_ids: Iterable[str]) -> Mapping[int, frozenset[str]]:
    """The Stripe customers that are linked already, by partner: one account serves all services."""
    wanted = {each for each in stripe_ids if each}
    linked: dict[int, set[str]] = defaultdict(set)
    rows = Customer.objects.filter(stripe_customer_id__in=wanted, odoo_partner_id__isnull=False)
    for partner_id, stripe_id in rows.values_list("odoo_partner_id", "stripe_customer_id"):
        linked[partner_id or 0].add(stripe_id)
    return {partner_id: frozenset(ids) for partner_id, ids in linked.items()}


def _find_partners(
    facts: Sequence[CustomerFacts], stripe_ids: Mapping[int, frozenset[str]]
) -> list[PartnerFacts]:
    """Partners that share anything with any of the customers; a name by its first word."""
    refs = {each for fact in facts for each in (fact.external_id, fact.stripe_id) if each}
    emails = {normalise_email(fact.email) for fact in facts if fact.email}
    vats = {fact.vat for fact in facts if fact.vat}
    names = Q()
    for word in {fact.name.split()[0] for fact in facts if fact.name.strip()}:
        names |= Q(name__istartswith=word)
    rows = (
        OdooPartner.objects.filter(gone_at=None)
        .annotate(plain_email=Lower("email"))
        .filter(
            Q(ref__in=refs)
            | Q(plain_email__in=emails)
            | Q(vat__in=vats)
            | Q(odoo_id__in=list(stripe_ids))
            | names
        )
        .defer("raw")
    )
    return [
        PartnerFacts(
            odoo_id=row.odoo_id,
            name=row.name,
            ref=row.ref,
            email=row.email,
            vat=row.vat,
            stripe_ids=stripe_ids.get(row.odoo_id, frozenset()),
            is_active=row.is_active,
            is_address=row.parent_id is not None,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A row of the file: what it says, what it changes, or why it cannot."""

    row: int
    service: str
    external_id: str
    partner: str
    customer: Customer | None = None
    partner_id: int | None = None
    partner_name: str = ""
    refusal: str = ""

    @property
    def is_change(self) -> bool:
        """Whether applying it changes anything."""
        return self.customer is not None and self.customer.odoo_partner_id != self.partner_id


def preview_links(text: str) -> list[LinkRow]:
    """What each row of a CSV of service, external_customer_id, partner_id would do; every refusal is located.

    Refuses a text that is no such table (`wrong_columns`), none or too many rows (`no_rows`, `too_many_rows`).
    """
    rows = _read_rows(text)
    services = {row["service"] for row in rows}
    ids = {row["external_customer_id"] for row in rows}
    found = Customer.objects.filter(service__code__in=services, external_id__in=ids, deleted_at=None)
    known = {(row.service.code, row.external_id): row for row in found.select_related("service")}
    numbers = {int(row["partner_id"]) for row in rows if _is_id(row["partner_id"])}
    partners = {row.odoo_id: row for row in OdooPartner.objects.filter(odoo_id__in=numbers).defer("raw")}
    seen: dict[tuple[str, str], int] = {}
    return [_check(number, row, known, partners, seen) for number, row in enumerate(rows, start=2)]


@transaction.atomic
def apply_links(*, text: str, actor: User) -> tuple[int, list[LinkRow]]:
    """Links as the file says, each audited; returns how many changed, and the rows that are refused.

    All good rows together or none. Refuses who may not change customers (`permission_denied`), and as
    `preview_links` does.
    """
    require_permission(actor, "ingest.change_customer")
    rows = preview_links(text)
    changed = 0
    for row in rows:
        if not row.refusal and row.customer is not None:
            changed += customers.link(customer=row.customer, odoo_partner_id=row.partner_id, actor=actor)
    return changed, [row for row in rows if row.refusal]


def _read_rows(text: str) -> Sequence[Mapping[str, str]]:
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    if not set(COLUMNS) <= {str(name).strip() for name in reader.fieldnames or ()}:
        raise DomainError("wrong_columns", f"The first line must name the columns {', '.join(COLUMNS)}.")
    try:
        rows = [
            {str(name).strip(): str(value or "").strip() for name, value in row.items()} for row in reader
        ]
    except csv.Error as error:
        raise DomainError("wrong_columns", f"Line {reader.line_num}: {error}.") from None
    if not rows:
        raise DomainError("no_rows", "The file has no rows.")
    if len(rows) > MOST_ROWS:
        raise DomainError(
            "too_many_rows", f"At most {MOST_ROWS:,} rows at a time; this file has {len(rows):,}."
        )
    return rows


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) < 2**63


def _check(
    number: int,
    row: Mapping[str, str],
    known: Mapping[tuple[str, str], Customer],
    partners: Mapping[int, OdooPartner],
    seen: dict[tuple[str, str], int],
) -> LinkRow:
    key = (row["service"], row["external_customer_id"])
    customer = known.get(key)
    partner = partners.get(int(row["partner_id"])) if _is_id(row["partner_id"]) else None
    earlier = seen.setdefault(key, number)
    refusal = (
        _refuse_customer(row, customer)
        or (f"The same customer as in row {earlier}." if earlier != number else "")
        or _refuse_partner(row["partner_id"], partner)
    )
    return LinkRow(
        row=number,
        service=row["service"],
        external_id=row["external_customer_id"],
        partner=row["partner_id"],
        customer=customer if not refusal else None,
        partner_id=partner.odoo_id if partner else None,
        partner_name=partner.name if partner else "",
        refusal=refusal,
    )


def _refuse_customer(row: Mapping[str, str], customer: Customer | None) -> str:
    if customer is None:
        return f"Service “{row['service']}” has no customer “{row['external_customer_id']}”."
    return ""


def _refuse_partner(text: str, partner: OdooPartner | None) -> str:
    if not _is_id(text):
        return f"“{text}” is no id of a partner: a whole number from 1 on."
    if partner is None:
        return f"Partner {text} is not in the mirror: synchronise Odoo, or correct it."
    if partner.gone_at is not None:
        return f"Partner {text} is gone in Odoo: deleted, or merged into another one."
    return "" if partner.is_active else f"Partner {text} ({partner.name}) is archived in Odoo."
