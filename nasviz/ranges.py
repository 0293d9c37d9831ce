"""What a number may be: `ranged` says it of a field, `check_fields` checks all fields of a thing, in one sentence.

Every number that one gives to nasviz is checked here: fields of strategies, estimators and recipes, arguments, knobs
that are turned, options of a command line. A number that is refused is named, with its owner, its value and its range.

What counts as a number: Python's, and NumPy's, which become Python's, as torch takes no other for a size or a seed. A
text, a `bool`, None and an array are none. None is allowed where it is the field's default. A whole number has to be
one by its type: 5.0 is refused, with the hint to write 5, since a count goes where no fraction can go. ``nan`` is
refused everywhere, and so are the infinities, but where the field allows them. A field whose default is a `bool` takes
True, False, 1 and 0.
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import wraps
from math import inf, isfinite
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np

REQUIRED: Any = MISSING
"""The default of a ranged field that has none."""
MOST = sys.maxsize  # no count is larger: ``len`` takes no more
Method = TypeVar("Method", bound=Callable)


@dataclass(frozen=True)
class Range:
    """What a number may be.

    Parameters
    ----------
    least, most : float
        The ends, both allowed.
    above, below : float
        Ends that are not allowed themselves.
    whole : bool
        Whether it is a count.
    none, many, infinite : bool
        Whether None is allowed, whether it is a sequence of such numbers, and whether the infinities are allowed.
    """

    least: float = -inf
    most: float = inf
    above: float = -inf
    below: float = inf
    whole: bool = False
    none: bool = False
    many: bool = False
    infinite: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        ends = " and ".join(self._ends()) or ("" if self.whole else "that is finite")
        one = f"{kind} {ends}".strip()
        return (f"a sequence, each {one}" if self.many else one) + (", or None" if self.none else "")

    def _ends(self) -> Iterable[str]:
        if self.least > -inf and inf > self.most:
            yield f"from {_short(self.least)} to {_short(self.most)}"
            return
        if self.above > -inf:
            yield f"above {_short(self.above)}"
        if self.least > -inf:
            yield f"of {_short(self.least)} or more"
        if self.most < inf:
            yield f"of {_short(self.most)} or less"
        if self.below < inf:
            yield f"below {_short(self.below)}"

    def check(self, what: str, value):
        """Return ``value``, in Python's numbers. ValueError if it is out of the range: ``what`` says whose it is."""
        if value is None and self.none:
            return value
        if not self.many:
            return plain(self._check(what, value))
        if not isinstance(value, list | tuple | np.ndarray):
            raise ValueError(f"{what} is {value!r:.60}, and has to be {self}")
        for place, one in enumerate(value):
            self._check(f"{what}[{place}]", one)
        foreign = isinstance(value, np.ndarray) or any(isinstance(one, np.generic) for one in value)
        return tuple(map(plain, value)) if foreign else value

    def _check(self, what: str, value):
        kinds = (int, np.integer) if self.whole else (int, float, np.integer, np.floating)
        good = isinstance(value, kinds) and not isinstance(value, bool)
        if good and self.whole:
            good = -MOST <= value <= MOST
        elif good:
            good = _finite(value) or (self.infinite and isinstance(value, float | np.floating))
        if (
            good
            and self.least <= value <= self.most
            and self.above < value
            and (value < self.below or self.below == inf)
        ):
            return value
        hint = ""
        if self.whole and isinstance(value, float | np.floating) and isfinite(value) and value == int(value):
            hint = f": write {int(value)}" if self.least <= value <= self.most else ""
        elif self.whole and isinstance(value, int | np.integer) and value > MOST:
            hint = f", {MOST:,} at most"
        one = replace(self, many=False)
        raise ValueError(f"{what} is {_shown(value)}, and has to be {one}{hint}")


def plain(value):
    """Return a number of NumPy's as Python's: torch takes no other for a size or a seed."""
    return value.item() if isinstance(value, np.generic) else value


def _finite(value) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number that is larger than any float
        return False


def _short(end: float) -> str:
    return f"{int(end):,}" if end == int(end) else f"{end:g}"


def _shown(value) -> str:
    """``value`` in at most 60 characters. (Python writes no number of more than 4,300 digits.)"""
    try:
        text = repr(value)
    except ValueError:
        return f"a {type(value).__name__} that is too large to be written"
    return text if len(text) <= 60 else text[:57] + "..."


def ranged(
    default=REQUIRED,
    least: float = -inf,
    most: float = inf,
    *,
    above: float = -inf,
    below: float = inf,
    whole: bool | None = None,
    infinite: bool = False,
    absent=MISSING,
    **options,
) -> Any:
    """Declare a field of a dataclass with the range of its numbers, for `check_fields`.

    Parameters
    ----------
    default
        None allows None. A tuple says that the field is a sequence, of which each number is in the range.
    least, most, above, below : number
        See `Range`.
    whole : bool, optional
        None: whether the default is a whole number, or a tuple of whole numbers.
    infinite : bool
        Whether the infinities are allowed.
    absent : optional
        What a record means that lacks the field: see `nasviz.identity.absent`.
    **options
        Of `dataclasses.field`.
    """
    many, none = isinstance(default, tuple), default is None
    if whole is None:
        whole = all(isinstance(one, int) for one in default) if many else isinstance(default, int)
    metadata = {"range": Range(least, most, above, below, whole, none, many, infinite)}
    metadata |= {} if absent is MISSING else {"absent": absent}
    return field(default=default, metadata=metadata, **options)


def check_fields(thing) -> None:
    """Check all numbers of a dataclass that have a range, and its flags; those of NumPy's become Python's.

    Raises
    ------
    ValueError
        For the first that is out of its range: ``"Spos: population is 0, and has to be a whole number of 1 or more"``.
    """
    owner = type(thing).__name__
    for one in fields(thing):
        value = getattr(thing, one.name)
        if (allowed := one.metadata.get("range")) is not None:
            value = allowed.check(f"{owner}: {one.name}", value)
        elif isinstance(one.default, bool) and not (isinstance(value, bool | np.bool_ | int) and value in (0, 1)):
            raise ValueError(f"{owner}: {one.name} is {_shown(value)}, and has to be True or False")
        if plain(value) is not getattr(thing, one.name):
            object.__setattr__(thing, one.name, plain(value))


def checked(method: Method) -> Method:
    """Make a method of a dataclass check all fields first: `check_fields`.

    A generator is checked when it is called, so that ``iter(search)`` raises and nothing has begun; and again whenever
    a field that has a range was changed between two of its items.
    """

    @wraps(method)
    def first(self, *args, **options):
        check_fields(self)
        result = method(self, *args, **options)
        return _watched(self, result) if isinstance(result, Generator) else result

    return first  # type: ignore[return-value]


def _watched(thing, going: Generator) -> Generator:
    """``going``, with a check of ``thing`` after its fields were changed. It costs less than a microsecond an item."""
    names = [one.name for one in fields(thing) if "range" in one.metadata]
    look = attrgetter(*names) if names else type
    before = look(thing)
    with closing(going):
        for item in going:
            yield item
            if (now := look(thing)) != before:
                check_fields(thing)
                before = now


def check_number(what: str, value, least: float = -inf, most: float = inf, *, whole: bool = True, **ends: float):
    """Return a number that is no field, an argument of a function.

    ValueError if it is out of the range: see `Range`, of which ``ends`` are the other parameters. ``what`` is the name
    of the argument.
    """
    return Range(least, most, whole=whole, **ends).check(what, value)  # type: ignore[arg-type]


def check_sizes(**sizes: int) -> None:
    """Check that each of some sizes is a whole number from 1. ValueError that names the first which is none."""
    for name, value in sizes.items():
        check_number(name, value, 1)


def argument(least: float = -inf, most: float = inf, *, whole: bool = True, **ends: float) -> Callable[[str], float]:
    """Return a ``type`` for `argparse`: it reads a number of a command line, and refuses one out of the range."""
    allowed = Range(least, most, whole=whole, **ends)  # type: ignore[arg-type]

    def read(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise ArgumentTypeError(f"is {text!r:.60}, and has to be {allowed}") from None
        try:
            return allowed.check("it", value)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return read
