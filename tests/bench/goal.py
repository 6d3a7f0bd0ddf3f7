"""A goal: the ratio of two contenders, and what it should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.stage import Stage

# Work done per second.
Contender = Callable[[Stage], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """`over` ÷ `under`, to be at least `goal`, or at most where `is_ceiling`."""

    number: int
    title: str
    over: Contender
    under: Contender
    goal: float
    stretch: float
    is_ceiling: bool = False

    def measure(self, rates: Mapping[Contender, float]) -> float:
        """The ratio, from the median rates of all contenders."""
        return rates[self.over] / rates[self.under]

    def judge(self, ratio: float) -> str:
        """What was reached."""
        reached = [
            word
            for word, bound in (("stretch", self.stretch), ("goal", self.goal))
            if (ratio <= bound if self.is_ceiling else ratio >= bound)
        ]
        return reached[0] if reached else "MISSED"
