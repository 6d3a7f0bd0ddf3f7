"""Goal 4: one event a request against the smallest Django view."""

from tests.bench.alternatives import insert_with_orm
from tests.bench.goal import Goal
from tests.bench.intake import post_single_events

GOAL = Goal(
    number=4,
    title="single event ÷ small Django view with one ORM INSERT",
    over=post_single_events,
    under=insert_with_orm,
    goal=1.0,
    stretch=2.0,
)
