"""`python -m tests.bench.stripe_month [invoices]`: a month of Stripe invoices fetched, attributed and reconciled.

Prints how many seconds each step takes, how many of them this process computed, and how much memory it needs beyond
what it began with; the server is a process of its own. Every invoice is another customer's, with a plan in advance
and usage in arrears.
"""

import json
import multiprocessing
import os
import resource
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime

from tests.bench.stage import make_database, prepare_tables
from tests.stripe_standin.objects import DECEMBER, NOVEMBER, invoice, line
from tests.stripe_standin.server import KEY, StripeStandIn, start
from tests.throwaway_cluster import make_run_directory

INVOICES = 100_000
BATCH = 1_000


class Month(StripeStandIn):
    """An account of so many invoices, each made when it is asked for."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def answer(self, path, query, key):
        if path != "/v1/invoices":
            return super().answer(path, query, key)
        after = query.get("starting_after")
        first = self.count - 1 if after is None else int(after.removeprefix("in_")) - 1
        numbers = range(first, max(first - int(query["limit"]), -1), -1)
        page = {"data": [_make(number) for number in numbers], "has_more": bool(numbers) and numbers[-1] > 0}
        return 200, json.dumps(page)


def _make(number):
    lines = [
        line(f"il_{number}_usage", 1000 + number % 997, tax=130, description="API calls"),
        line(f"il_{number}_plan", 9900, start=NOVEMBER, end=DECEMBER, tax=1287),
    ]
    return invoice(f"in_{number}", lines, customer=f"cus_{number}", created=NOVEMBER + number % 86_400)


def _serve(count, addresses):
    with start(Month(count)) as running:
        addresses.put(running.url)
        time.sleep(86_400)


@contextmanager
def _running(count):
    addresses = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(count, addresses), daemon=True
    )
    process.start()
    try:
        yield addresses.get(timeout=30)
    finally:
        process.terminate()
        process.join()


def main() -> None:
    """Measures it on a database of its own, which is gone afterwards."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else INVOICES
    with ExitStack() as stack:
        folder = stack.enter_context(make_run_directory())
        os.environ.update(
            DATABASE_URL=stack.enter_context(make_database(folder)),
            DATA_DIR=str(folder),
            DJANGO_SETTINGS_MODULE="billing_console.settings",
            LOG_LEVEL="WARNING",
            STRIPE_API_KEY=KEY,
            STRIPE_API_BASE=stack.enter_context(_running(count)),
        )
        prepare_tables()
        _measure(count)


def _measure(count):
    from reconciliation.connectors.stripe.records import Kind
    from reconciliation.models import Amount, Reconciliation
    from reconciliation.reconcile import reconcile_period
    from reconciliation.stripe.connection import connect, find_account
    from reconciliation.stripe.fetching import fetch
    from reconciliation.stripe.settling import settle

    service = _prepare(count)
    api = connect()
    account = find_account(api)
    began = _memory()
    with _timed(f"fetch {count:,} invoices"):
        fetched = fetch(api=api, account=account, echo=_draw)
    assert fetched.read[Kind.INVOICES] == count
    with _timed("attribute them"):
        settled = settle(account=account, echo=lambda done, of: _draw("Attributing", done, of))
    assert settled.states == {"claimed": count}
    for label in ("2026-10", "2026-11"):
        with _timed(f"reconcile {label}"):
            reconcile_period(service=service, period_label=label, now=datetime(2026, 12, 10, tzinfo=UTC))
    print(f"{Amount.objects.count():,} amounts, {Reconciliation.objects.count():,} rows")
    print(f"memory: {began:,} MB before, {_memory():,} MB at most")


def _prepare(count):
    from ingest.models import Customer, Service
    from reconciliation.models import BillingKind, BillingSource, ClaimRules

    service = Service.objects.create(
        code="nexacloud-month", name="NexaCloud", phase="dual_run", timezone="America/Toronto"
    )
    BillingSource.objects.create(
        service=service, kind=BillingKind.STRIPE_INVOICES, starts_on=date(2026, 1, 1), reason="Measured."
    )
    rule = {"fact": "metadata", "key": "service", "value": "nexacloud"}
    ClaimRules.objects.create(service=service, version=1, rules=[rule], reason="Measured.")
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        Customer.objects.bulk_create(
            Customer(service=service, external_id=f"customer-{n}", stripe_customer_id=f"cus_{n}")
            for n in numbers
        )
    return service


@contextmanager
def _timed(what):
    began, computed = time.monotonic(), time.process_time()
    yield
    seconds, own = time.monotonic() - began, time.process_time() - computed
    print(f"\r{what}: {seconds:.1f} s, {own:.1f} s of them its own work{'':20}", flush=True)


def _draw(stage, done, of):
    if sys.stderr.isatty():
        print(f"\r{stage} {done:,}", end="", file=sys.stderr)


def _memory():
    """The most that this process ever needed, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
