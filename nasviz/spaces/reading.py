"""Reading an architecture from a text, with errors that say where and what was expected."""

from __future__ import annotations

from collections.abc import Sequence


class Reader:
    """A text and a place in it.

    Parameters
    ----------
    text : str
        ValueError for anything else.
    what : str
        What the text should be, for messages.
    """

    def __init__(self, text: str, what: str):
        if not isinstance(text, str):
            raise ValueError(f"{what} is written as a text, got {type(text).__name__}")
        self.text, self.what, self.at = text, what, 0

    def sees(self, word: str) -> bool:
        """Whether ``word`` stands here."""
        return self.text.startswith(word, self.at)

    def expect(self, word: str) -> None:
        """Go past ``word``, or ValueError."""
        if not self.sees(word):
            raise self.unexpected(repr(word))
        self.at += len(word)

    def option(self, options: Sequence[str]) -> int:
        """Index of the longest of ``options`` that stands here, and go past it; ValueError if none does."""
        found = max((word for word in options if self.sees(word)), key=len, default=None)
        if found is None:
            raise self.unexpected("one of " + ", ".join(options))
        self.at += len(found)
        return options.index(found)

    def end(self) -> None:
        """ValueError if more follows."""
        if self.at != len(self.text):
            raise self.unexpected("the end")

    def unexpected(self, expected: str) -> ValueError:
        """The error that says that ``expected`` does not stand here."""
        found = repr(self.text[self.at : self.at + 12]) if self.at < len(self.text) else "the end"
        return ValueError(
            f"{self.what}, position {self.at}: expected {expected}, found {found} in {self.text[:120]!r}"
        )
