"""Goal 1: a batch of a thousand over HTTP against raw COPY."""

from tests.bench.copying import copy_rows
from tests.bench.goal import Goal
from tests.bench.intake import post_batches_of_1000

GOAL = Goal(
    number=1,
    title="HTTP batch 1000 ÷ raw COPY on one connection",
    over=post_batches_of_1000,
    under=copy_rows,
    goal=0.60,
    stretch=0.85,
)
