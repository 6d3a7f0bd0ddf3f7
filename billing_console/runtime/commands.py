"""Which services a management command needs, so that it works beside a console and alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from billing_console.runtime.lease import hold_services
from billing_console.runtime.options import read_options

# These look at code and settings only; for them no database is started, and Django reports wrong settings.
WITHOUT_DATABASE = {
    "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
    "makemigrations", "rate", "spectacular", "startapp", "startproject", "version",
}  # fmt: skip
WITH_ODOO = {"sync_odoo", "push_usage", "fetch_odoo_amounts", "load_demo"}
ASKS_FOR_HELP = {"-h", "--help", "--version"}


@contextmanager
def hold_for(arguments: Sequence[str]) -> Iterator[None]:
    """The services of one command line are up for the block; a wrong setting is a `ConsoleError`."""
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in WITHOUT_DATABASE or ASKS_FOR_HELP & set(arguments):
        yield
        return
    options = read_options()
    with hold_services(
        options.data_dir,
        has_database=not options.database_url,
        has_odoo=options.has_demo and command in WITH_ODOO,
    ):
        yield
