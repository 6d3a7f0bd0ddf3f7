"""The mirror equals Odoo whatever happens to both, and takes calls, statements and time as it should."""

import random

from django.db import connection
from django.test.utils import CaptureQueriesContext

from reconciliation import mirror
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.mirror_rows import BILLED
from tests.reconciliation.connectors.odoo.conftest import CountingTransport
from tests.reconciliation.mirrored import (
    assert_equal,
    before_storing,
    confirmed_order,
    in_pages_of,
    kill,
    make_invoices,
    sync,
)


def test_the_mirror_equals_odoo_after_random_changes_and_interleaved_syncs(world, monkeypatch):
    """Also when syncs are cut off at any call, and begin while another one is under way."""
    chance = random.Random(19)
    sync(world)
    for _ in range(12):
        for _ in range(chance.randint(1, 5)):
            change_something(world, chance)
        transport = CountingTransport(world.transport())
        if chance.random() < 0.5:
            transport.before[chance.randrange(12)] = kill
        else:
            before_storing(monkeypatch, chance.randrange(6), lambda: sync(world))
        try:
            mirror.sync(connector=OdooConnector(transport, company_id=1), shelves=in_pages_of(3))
        except KeyboardInterrupt:
            continue
    sync(world)
    assert_equal(world.connector)


def change_something(world, chance):
    """Somebody in Odoo makes, changes, archives or deletes a record."""
    office = world.office
    model = chance.choice(
        ["res.partner", "product.product", "account.tax", "sale.order.line", "account.move"]
    )
    ids = [
        record
        for record in office.find(model, ["id", ">", 7 if model == "account.tax" else 1])
        if record != world.partner
    ]
    match chance.choice(["make", "write", "archive", "unlink"]) if ids else "make":
        case "make" if model == "account.move":
            make_invoices(world.stand_in, 1, partner=world.partner)
        case "make" if model == "sale.order.line":
            confirmed_order(world)
        case "make":
            office.create(model, name=f"Made {chance.random()}", **({"amount": 3} if "tax" in model else {}))
        case "archive" if model in {"res.partner", "product.product", "account.tax"}:
            office.call(model, "write", [chance.choice(ids)], {"active": False})
        case "unlink" if model in {"res.partner", "account.tax"}:
            office.call(model, "unlink", [chance.choice(ids)])
        case "unlink" if model == "account.move":
            move = chance.choice(ids)
            office.call(model, "write", [move], {"state": "draft"})
            office.call(model, "unlink", [move])
        case _:
            changes = {"account.move": {"ref": "changed"}, "sale.order.line": {"qty_delivered": 3}}
            office.call(
                model, "write", [chance.choice(ids)], changes.get(model, {"name": f"Named {chance.random()}"})
            )


def test_statements_and_calls_grow_with_pages_and_not_with_records(world):
    def count(records):
        make_invoices(world.stand_in, records, partner=world.partner)
        mirror.forget_passes(company_id=1)
        transport = CountingTransport(world.transport())
        with CaptureQueriesContext(connection) as queries:
            mirror.sync(connector=OdooConnector(transport, company_id=1), shelves=BILLED)
        return len(transport.calls), len(queries)

    few, many = count(5), count(300)
    assert few == many
    assert few[0] <= 7  # two pages, external ids, currencies, the optional fields, and both ids
    assert few[1] <= 40
