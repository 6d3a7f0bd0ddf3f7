"""Goal 3: a batch of a hundred against REST framework's own way."""

from tests.bench.alternatives import serialize_batches_of_100
from tests.bench.goal import Goal
from tests.bench.intake import post_batches_of_100

GOAL = Goal(
    number=3,
    title="HTTP batch 100 ÷ serializer many=True and bulk_create",
    over=post_batches_of_100,
    under=serialize_batches_of_100,
    goal=3,
    stretch=4.5,
)
