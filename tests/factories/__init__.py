"""One factory per model: the smallest row that the constraints accept, for September 2026 in CAD."""

from tests.factories.base import *  # noqa: F403
from tests.factories.ingest import *  # noqa: F403
from tests.factories.odoo import *  # noqa: F403
from tests.factories.reconciliation import *  # noqa: F403
