"""How likely a customer of a service is a partner of Odoo's, and on what evidence: a person decides.

Evidence adds up to at most 100. An identifier that both carry weighs more than what several may share; a partner
that is archived, or an address under another one, is less likely the one that is billed.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST = 100
# Below it names are two names.
ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What a service says of its customer; empty is not known."""

    external_id: str
    name: str = ""
    email: str = ""
    vat: str = ""
    stripe_id: str = ""


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """What the mirror says of a partner; `stripe_ids` are those of customers already linked to it."""

    odoo_id: int
    name: str
    ref: str = ""
    email: str = ""
    vat: str = ""
    stripe_ids: frozenset[str] = frozenset()
    is_active: bool = True
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for or against, in words, and what it weighs."""

    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Match:
    """A partner that a customer may be, how likely (0 to 100), and why."""

    partner: PartnerFacts
    score: int
    evidence: tuple[Evidence, ...]


def score(customer: CustomerFacts, partner: PartnerFacts) -> Match | None:
    """The match of the two; None when nothing speaks for it."""
    found = [*_evidence_for(customer, partner)]
    if not found:
        return None
    found += _evidence_against(partner)
    points = sum(each.points for each in found)
    return Match(partner, max(0, min(MOST, points)), tuple(found))


def _evidence_for(customer: CustomerFacts, partner: PartnerFacts) -> Iterator[Evidence]:
    if partner.ref and partner.ref == customer.external_id:
        yield Evidence(70, "the partner's reference is the customer's id")
    if customer.stripe_id and customer.stripe_id in partner.stripe_ids | {partner.ref}:
        yield Evidence(70, "the same Stripe customer")
    if is_same(normalise_vat(customer.vat), normalise_vat(partner.vat)):
        yield Evidence(50, "the same tax id")
    if is_same(normalise_email(customer.email), normalise_email(partner.email)):
        yield Evidence(35, "the same e-mail")
    ours, theirs = normalise_name(customer.name), normalise_name(partner.name)
    if is_same(ours, theirs):
        yield Evidence(25, "the same name")
    elif ours and theirs and SequenceMatcher(None, ours, theirs).ratio() >= ALIKE:
        yield Evidence(10, "names that are alike")


def _evidence_against(partner: PartnerFacts) -> Iterator[Evidence]:
    if not partner.is_active:
        yield Evidence(-40, "the partner is archived")
    if partner.is_address:
        yield Evidence(-15, "it is a contact or an address of another partner")


def is_same(ours: str, theirs: str) -> bool:
    """Equal, and known."""
    return bool(ours) and ours == theirs


def normalise_vat(vat: str) -> str:
    """Letters and digits alone: a tax id is written with spaces, dots and dashes."""
    return re.sub(r"[^0-9A-Z]", "", vat.upper())


def normalise_email(email: str) -> str:
    """Without the case, which no mail server minds."""
    return email.strip().lower()


LEGAL_FORMS = frozenset(
    {"ag", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "limited"}
    | {"llc", "llp", "ltd", "ltee", "plc", "sa", "sarl", "sas"}
)


def normalise_name(name: str) -> str:
    """Without case, accents, punctuation and legal forms."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    return " ".join(word for word in words if word not in LEGAL_FORMS)
