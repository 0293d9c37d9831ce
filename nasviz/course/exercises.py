"""Exercises: `check` tells what is wrong with an answer, whatever the answer does."""

from __future__ import annotations

import builtins
import linecache
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import wraps
from html import escape
from types import CellType, CodeType, FunctionType

import numpy as np

from .bounds import LIBRARY, OutOfTime, restore_builtins, within
from .claims import BAD, GOOD, say

SECONDS = 20  # that a check may take; those of the labs take less than one
LONGEST = 600  # letters of a sentence


@dataclass(frozen=True)
class Checked:
    """The outcome of a `check`: ``wrong`` says what is, and is empty when nothing is."""

    exercise: str
    wrong: str

    @property
    def passed(self) -> bool:
        return not self.wrong


results: dict[str, Checked] = {}


def check(exercise: Callable[[], Iterable[tuple[bool, str]]]) -> Checked:
    """Check an answer, as a decorator of a generator of (condition, what is wrong if it fails).

    Stops at the first failure and says it; anything that the answer raises, `SystemExit` too, is told with its line.
    Never raises, so that a notebook runs to its end. The outcome is kept in `results` by the generator's name, for who
    grades.

    The answer has `SECONDS` of the clock; `nasviz.course.bounds` says what that cannot end. What it prints is
    shortened, and what it moves of the process (shared generators, threads of torch, options) is put back. Functions of
    the notebook get copies of lists, dictionaries, sets and arrays, so that the check compares with what it had. In the
    check itself, names of Python mean what they mean in Python, also where a cell has given them another meaning.

    Raises
    ------
    KeyboardInterrupt
        Only if the user interrupts the kernel: then the cell stops, and nothing is kept.

    Examples
    --------
    >>> @check
    ... def addition():
    ...     yield 1 + 1 == 2, "one and one should be two"
    """
    name = exercise.__name__
    try:
        wrong = within(SECONDS, lambda: judge(apart(exercise) if isinstance(exercise, FunctionType) else exercise))
    except OutOfTime as error:
        wrong = f"it did not end within {SECONDS:g} seconds and was stopped{_where(error)}: does a loop never end?"
    results[name] = outcome = Checked(name, wrong)
    title = name.replace("_", " ")
    say("✓" if outcome.passed else "✗", GOOD if outcome.passed else BAD, f"<b>{title}</b>: {escape(wrong or 'right')}")
    return outcome


def judge(exercise: Callable) -> str:
    """What is wrong with an answer by its check, in one sentence; nothing if nothing is. Raises `OutOfTime` alone."""
    try:
        with closing(_conditions(exercise)) as conditions:
            return next((_sentence(*one) for one in conditions if _fails(one[0])), "")
    except OutOfTime:
        raise
    except NotImplementedError:
        return "not written yet: replace the line with ... in the cell above, run it, then run this one"
    except BaseException as error:
        return stopped(error, exercise)


def _conditions(exercise: Callable) -> Generator[tuple[bool, str], None, None]:
    try:
        yield from exercise()
    finally:
        restore_builtins()  # what follows needs them


def _fails(condition) -> bool:
    try:
        return not condition
    except OutOfTime:
        raise
    except BaseException:  # an array, or an object of the student's: nothing that holds
        return True


def _sentence(condition, sentence) -> str:
    try:
        bool(condition)
        more = ""
    except Exception:
        more = f" (compared, your answer gives neither true nor false, but {type(condition).__name__})"
    return (text_of(sentence) or "it does not hold") + more


def stopped(error: BaseException, exercise: Callable | None = None) -> str:
    """The sentence for an error that an answer raised, with its line; one that was written elsewhere is passed on."""
    if isinstance(said := getattr(error, "elsewhere", None), str):
        return said
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, StopIteration):
        error = error.__cause__  # Python makes another one of it in a generator
    if type(error) is NameError and isinstance(exercise, FunctionType) and error.name in _names(exercise.__code__):
        return f"{error.name} is not there yet: run the cell that defines it, then this one"
    said = text_of(error)
    return f"it stopped with {type(error).__name__}{': ' * bool(said)}{said}{_where(error)}"


def text_of(thing: object) -> str:
    """A thing as text that can be shown, shortened; what cannot be written is named by its class."""
    try:
        text = str(thing)
    except OutOfTime:
        raise
    except BaseException as error:
        return f"(its text cannot be read: {type(error).__name__})"
    text = text.encode("utf-8", "replace").decode()  # half a letter cannot be sent to a page
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def _where(error: BaseException) -> str:
    """The last line of the student's, or of the check, on the way to an exception."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(code, line) for code, line in frames if not code.co_filename.startswith(LIBRARY)]
    if not own:
        return ""
    code, line = own[-1]
    source = linecache.getline(code.co_filename, line).strip()
    return f" (in {code.co_name}{': ' * bool(source)}{text_of(source)}, line {line})"


# ------------------------------------------------------------------------------------------- what a check is kept from
def apart(exercise: FunctionType) -> FunctionType:
    """The exercise with names of Python as Python means them, and with functions of the notebook that get copies."""
    shared = exercise.__globals__

    def seen(value):
        return copying(value) if isinstance(value, FunctionType) and value.__globals__ is shared else value

    names = _names(exercise.__code__)
    own = {name: value for name, value in shared.items() if name not in names or not hasattr(builtins, name)}
    own |= {name: seen(own[name]) for name in names & own.keys()}
    cells = tuple(_cell(cell, seen) for cell in exercise.__closure__ or ())
    made = FunctionType(exercise.__code__, own, exercise.__name__, exercise.__defaults__, cells)
    made.__kwdefaults__ = exercise.__kwdefaults__
    return made


def _cell(cell: CellType, seen: Callable) -> CellType:
    try:
        value = cell.cell_contents
    except ValueError:  # not assigned yet
        return cell
    return cell if seen(value) is value else CellType(seen(value))


def _names(code: CodeType) -> set[str]:
    """All names that code asks its module for, also inside its functions."""
    inner = [_names(one) for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*inner)


def copying(function: Callable) -> Callable:
    """A function that passes copies of its arguments on."""

    @wraps(function)
    def called(*args, **kwargs):
        return function(*map(copied, args), **{name: copied(value) for name, value in kwargs.items()})

    return called


def copied(value):
    """A copy of lists, tuples, dictionaries, sets and arrays, inside each other too; all else as it is."""
    if type(value) in (list, tuple, set):
        return type(value)(map(copied, value))
    if type(value) is dict:
        return {name: copied(one) for name, one in value.items()}
    return value.copy() if type(value) is np.ndarray else value
