"""The peers as contenders, posted to as the endpoint is."""

from tests.bench.intake import BATCH_CONNECTIONS, SINGLE_CONNECTIONS
from tests.bench.posting import make_batches, make_singles, post_all
from tests.bench.stage import Stage


def insert_with_orm(stage: Stage) -> float:
    """Events per second, one a request, through a small view with one ORM INSERT."""
    bodies = make_singles(3000)
    seconds = post_all(stage, stage.peers_port, "/insert", bodies, connections=SINGLE_CONNECTIONS)
    return len(bodies) / seconds


def serialize_batches_of_100(stage: Stage) -> float:
    """Events per second in batches of a hundred, through a serializer and bulk_create."""
    bodies = make_batches(150, 100)
    seconds = post_all(stage, stage.peers_port, "/serialize", bodies, connections=BATCH_CONNECTIONS)
    return len(bodies) * 100 / seconds
