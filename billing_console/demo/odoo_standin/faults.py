"""Misbehaviour on demand: which of the next calls go wrong, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Any


class FaultKind(StrEnum):
    """How a call goes wrong; the value is what tests and people ask for."""

    DROP_ANSWER = "drop_answer_after_commit"
    TIMEOUT = "timeout"
    SERIALIZATION_FAILURE = "serialization_failure"
    BAD_GATEWAY = "bad_gateway"
    RESET = "reset"
    DELAY_COMMIT = "delay_commit"


@dataclass(frozen=True, slots=True)
class Fault:
    """`count` further calls go wrong; `method` narrows them to a model, a method or `model.method`."""

    kind: FaultKind
    count: int = 1
    method: str | None = None
    seconds: float = 0

    def concerns(self, model: str, method: str) -> bool:
        return self.method in (None, model, method, f"{model}.{method}")


class Faults:
    """The faults that still wait for their calls."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, model: str, method: str) -> Fault | None:
        """Return the first fault that concerns the call, one call fewer being left to it."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.concerns(model, method):
                    left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                    self._waiting[index : index + 1] = left
                    return fault
            return None

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"fault": fault.kind.value, "count": fault.count, "method": fault.method}
                for fault in self._waiting
            ]


def parse_fault(body: Mapping[str, Any]) -> Fault:
    """Return the fault asked for; ValueError says what is wrong with it."""
    count = int(body.get("count", 1))
    if count < 1:
        raise ValueError("count: at least 1")
    return Fault(
        FaultKind(str(body.get("fault"))),
        count=count,
        method=body.get("method"),
        seconds=float(body.get("seconds", 0)),
    )
