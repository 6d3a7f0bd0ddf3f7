"""What a cutover is judged by, and which changes of it let through what was held back before."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule and its value as text, "" for none; `default` is what holds where it is not set.

    `is_loose_upwards` says whether a larger value lets more through, and no value the most.
    """

    name: str
    value: str
    default: str
    is_loose_upwards: bool


def find_loosened(before: Sequence[Rule], after: Sequence[Rule]) -> list[str]:
    """Each rule that lets more through than before, as "name before → after"."""
    old, new = ({rule.name: rule for rule in rules} for rules in (before, after))
    found = []
    for name in dict.fromkeys([*old, *new]):
        rule = new.get(name) or old[name]
        was = old[name].value if name in old else rule.default
        now = rule.value if name in new else rule.default
        if _is_looser(was, now, is_loose_upwards=rule.is_loose_upwards):
            found.append(f"{name} {was or 'none'} → {now or 'none'}")
    return found


def _is_looser(was: str, now: str, *, is_loose_upwards: bool) -> bool:
    if not was or not now:
        return bool(was)
    return Decimal(now) > Decimal(was) if is_loose_upwards else Decimal(now) < Decimal(was)
