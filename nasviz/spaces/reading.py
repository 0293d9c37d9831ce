"""Read an architecture from a text; errors name the position and the expected text."""

from __future__ import annotations

from collections.abc import Sequence


class Reader:
    """A text and the current place in it.

    Parameters
    ----------
    text : str
        The text to read. ValueError for an object of another type.
    what : str
        Description of the expected text, for messages.
    """

    def __init__(self, text: str, what: str):
        if not isinstance(text, str):
            raise ValueError(f"{what} is written as a text, got {type(text).__name__}")
        self.text, self.what, self.at = text, what, 0

    def sees(self, word: str) -> bool:
        """Return whether the text continues with ``word``."""
        return self.text.startswith(word, self.at)

    def expect(self, word: str) -> None:
        """Go past ``word``. ValueError if the text does not continue with it."""
        if not self.sees(word):
            raise self.unexpected(repr(word))
        self.at += len(word)

    def option(self, options: Sequence[str]) -> int:
        """Go past the longest of ``options`` that is found here, and return its index. ValueError if there is none."""
        found = max((word for word in options if self.sees(word)), key=len, default=None)
        if found is None:
            raise self.unexpected("one of " + ", ".join(options))
        self.at += len(found)
        return options.index(found)

    def end(self) -> None:
        """Raise a ValueError unless the text ends here."""
        if self.at != len(self.text):
            raise self.unexpected("the end")

    def unexpected(self, expected: str) -> ValueError:
        """Return the error for a text that does not continue with ``expected``."""
        found = repr(self.text[self.at : self.at + 12]) if self.at < len(self.text) else "the end"
        return ValueError(f"{self.what}, position {self.at}: expected {expected}, found {found} in {self.text[:120]!r}")
