"""A check for graders that run a notebook in one kernel, such as nbgrader and Otter: the package's, with second inputs.

It looks at what the names mean in the kernel, and uses no `check` that a cell may have defined anew. But the student's
code runs in the same process before it. Code that changes this package there can change the verdict, and nothing keeps
it from that but `python -m nasviz course grade`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from .. import bounds, exercises, sessions
from . import judge, pristine

SECONDS = 60


def passes(topic: str, name: str, names: Mapping[str, Any], seed: int = 0) -> bool:
    """Whether an exercise is right: True, or an AssertionError with the sentence of the check.

    Parameters
    ----------
    topic, name : str
        The lab's, as in ``evolution``, and the exercise's.
    names : mapping
        The kernel's: ``globals()``.
    seed : int
        From which second inputs are drawn.

    Raises
    ------
    AssertionError
    ValueError
        If no installed lab has such an exercise.
    """
    labs = [one for one in pristine.labs() if sessions.topic(one) == topic]
    found = [one for lab in labs for one in pristine.of(lab) if one.name == name and one.check]
    if not found:
        raise ValueError(f"no installed lab on {topic!r:.60} has an exercise {name!r:.60} with a check")
    exercise = found[0]
    bounds.restore_builtins()
    values = {one: names[one] for one in exercise.asked if one in names}
    values = {n: exercises.copying(v) if isinstance(v, FunctionType) else v for n, v in values.items()}
    try:
        wrong = bounds.within(SECONDS, lambda: judge.checked(exercise, values, seed))
    except bounds.OutOfTime:
        wrong = f"it did not end within {SECONDS} seconds"
    if wrong:
        raise AssertionError(wrong)
    return True
