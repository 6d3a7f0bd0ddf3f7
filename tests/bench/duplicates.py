"""Goal 11: what a batch of nothing but duplicates costs, against a new one."""

from tests.bench.goal import Goal
from tests.bench.intake import post_batches_of_100, post_duplicate_batches

# The time of a duplicate batch over that of a new one: their rates the other way round.
GOAL = Goal(
    number=11,
    title="an all-duplicates batch ÷ an all-new batch, in time",
    over=post_batches_of_100,
    under=post_duplicate_batches,
    goal=1.5,
    stretch=1.0,
    is_ceiling=True,
)
