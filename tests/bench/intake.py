"""The complete endpoint over HTTP, committed and deduplicated."""

from tests.bench.posting import make_batches, make_singles, post_all
from tests.bench.stage import Stage

BATCH = "/api/v1/events/batch"
SINGLE = "/api/v1/events"
BATCH_CONNECTIONS = 8
SINGLE_CONNECTIONS = 16


def post_batches_of_1000(stage: Stage) -> float:
    """Events per second in batches of a thousand."""
    return _post_batches(stage, 100, 1000)


def post_batches_of_100(stage: Stage) -> float:
    """Events per second in batches of a hundred."""
    return _post_batches(stage, 800, 100)


def post_duplicate_batches(stage: Stage) -> float:
    """Events per second in batches of a hundred that are all stored already."""
    bodies = make_batches(400, 100)
    post_all(stage, stage.console_port, BATCH, bodies, connections=BATCH_CONNECTIONS)
    seconds = post_all(stage, stage.console_port, BATCH, bodies, connections=BATCH_CONNECTIONS, status=422)
    return len(bodies) * 100 / seconds


def post_single_events(stage: Stage) -> float:
    """Events per second, one a request."""
    bodies = make_singles(5000)
    return len(bodies) / post_all(stage, stage.console_port, SINGLE, bodies, connections=SINGLE_CONNECTIONS)


def _post_batches(stage: Stage, batches: int, size: int) -> float:
    bodies = make_batches(batches, size)
    seconds = post_all(stage, stage.console_port, BATCH, bodies, connections=BATCH_CONNECTIONS)
    return batches * size / seconds
