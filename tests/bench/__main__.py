"""`python -m tests.bench [numbers]`: measures the goals side by side and prints what was reached."""

import argparse
import statistics
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from tests.bench.goal import Contender, Goal
from tests.bench.goals import GOALS
from tests.bench.stage import Stage, open_stage

REPETITIONS = 5


def main() -> None:
    """Measures the goals asked for, else all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, help=f"of {', '.join(map(str, GOALS))}")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    options = parser.parse_args()
    goals = [GOALS[number] for number in options.numbers or GOALS]
    with open_stage() as stage:
        rates = measure(stage, goals, options.repetitions)
    print_table(goals, rates)


def measure(stage: Stage, goals: Sequence[Goal], repetitions: int) -> dict[Contender, float]:
    """The median rate of each contender; all take turns, after one round that only warms up."""
    contenders = list(dict.fromkeys(side for goal in goals for side in (goal.over, goal.under)))
    rounds: dict[Contender, list[float]] = {contender: [] for contender in contenders}
    turns = [contender for _ in range(repetitions + 1) for contender in contenders]
    for contender in tqdm(turns, unit="run", leave=False):
        stage.clear()
        rounds[contender].append(contender(stage))
    return {contender: statistics.median(rates[1:]) for contender, rates in rounds.items()}


def print_table(goals: Sequence[Goal], rates: Mapping[Contender, float]) -> None:
    """The rates, which depend on the machine, and the ratios, which should not."""
    for contender, rate in rates.items():
        print(f"{contender.__name__.replace('_', ' '):<40}{rate:>12,.0f}/s")
    print(f"\n{'':>4}{'ratio':<62}{'goal':>7}{'stretch':>9}{'measured':>10}")
    for goal in goals:
        ratio = goal.measure(rates)
        bound = "≤" if goal.is_ceiling else "≥"
        print(
            f"{goal.number:>3} {goal.title:<62}{bound}{goal.goal:>6.2f}{bound}{goal.stretch:>8.2f}"
            f"{ratio:>10.2f}  {goal.judge(ratio)}"
        )


if __name__ == "__main__":
    main()
