"""Goal 2: a batch of a hundred over HTTP against raw COPY."""

from tests.bench.copying import copy_rows
from tests.bench.goal import Goal
from tests.bench.intake import post_batches_of_100

GOAL = Goal(
    number=2,
    title="HTTP batch 100 ÷ raw COPY on one connection",
    over=post_batches_of_100,
    under=copy_rows,
    goal=0.33,
    stretch=0.50,
)
