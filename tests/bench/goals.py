"""Every goal that is measured, by its number."""

from tests.bench import batch_of_100, batch_of_1000, duplicates, mirroring, rating, serializer, single_event
from tests.bench.goal import Goal

GOALS: dict[int, Goal] = {
    module.GOAL.number: module.GOAL
    for module in (batch_of_1000, batch_of_100, serializer, single_event, rating, duplicates, mirroring)
}
