"""A question that cannot be answered."""


class PriceCheckError(ValueError):
    """What is wrong with a question; the message names the field, `code` says the kind of mistake."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
