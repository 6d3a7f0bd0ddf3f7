"""Goal 12: mirroring 5,000 invoices with their lines against the server's own time to answer the calls."""

from time import perf_counter

from tests.bench.goal import Goal
from tests.bench.stage import Stage

INVOICES = 5_000


def answer_the_calls(stage: Stage) -> float:
    """Invoices per second, of the stand-in's own time while it is mirrored."""
    return INVOICES / _mirror()[1]


def mirror_invoices(stage: Stage) -> float:
    """Invoices per second from the first call to the last row, on the wire and in the database."""
    return INVOICES / _mirror()[0]


def _mirror() -> tuple[float, float]:
    """The seconds of the whole, and those of the server in it."""
    from billing_console.demo.odoo_standin.server import start
    from reconciliation import mirror
    from reconciliation.connectors.odoo.connector import OdooConnector
    from reconciliation.mirror_rows import BILLED
    from tests.reconciliation.mirrored import ServerTime, make_invoices

    with start() as stand_in:
        make_invoices(stand_in, INVOICES, partner=1, lines=2)
        connector = OdooConnector.connect(
            url=stand_in.url,
            database=stand_in.settings.database,
            login=stand_in.settings.login,
            api_key=stand_in.settings.key,
            company_id=1,
            read_billers=dict.fromkeys,  # it writes nothing
        )
        mirror.forget_passes(company_id=1)
        with ServerTime(stand_in, perf_counter) as server:
            began = perf_counter()
            mirror.sync(connector=connector, shelves=BILLED)
            return perf_counter() - began, server.seconds


GOAL = Goal(
    number=12,
    title="mirroring 5,000 invoices with lines ÷ the server's answers, time",
    over=answer_the_calls,
    under=mirror_invoices,
    goal=3.0,
    stretch=2.0,
    is_ceiling=True,
)
