"""What the mirror must be equal to, many invoices at once, and how long the server itself takes to answer."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from billing_console.demo.odoo_standin.environment import Environment
from reconciliation import mirror
from reconciliation.mirror_rows import SHELVES
from reconciliation.models import RunKind
from reconciliation.runs import perform, start_run
from reconciliation.work import do_work

HST = 1


def in_pages_of(size):
    """All shelves, read in small pages."""
    return [replace(shelf, kind=replace(shelf.kind, size=size)) for shelf in SHELVES]


def held_by_odoo(connector, shelf):
    """The columns of every record that Odoo has, by id."""
    return {record.id: dict(shelf.columns(record)) for record in connector.read_all(shelf.kind)}


def held_by_mirror(shelf, names):
    rows = shelf.model.objects.filter(gone_at=None).values("odoo_id", *names)
    return {row.pop("odoo_id"): _plain(row) for row in rows}


def _plain(row):
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def assert_equal(connector):
    """The mirror holds what Odoo holds, kind by kind, and nothing else."""
    for shelf in SHELVES:
        odoo = held_by_odoo(connector, shelf)
        names = next(iter(odoo.values()), {"odoo_id": None}).keys()
        assert held_by_mirror(shelf, names) == odoo, shelf.name


def make_invoices(stand_in, count, *, partner, lines=3):
    """Writes posted invoices into the stand-in's store, as thousands of wizard runs would leave them."""
    application = stand_in.application
    with application._lock, application._store.transaction():
        env = Environment(
            application._store, application.registry, user_id=0, now=datetime.now(UTC), context={}
        )
        product = env.insert("product.product", {"name": "Bulk", "list_price": Decimal(10)})["id"]
        for number in range(count):
            _make_invoice(env, number, partner, product, lines)


def _make_invoice(env, number, partner, product, lines):
    untaxed = Decimal(10) * lines
    move = {
        "move_type": "out_invoice",
        "name": f"INV/2026/{number:05}",
        "state": "posted",
        "partner_id": partner,
        "currency_id": env.currency_id,
        "invoice_date": "2026-10-01",
        "amount_untaxed": untaxed,
        "amount_tax": untaxed * Decimal("0.13"),
        "amount_total": untaxed * Decimal("1.13"),
    }
    move_id = env.insert("account.move", move)["id"]
    line = {"move_id": move_id, "product_id": product, "name": "API calls 2026-09", "tax_ids": [HST]}
    amounts = {"price_unit": Decimal(10), "price_subtotal": Decimal(10), "price_total": Decimal("11.3")}
    for _ in range(lines):
        env.insert("account.move.line", line | amounts | {"balance": Decimal(-10)})
    tax = {"display_type": "tax", "name": "13% HST", "balance": -move["amount_tax"], "quantity": Decimal(0)}
    env.insert("account.move.line", {"move_id": move_id} | tax)


class ServerTime:
    """Adds up the seconds that a stand-in spends on answers, within the block; of the processor unless told."""

    def __init__(self, stand_in, clock):
        self._clock = clock
        self.seconds = 0.0
        self._application = stand_in.application
        self._answer = self._application.answer

    def __enter__(self):
        self._application.answer = self._time
        return self

    def __exit__(self, *_):
        self._application.answer = self._answer

    def _time(self, *args, **named):
        began = self._clock()
        try:
            return self._answer(*args, **named)
        finally:
            self.seconds += self._clock() - began


def sync(world, service=None):
    """A sync as a run."""
    return perform(start_run(kind=RunKind.SYNC, service=service), do_work)


def confirmed_order(world, **values):
    order = world.office.create(
        "sale.order",
        partner_id=world.partner,
        client_order_ref="NexaCloud",
        is_subscription=True,
        order_line=[[0, 0, {"product_id": world.plan.odoo_product_id, "product_uom_qty": 1}]],
        **values,
    )
    world.office.call("sale.order", "action_confirm", [order])
    return order


def before_storing(monkeypatch, number, act):
    """Something happens between the reading and the storing of the n-th page."""
    store_page, pages = mirror._store_page, itertools.count()

    def watch(*page):
        if next(pages) == number:
            monkeypatch.setattr(mirror, "_store_page", store_page)
            act()
        return store_page(*page)

    monkeypatch.setattr(mirror, "_store_page", watch)


def kill():
    """A worker is killed here."""
    raise KeyboardInterrupt
