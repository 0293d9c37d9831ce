"""Exercises: `check` tells what is wrong with an answer."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from .claims import BAD, GOOD, say


@dataclass(frozen=True)
class Checked:
    """The outcome of a `check`: ``wrong`` says what is, and is empty when nothing is."""

    exercise: str
    wrong: str

    @property
    def passed(self) -> bool:
        return not self.wrong


results: dict[str, Checked] = {}


def check(exercise: Callable[[], Iterator[tuple[bool, str]]]) -> Checked:
    """Check an answer, as a decorator of a generator of (condition, what is wrong if it fails).

    Stops at the first failure and says it; an exception in the answer is told with its line. Never raises, so that a
    notebook runs to its end. The outcome is kept in `results` by the generator's name, for who grades.

    Examples
    --------
    >>> @check
    ... def addition():
    ...     yield 1 + 1 == 2, "one and one should be two"
    """
    name = exercise.__name__
    try:
        wrong = next((sentence for condition, sentence in exercise() if not condition), "")
    except NotImplementedError:
        wrong = "not written yet: replace the line with ... in the cell above, run it, then run this one"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        wrong = f"it stopped with {type(error).__name__}: {error} (in {where.name}: {where.line})"
    results[name] = outcome = Checked(name, wrong)
    title = name.replace("_", " ")
    say("✓" if outcome.passed else "✗", GOOD if outcome.passed else BAD, f"<b>{title}</b>: {escape(wrong or 'right')}")
    return outcome
