"""The console's settings with the peers alone, and no middleware to slow them."""

from billing_console.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.peers"
MIDDLEWARE: list[str] = []
