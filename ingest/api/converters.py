"""What an address may hold in place of an id: anything that a service may call its own things."""

from django.urls import register_converter


class TextConverter:
    """Any text, slashes and line breaks included."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """The text itself."""
        return value

    def to_url(self, value: str) -> str:
        """The text itself; whoever makes an address of it quotes it."""
        return value


register_converter(TextConverter, "text")
