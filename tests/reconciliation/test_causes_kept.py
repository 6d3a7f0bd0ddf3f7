"""The machine's suggestion stays on the row: the main cause of its delta, as the lines of both sides tell it."""

from decimal import Decimal

import pytest

from reconciliation.causes import suggest_causes
from reconciliation.lines import read_many
from reconciliation.models import Reconciliation
from tests import factories
from tests.reconciliation.sides import change, expect, external, gone, judge, odoo, row_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return factories.CustomerFactory()


def with_lines(amount, **untaxed):
    """Gives an amount a line per code."""
    for position, (code, value) in enumerate(untaxed.items(), start=1):
        factories.AmountLineFactory(amount=amount, position=position, code=code, untaxed=Decimal(value))
    return amount


def test_the_largest_cause_is_kept(customer):
    with_lines(odoo(customer, "60.00"), api="50.00", sto="10.00")
    with_lines(external(customer, "100.00"), api="51.00", old="49.00")
    judge(customer.service)
    assert row_of(customer).cause == "missing_odoo"


def test_a_match_has_no_cause(customer):
    with_lines(odoo(customer), api="100.00")
    with_lines(external(customer), api="100.00")
    judge(customer.service)
    assert (row_of(customer).status, row_of(customer).cause) == ("match", "")


@pytest.mark.parametrize(("present", "cause"), [(odoo, "missing_external"), (external, "missing_odoo")])
def test_a_row_that_was_not_compared_has_its_outcome_for_a_cause(customer, present, cause):
    with_lines(present(customer), api="100.00")
    judge(customer.service)
    assert row_of(customer).cause == cause


def test_what_is_only_expected_is_missing_in_odoo(customer):
    expect(customer)
    judge(customer.service)
    assert row_of(customer).cause == "missing_odoo"


def test_a_row_whose_documents_are_all_gone_says_so(customer):
    amount = external(customer)
    judge(customer.service)
    gone(amount)
    judge(customer.service)
    assert row_of(customer).cause == "missing_odoo"


def test_zero_on_one_side_alone_is_still_missing_on_the_other(customer):
    external(customer, "0.00")
    judge(customer.service)
    assert row_of(customer).cause == "missing_odoo"


def test_an_unlinked_customer_is_the_cause_whatever_the_sides_say(customer):
    customer.odoo_partner_id = None
    customer.save()
    odoo(customer)
    external(customer)
    judge(customer.service)
    assert (row_of(customer).delta, row_of(customer).cause) == (0, "unlinked")


def test_only_the_lines_of_rows_with_a_difference_are_read(customer, monkeypatch):
    read = []
    monkeypatch.setattr("reconciliation.causes.read_many", lambda rows: read.extend(rows) or read_many(rows))
    odoo(customer, "95.00")
    external(customer)
    for side in (odoo, external):
        side(factories.CustomerFactory(service=customer.service))
    agreeing = factories.CustomerFactory(service=customer.service)
    odoo(agreeing)
    external(agreeing)
    judge(customer.service)
    assert read == [row_of(customer)]


def test_the_cause_follows_the_figures(customer):
    with_lines(odoo(customer), api="100.00")
    amount = with_lines(external(customer, "90.00"), api="90.00")
    judge(customer.service)
    assert row_of(customer).cause
    with_lines(change(amount, "100.00"), api="100.00")
    judge(customer.service)
    assert row_of(customer).cause == ""


def test_a_suggestion_changes_nothing_but_the_cause(customer):
    with_lines(odoo(customer, "95.00"), api="95.00")
    with_lines(external(customer), api="100.00")
    judge(customer.service)
    before = Reconciliation.objects.values().get()
    Reconciliation.objects.update(cause="")
    suggest_causes([before["id"]])
    assert Reconciliation.objects.values().get() == before


def test_many_rows_are_explained_in_batches(customer, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr("reconciliation.causes.BATCH", 10)
    for _ in range(25):
        other = factories.CustomerFactory(service=customer.service)
        with_lines(odoo(other, "95.00"), api="95.00")
        with_lines(external(other), api="100.00")
    judge(customer.service)
    ids = list(Reconciliation.objects.values_list("pk", flat=True))
    Reconciliation.objects.update(cause="")
    with django_assert_max_num_queries(30):
        suggest_causes(ids)
    assert not Reconciliation.objects.filter(cause="").exists()


def test_no_rows_take_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        suggest_causes([])
