"""Whether a service may be cut over: the conditions, what is missing, and the evidence they rest on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import takewhile
from typing import Any

from reconciliation.comparison.rules import Rule

DUAL_RUN = "dual_run"
# What is told beside the conditions, by its code: it is neither met nor missing, and never blocks.
TOLD = frozenset({"older_deltas", "rules"})
# How many of those that have no product are named: the admin's lists have them all.
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """What the rows of one closed period came to: each is in one of the four states.

    `open_deltas` were compared and lie above the tolerance; `missing` could not be compared, a side being
    missing, stale or not linked; both wait for a person. `versions` is the sum of the rows' versions: it grows with
    every change of a figure or a decision, so that facts with other figures are other facts.
    """

    label: str
    rows: int
    open_deltas: int
    missing: int
    matched: int
    resolved: int
    versions: int = 0

    @property
    def is_judged(self) -> bool:
        """Whether there is a row to go by; a period without one is known because something is to be judged."""
        return self.rows > 0

    @property
    def is_clean(self) -> bool:
        """Whether it was judged, and every row matches or is resolved."""
        return self.is_judged and not self.open_deltas and not self.missing


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    """What is known of a service whose cutover is asked for; `periods` are all closed ones, oldest first.

    `unmapped` are the plans and charges that are sold and have no product in Odoo, by their names;
    `also_judged` are the labels of the newest periods of other calendars, such as quarters beside months;
    `rules` is what all of it is judged by, and `loosened` what was loosened of it during the dual run, by whom.
    """

    phase: str
    effective_date: date
    required_clean_periods: int
    periods: tuple[PeriodFacts, ...]
    unlinked_customers: int
    unpushed_fees: int
    open_alarms: int
    unmapped: tuple[str, ...] = ()
    also_judged: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    loosened: tuple[str, ...] = ()

    @property
    def judged_periods(self) -> tuple[PeriodFacts, ...]:
        """The newest closed periods, as many as have to be clean, and those of every other calendar."""
        older = self.periods[: -self.required_clean_periods]
        others = tuple(period for period in older if period.label in self.also_judged)
        return (*others, *self.periods[-self.required_clean_periods :])

    @property
    def older_periods(self) -> tuple[PeriodFacts, ...]:
        """The closed periods before those that are judged."""
        judged = {period.label for period in self.judged_periods}
        return tuple(period for period in self.periods if period.label not in judged)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a cutover; `detail` says what there is or what is missing, `count` how much of it."""

    code: str
    is_met: bool
    label: str
    detail: str
    count: int

    @property
    def is_told(self) -> bool:
        """Whether it is only information; its `is_met` says no more than that it does not block."""
        return self.code in TOLD


@dataclass(frozen=True, slots=True)
class Readiness:
    """All conditions, whether every one is met, the digest of the facts and the rules that they were judged by."""

    conditions: tuple[Condition, ...]
    is_ready: bool
    digest: str
    rules: tuple[Rule, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report as it stands, to be kept beside the decision that it was given for."""
        return asdict(self)


def assess(facts: ReadinessFacts, *, today: date) -> Readiness:
    """Judges the facts; `today` is the date where the service bills, and the effective date lies after it.

    Only the newest required periods are judged: open deltas in older ones are told and do not block.
    """
    conditions = (
        _assess_phase(facts),
        _assess_date(facts, today),
        _assess_clean_periods(facts),
        _assess_deltas(facts),
        _assess_missing(facts),
        _assess_none(
            "customers_linked", "Every customer is linked", facts.unlinked_customers, "customer", "not linked"
        ),
        _assess_products(facts),
        _assess_none("usage_pushed", "All usage is pushed to Odoo", facts.unpushed_fees, "fee", "not pushed"),
        _assess_none("no_alarms", "No alarm is open", facts.open_alarms, "alarm", "open"),
        _tell_older_deltas(facts),
        _tell_rules(facts),
    )
    is_ready = all(condition.is_met for condition in conditions)
    return Readiness(conditions, is_ready, digest_of(facts), facts.rules)


def digest_of(facts: ReadinessFacts) -> str:
    """SHA-256 of the facts as canonical JSON: it changes when the evidence does, and not overnight."""
    text = json.dumps(asdict(facts), sort_keys=True, separators=(",", ":"), default=date.isoformat)
    return hashlib.sha256(text.encode()).hexdigest()


def _assess_phase(facts: ReadinessFacts) -> Condition:
    is_met = facts.phase == DUAL_RUN
    detail = "in its dual run" if is_met else f"the service is {facts.phase.replace('_', ' ')}"
    return Condition("dual_run", is_met, "The service is in its dual run", detail, 0)


def _assess_date(facts: ReadinessFacts, today: date) -> Condition:
    days = (facts.effective_date - today).days
    distance = f"{_count(days, 'day')} ahead" if days > 0 else "not in the future"
    detail = f"{facts.effective_date}, {distance}"
    return Condition("date_ahead", days > 0, "The effective date lies in the future", detail, max(days, 0))


def _assess_clean_periods(facts: ReadinessFacts) -> Condition:
    clean = sum(1 for _ in takewhile(lambda period: period.is_clean, reversed(facts.periods)))
    unjudged = [period.label for period in facts.judged_periods if not period.is_judged]
    detail = f"{clean} in a row, {facts.required_clean_periods} required"
    detail += f", not judged: {', '.join(unjudged)}" if unjudged else ""
    is_met = clean >= facts.required_clean_periods and not unjudged
    return Condition("clean_periods", is_met, "The newest closed periods are clean", detail, clean)


def _assess_deltas(facts: ReadinessFacts) -> Condition:
    counts = {period.label: period.open_deltas for period in facts.judged_periods}
    return _assess_periods("no_open_deltas", "No delta is open", counts, "open delta")


def _assess_missing(facts: ReadinessFacts) -> Condition:
    counts = {period.label: period.missing for period in facts.judged_periods}
    return _assess_periods("nothing_missing", "Both sides are there, fresh and linked", counts, "row")


def _assess_products(facts: ReadinessFacts) -> Condition:
    """Odoo bills nothing that has no product there: what a service adds over the API has none until one is set."""
    count = len(facts.unmapped)
    named = ", ".join(facts.unmapped[:MOST_NAMED])
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    detail = f"no product for {named}{more}" if count else "none"
    return Condition(
        "products_set", not count, "Everything that is sold has its product in Odoo", detail, count
    )


def _tell_older_deltas(facts: ReadinessFacts) -> Condition:
    counts = {period.label: period.open_deltas + period.missing for period in facts.older_periods}
    told = _assess_periods("older_deltas", "Older periods do not block", counts, "open row")
    return replace(told, is_met=True)


def _tell_rules(facts: ReadinessFacts) -> Condition:
    """Who approves sees what is judged by, and what was loosened: that takes their word too."""
    in_force = ", ".join(f"{rule.name}: {rule.value}" for rule in facts.rules if rule.value)
    detail = "; loosened: ".join(filter(None, [in_force, "; ".join(facts.loosened)]))
    return Condition("rules", True, "The rules that it is judged by", detail, len(facts.loosened))


def _assess_periods(code: str, label: str, counts: Mapping[str, int], noun: str) -> Condition:
    found = [f"{_count(count, noun)} in {name}" for name, count in counts.items() if count]
    return Condition(code, not found, label, ", ".join(found) or "none", sum(counts.values()))


def _assess_none(code: str, label: str, count: int, noun: str, state: str) -> Condition:
    return Condition(code, not count, label, f"{_count(count, noun)} {state}" if count else "none", count)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
