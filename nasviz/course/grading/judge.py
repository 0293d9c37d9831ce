"""The verdict on one exercise. The check runs here, in a process in which no line of a student's runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import bounds, exercises
from . import child, hidden, pristine, source
from .child import Work
from .limits import Limits, User
from .pristine import Exercise
from .wire import Broken, Cannot, Peer, names_of

RIGHT = "right"


@dataclass(frozen=True)
class Verdict:
    """What a judge says: points (None for what a person reads), and the sentence."""

    points: int | None
    sentence: str


@dataclass(frozen=True)
class Answer:
    """A student's answer to one exercise: the source of the cell, and of cells that the student added."""

    exercise: Exercise
    cell: str
    helpers: tuple[str, ...] = ()


def judge(answer: Answer, seed: int, limits: Limits, user: User | None = None) -> Verdict:
    """The verdict on an answer, within limits.

    Parameters
    ----------
    answer : Answer
    seed : int
        From which the second inputs are drawn.
    limits : Limits
    user : User, optional
        The user under which the student's code runs.
    """
    exercise = answer.exercise
    if not exercise.check:
        return Verdict(None, "to be read by a person")
    if answer.cell.strip() == exercise.stub.strip():
        return Verdict(0, "not written yet")
    try:
        wrong = _wrong(answer, seed, limits, user)
    except bounds.OutOfTime:
        wrong = f"it did not end within {limits.wall:g} seconds and was stopped: does a loop never end?"
    except (Broken, Cannot) as error:
        wrong = str(error)
    return Verdict(int(not wrong), wrong or RIGHT)


def _wrong(answer: Answer, seed: int, limits: Limits, user: User | None) -> str:
    exercise = answer.exercise
    written = source.literals(answer.cell) if exercise.kind == "run" else {}
    if set(exercise.asked) <= written.keys():  # nothing has to be run to read a report
        values = {name: written[name] for name in exercise.asked}
        return bounds.within(limits.wall, lambda: checked(exercise, values, seed))
    work = Work(exercise.lab, exercise.name, answer.cell, answer.helpers)
    with child.running(work, limits, user) as pipe:  # around the limit: what it cleans up is not interrupted
        return bounds.within(limits.wall, lambda: _asked(exercise, Peer(pipe), seed))


def _asked(exercise: Exercise, peer: Peer, seed: int) -> str:
    """What is wrong with what the student's process has."""
    try:
        values = dict(names_of(peer, exercise.asked))
    except (Broken, Cannot):
        raise
    except NotImplementedError:
        return "not written yet"
    except Exception as error:
        return f"the cell itself does not run: {exercises.stopped(error)}"
    return checked(exercise, values, seed)


def checked(exercise: Exercise, values: dict[str, Any], seed: int) -> str:
    """What is wrong by the check of the lab, or else by the second inputs."""
    wrong = exercises.judge(pristine.check_of(exercise, values))
    again = hidden.of(exercise)
    if wrong or again is None or not exercise.asked:
        return wrong.replace(": replace the line with ... in the cell above, run it, then run this one", "")
    rng = np.random.default_rng([seed, *exercise.name.encode()])

    def check() -> Iterator[tuple[bool, str]]:
        yield from again(SimpleNamespace(**values), pristine.right(exercise), rng)

    wrong = exercises.judge(check)
    return f"it passes the check of the lab, but not on other inputs: {wrong}" if wrong else ""
