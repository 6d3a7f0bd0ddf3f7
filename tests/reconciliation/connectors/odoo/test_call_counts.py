"""How many calls a push takes: a handful, however many customers it is for."""

import pytest

from reconciliation.connectors.odoo.readback import verify
from tests.reconciliation.connectors.odoo.drafting import Shop


@pytest.fixture
def shop(back_office):
    return Shop(back_office)


def test_a_hundred_customers_take_seven_calls_and_five_to_read_back(connector, transport, shop):
    drafts = [shop.usual(f"k{number}") for number in range(100)]
    outcomes = connector.write_quotations(drafts)
    assert transport.calls == [
        "crm.tag.load",
        "sale.order.load",
        "sale.order.read",
        "sale.order.load",
        "sale.order.line.load",
        "sale.order.line.search_read",
        "sale.order.line.get_external_id",
    ]
    transport.calls.clear()
    known = {key: outcome.record_id for key, outcome in outcomes.items()}
    quotations = connector.read_quotations(list(known), known)
    assert transport.calls == [
        "sale.order.get_external_id",
        "sale.order.search_read",
        "sale.order.line.search_read",
        "sale.order.line.get_external_id",
        "res.currency.search_read",
    ]
    assert all(verify(draft, quotations[draft.key]) == [] for draft in drafts)


@pytest.mark.parametrize("customers", [100, 1000])
def test_a_thousand_fees_with_read_back_take_at_most_fifteen(connector, transport, shop, customers):
    drafts = [
        shop.draft(f"k{number}", *(shop.usage(f"fee{fee}", "1.23") for fee in range(1000 // customers)))
        for number in range(customers)
    ]
    outcomes = connector.write_quotations(drafts)
    connector.read_quotations(list(outcomes), {key: outcome.record_id for key, outcome in outcomes.items()})
    assert len(transport.calls) <= 15


def test_more_than_a_thousand_lines_go_in_batches(connector, transport, shop, monkeypatch):
    monkeypatch.setattr("reconciliation.connectors.odoo.quotation.BATCH_LINES", 6)
    outcomes = connector.write_quotations([shop.usual(f"k{number}") for number in range(5)])
    assert all(outcome.is_written for outcome in outcomes.values())
    assert transport.counts()["sale.order.load"] == 6
    assert transport.counts()["crm.tag.load"] == 1
