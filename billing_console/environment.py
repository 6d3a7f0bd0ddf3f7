"""Typed settings from the environment; a wrong value becomes a problem for a system check, never a traceback."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import environ

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that is missing or wrong, as a system check reports it."""

    name: str
    message: str
    hint: str


class Environment:
    """Reads settings by name and collects what is wrong with them in `problems`."""

    def __init__(self, env_file: Path | None = None) -> None:
        self._env = environ.Env()
        self.problems: list[Problem] = []
        if env_file is not None and env_file.is_file():
            self._env.read_env(str(env_file))

    def text(self, name: str, default: str = "") -> str:
        """The value as text; an empty value counts as not set."""
        return str(self._env.str(name, default="")).strip() or default

    def integer(self, name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
        """A whole number within bounds, else the default and a problem."""

        def parse(value: str) -> int:
            number = int(value)
            if not minimum <= number <= maximum:
                raise ValueError(value)
            return number

        return self.parse(name, default, parse, f"a whole number from {minimum} to {maximum}")

    def flag(self, name: str, default: bool) -> bool:
        """True for 1, true, yes, on; False for 0, false, no, off."""
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False}
        return self.parse(name, default, lambda value: words[value.lower()], "1 or 0")

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of a few words, else the default and a problem."""

        def parse(value: str) -> str:
            if value not in choices:
                raise ValueError(value)
            return value

        return self.parse(name, default, parse, f"one of {', '.join(choices)}")

    def words(self, name: str, default: list[str]) -> list[str]:
        """A comma-separated list."""
        value = self.text(name)
        return [word.strip() for word in value.split(",") if word.strip()] if value else default

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        """An address with a scheme from the list and a place, else the default and a problem."""

        def parse(value: str) -> str:
            parts = urlsplit(value)
            # Asking for the port is what finds one that is no number.
            if parts.scheme not in schemes or not (parts.hostname or parts.path) or parts.port == 0:
                raise ValueError(value)
            return value

        return self.parse(name, default, parse, f"an address that starts with {' or '.join(schemes)}://")

    def require(self, name: str, value: str, hint: str) -> None:
        """Records a problem when a value that this environment cannot do without is empty."""
        if not value:
            self.problems.append(Problem(name, f"{name} is not set.", hint))

    def parse(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        """What `parse` makes of the value, else the default and a problem that says what was expected."""
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, KeyError):
            # The value itself is not repeated: it may be a secret.
            self.problems.append(Problem(name, f"{name} is not valid.", f"{name} must be {expected}."))
            return default
