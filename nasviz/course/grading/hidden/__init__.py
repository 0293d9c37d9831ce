"""Second inputs: what an answer must do beyond the examples of its check, drawn anew from the seed of a grading.

They are no part of any edition. A function an exercise, with the exercise's name: it takes the student's names, those
of the solution, and a generator, and yields conditions as a check does. Since the inputs hang on a seed that a student
does not know, an answer that remembers the examples fails, even if its author has read this file.

An exercise that has no function here is graded by the check of its lab alone: experiments, whose reports are read for
numbers that the student's own settings decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace

import numpy as np

from ..pristine import Exercise
from . import networks, ranking, searches, slopes

Second = Callable[[SimpleNamespace, SimpleNamespace, np.random.Generator], Iterable[tuple[bool, str]]]
FOUND: dict[str, Second] = {
    name: thing
    for module in (networks, ranking, searches, slopes)
    for name, thing in vars(module).items()
    if callable(thing) and getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
}


def of(exercise: Exercise) -> Second | None:
    """The second inputs of an exercise, if it has some."""
    return FOUND.get(exercise.name)
