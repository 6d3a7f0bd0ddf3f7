"""The one error of the runtime: what stands in the way, in a line that a person can act on."""


class ConsoleError(Exception):
    """What must be put right before the console can go on; `code` is stable, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
