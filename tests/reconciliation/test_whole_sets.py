"""Whole periods are joined as sets, whatever the planner knows of their tables, and nothing else is."""

import pytest
from django.db import connection, transaction

from reconciliation.whole_sets import join_sets
from tests import factories
from tests.reconciliation.sides import external, judge, odoo

pytestmark = pytest.mark.django_db

JOIN = """EXPLAIN SELECT 1 FROM ingest_subscription AS subscription
JOIN ingest_customer AS customer ON customer.id = subscription.customer_id
WHERE subscription.service_id = 1 AND customer.service_id = 1"""


def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_what_the_planner_never_counted_is_not_joined_row_by_row():
    assert "Nested Loop" in ask(JOIN)
    with join_sets():
        assert "Nested Loop" not in ask(JOIN)
    assert "Nested Loop" in ask(JOIN)


def test_the_judging_statement_is_planned_so_and_what_follows_it_is_not():
    customer = factories.CustomerFactory()
    odoo(customer, "95.00")
    external(customer)
    seen = []

    def watch(execute, sql, params, many, context):
        if "WITH held AS" in sql or "ingest_fee" in sql or "reconciliation_amountline" in sql:
            seen.append(("WITH held AS" in sql or "AS taxable" in sql, ask("SHOW enable_nestloop")))
        return execute(sql, params, many, context)

    with transaction.atomic(), connection.execute_wrapper(watch):
        judge(customer.service)
    assert set(seen) == {(True, "off"), (False, "on")}


def test_a_statement_that_fails_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError), transaction.atomic(), join_sets():
        raise ZeroDivisionError
    assert ask("SHOW enable_nestloop") == "on"
