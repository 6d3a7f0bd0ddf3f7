"""Rules tell whose a bill is: in order within a service, and never by a guess between two."""

import pytest

from reconciliation.comparison.ownership import (
    Book,
    Fact,
    Rule,
    RuleError,
    find_claims,
    parse_rules,
    write_rules,
)

FACTS = {
    "metadata:service": frozenset({"nexacloud"}),
    "product": frozenset({"prod_1", "prod_2"}),
    "descriptor": frozenset({"NEXA*CLOUD OCT"}),
}
TEXT = """metadata service = nexacloud
product = prod_9
price = price_1
subscription = sub_1
descriptor = Nexa Cloud*
account = acct_1"""


def test_rules_read_as_people_write_them_and_are_written_back_the_same():
    assert write_rules(parse_rules(TEXT)) == TEXT
    assert parse_rules(" metadata  service=x y \n\n") == (Rule(Fact.METADATA, "x y", "service"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nexacloud", "Line 1: it must read like"),
        ("product =", "Line 1: it must read like"),
        ("product = a\ncolour = red", "Line 2: 'colour' is none of metadata, product"),
        ("metadata = nexacloud", "Line 1: metadata needs a key"),
        ("product key = a", "Line 1: metadata needs a key"),
        ("product = *", "Line 1: it would claim everything."),
        ("product = a\nproduct = a", "Line 2: it is there twice."),
        ("product = " + "a" * 501, "Line 1: its value is too long"),
        ("\n".join(f"product = {n}" for n in range(201)), "Line 201: these are more than 200"),
    ],
)
def test_a_line_that_is_no_rule_is_refused_by_its_number(text, reason):
    with pytest.raises(RuleError) as refusal:
        parse_rules(text)
    assert refusal.value.message.startswith(reason)


@pytest.mark.parametrize(
    ("rule", "is_claimed"),
    [
        ("metadata service = nexacloud", True),
        ("metadata service = nexa*", True),
        ("metadata service = nexa", False),
        ("metadata product = nexacloud", False),
        ("product = prod_2", True),
        ("descriptor = nexa*", True),
        ("descriptor = nexa*cloud oct", True),
        ("account = acct_1", False),
    ],
)
def test_a_rule_asks_for_one_fact(rule, is_claimed):
    assert bool(find_claims(FACTS, [Book(1, 1, parse_rules(rule))])) is is_claimed


def test_the_first_rule_of_a_service_claims_and_every_service_that_claims_is_told():
    books = [
        Book(1, 3, parse_rules("product = prod_9\nproduct = prod_2\nproduct = prod_1")),
        Book(2, 1, parse_rules("account = acct_1")),
        Book(3, 1, parse_rules("descriptor = nexa*")),
    ]
    claims = [(claim.service_id, claim.version, str(claim.rule)) for claim in find_claims(FACTS, books)]
    assert claims == [(1, 3, "product = prod_2"), (3, 1, "descriptor = nexa*")]
