"""The one error that every connector raises."""

from __future__ import annotations


class ConnectorError(Exception):
    """What went wrong with an outside system, told so that a worker can decide and a page can show it.

    `code` is stable and machine-readable. `message` is one short text for a person, without traceback or
    secret. `permanent` says that the same request fails again until a person changes something.
    `is_outcome_unknown` says that a write may have been carried out although no answer came back: repeat it
    only through its key, and read back before anything newer is sent.
    """

    def __init__(
        self,
        code: str,
        message: str,
        system: str,
        permanent: bool = True,
        is_outcome_unknown: bool = False,
    ) -> None:
        # All of them go to `args`: an exception that cannot be pickled is lost between worker processes.
        super().__init__(code, message, system, permanent, is_outcome_unknown)
        self.code = code
        self.message = message
        self.system = system
        self.permanent = permanent
        self.is_outcome_unknown = is_outcome_unknown

    def __str__(self) -> str:
        return f"{self.system}: {self.message} ({self.code})"
