"""Every goal that is measured, by its number."""

from tests.bench import batch_of_100, batch_of_1000, duplicates, mirroring, rating, serializer, single_event
from tests.bench.goal import Goal

GOALS: dict[int, Goal] = {
    goal.number: goal
    for goal in (
        batch_of_1000.GOAL,
        batch_of_100.GOAL,
        serializer.GOAL,
        single_event.GOAL,
        *rating.GOALS,
        duplicates.GOAL,
        mirroring.GOAL,
    )
}
