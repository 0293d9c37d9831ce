"""What all kinds of pictures have in common: their fields are checked when they are made, and become plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from types import NoneType, UnionType
from typing import Any, ClassVar, Protocol, Self, Union, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np

Arrays = Mapping[str, Sequence[int]]  # shape of one step of each array; [] is a number
Columns = Mapping[str, np.ndarray]  # all steps so far of each array


class Look(Protocol):
    """How operations are drawn: one entry for each, in their order."""

    @property
    def labels(self) -> Sequence[str]: ...

    @property
    def colors(self) -> Sequence[str]: ...

    @property
    def dashes(self) -> Sequence[Sequence[int]]: ...

    @property
    def opacities(self) -> Sequence[float]: ...


@dataclass(frozen=True, kw_only=True)
class View:
    """One picture of a stage.

    A kind is a subclass with a name, ``kind``. Its fields are what JavaScript reads in its ``spec``. The defaults are
    the same there, since what stands at its default is not sent.

    Parameters
    ----------
    title : str
        The line above the picture.
    span : int
        Its width, in twelfths of the stage (1 to 12); below 760 px every picture has the full width.

    Raises
    ------
    ValueError
        If a field has another type than it should, or a value that cannot be; the message names kind, title and field.
    """

    kind: ClassVar[str]
    script: ClassVar[str] = ""  # file in ``../js`` without its ending; by default that of the kind's name
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {}  # fields that name an array, and how many axes it may have

    title: str = ""
    span: int = 12

    def __post_init__(self) -> None:
        for name, hint in _hints(self).items():
            if not _fits(getattr(self, name), hint):
                raise self.wrong(f"{name} must be {_said(hint)}, not {getattr(self, name)!r}")
        if not 1 <= self.span <= 12:
            raise self.wrong(f"span must be 1 to 12, the twelfths of the width, not {self.span}")

    def wrong(self, what: str) -> ValueError:
        """Return the exception for what does not fit, with the name of this picture before it."""
        return ValueError(f"the {self.kind}{f' {self.title!r}' if self.title else ''}: {what}")

    @classmethod
    def of(cls, given: Mapping) -> Self:
        """Make a picture of its fields' values by name. ValueError names those that are unknown or missing."""
        known = {field.name: field for field in fields(cls)}
        needed = {name for name, one in known.items() if one.default is MISSING and one.default_factory is MISSING}
        if unknown := given.keys() - known.keys():
            raise ValueError(f"the {cls.kind} has no field {sorted(unknown)}; it has {sorted(known)}")
        if missing := needed - given.keys():
            raise ValueError(f"the {cls.kind} lacks {sorted(missing)}: which array? what does it show?")
        return cls(**given)

    def completed(self, arrays: Arrays, ops: Sequence[str]) -> Self:
        """Return the picture with all that follows from the stage's arrays and operations.

        Raises
        ------
        ValueError
            If it does not fit them.
        """
        for name, axes in self.axes.items():
            if getattr(self, name) is not None:
                self.check_array(name, getattr(self, name), axes, arrays)
        return self

    def check_array(self, field: str, name: str, axes: tuple[int, ...], arrays: Arrays) -> None:
        """Raise ValueError if the stage has no such array, or one with another number of axes."""
        if name not in arrays:
            raise self.wrong(f"{field} names the array {name!r}, but the stage has {sorted(arrays)}")
        shape = list(arrays[name])
        if len(shape) not in axes and not (0 in axes and shape == [1]):
            wanted = " or ".join(map(str, axes))
            raise self.wrong(f"{field} needs an array of {wanted} axes, {name!r} has the shape {shape}")

    def renamed(self, name: Callable[[str], str]) -> Self:
        """Return the picture with other names for its arrays."""
        named: dict[str, Any] = {field: name(getattr(self, field)) for field in self.axes if getattr(self, field)}
        return replace(self, **named)

    def plain(self) -> dict:
        """Return what the browser is sent: kind, span, and each field that does not stand at its default."""
        out: dict[str, Any] = {"kind": self.kind, "span": int(self.span)}
        for field in fields(self):
            value = plain(getattr(self, field.name))
            if field.default is MISSING or value != plain(field.default):
                out[field.name] = value
        return out

    @classmethod
    def for_search(cls, search) -> tuple[Arrays, View] | None:
        """Return what this kind draws of a search's steps by itself, or None.

        The view, and the arrays that it needs besides those of others: they have the names of quantities that the
        steps show, so that a step's row is filled from them.
        """
        return None

    def tall(self, columns: Columns, wide: float) -> float:
        """Return the height of the still below its title, for a width; both in pixels."""
        raise NotImplementedError

    def still(self, pen, look: Look, columns: Columns, marks: Sequence[Mapping], step: int, box: tuple) -> None:
        """Draw one step with a `nasviz.views.raster.Pen` into ``box``: left, top, width and height in pixels."""
        raise NotImplementedError


def view_of(kinds: Mapping[str, type[View]], given: Mapping | View) -> View:
    """Return a picture that is described by plain data, ``{"kind": …, …}``. ValueError says what does not fit."""
    if isinstance(given, View):
        return given
    kind = str(given.get("kind"))
    if kind not in kinds:
        raise ValueError(f"there is no such kind as {kind!r}; known: {sorted(kinds)}")
    return kinds[kind].of({name: value for name, value in given.items() if name != "kind"})


def plain(value):
    """Return a value as JSON has it: lists for all sequences, numbers of Python, None for nan."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, str | bool | NoneType):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return [plain(one) for one in value]


_known: dict[str, dict[str, Any]] = {}  # types of the fields of each kind: to read them takes a while


def _hints(view: View) -> dict[str, Any]:
    if view.kind not in _known:
        hints = get_type_hints(type(view))
        _known[view.kind] = {field.name: hints[field.name] for field in fields(view)}
    return _known[view.kind]


def _fits(value, hint) -> bool:
    """Return whether a value is of a type, as far as descriptions need it."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if hint in (int, float):
        return isinstance(value, (int, np.integer) if hint is int else (int, float, np.integer, np.floating)) and not (
            isinstance(value, bool)
        )
    if is_typeddict(hint):
        return isinstance(value, Mapping) and hint.__required_keys__ <= value.keys() <= hint.__annotations__.keys()
    if get_origin(hint) is Sequence:
        return (isinstance(value, Sequence | np.ndarray)) and all(_fits(one, get_args(hint)[0]) for one in value)
    return isinstance(value, get_origin(hint) or hint)


def _said(hint) -> str:
    """Describe a type in a sentence."""
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_said(one) for one in get_args(hint))
    if get_origin(hint) is Sequence:
        return f"a sequence, each {_said(get_args(hint)[0])}"
    if is_typeddict(hint):
        return f"a dict with {sorted(hint.__required_keys__)}, of {sorted(hint.__annotations__)}"
    words = {int: "a whole number", float: "a number", str: "text", bool: "True or False", NoneType: "None"}
    return words.get(hint, "a dict")
