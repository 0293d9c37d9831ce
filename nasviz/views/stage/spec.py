"""The description of a stage: which arrays its steps have, and which pictures show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields

from ..colors import style
from .kinds import KINDS
from .kinds.view import View, plain, view_of


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a stage draws. It is checked when it is made, and completed: layouts of cells, looks of operations.

    Parameters
    ----------
    arrays : mapping from str to shape
        The shape of each array in one step; ``[]`` is a number.
    views : sequence of View
        The pictures, from left to right and from top to bottom (see `nasviz.views.stage.kinds`).
    ops : sequence of str
        Names of operations; index o of the last axis of weights is operation o.
    labels, colors, dashes, opacities : sequences, optional
        The looks of the operations; by default those of `nasviz.views.colors`.
    marks : sequence of {"at", "label"}
        Flags on every time axis.
    transport, legend : bool
        False leaves out the playback bar (for a picture of one step), the legend.
    speed : float
        Steps per second of the playback.

    Raises
    ------
    ValueError
        If a view names an array that the stage does not have or one of another shape, or the operations and their looks
        do not fit. The message names the view and the field.
    """

    arrays: Mapping[str, Sequence[int]]
    views: Sequence[View]
    ops: Sequence[str] = ()
    labels: Sequence[str] = ()
    colors: Sequence[str] = ()
    dashes: Sequence[Sequence[int]] = ()
    opacities: Sequence[float] = ()
    marks: Sequence[Mapping] = ()
    transport: bool = True
    legend: bool = True
    speed: float = 20

    def __post_init__(self) -> None:
        for name in ("arrays", "views"):
            if not getattr(self, name):
                raise ValueError(f"a stage needs {name!r} in its spec (see nasviz/views/stage/spec.py)")
        styles = [style(op) for op in self.ops]
        full = {
            "arrays": {name: [int(n) for n in shape] for name, shape in self.arrays.items()},
            "ops": list(self.ops),
            "labels": self.labels or [one.label for one in styles],
            "colors": self.colors or [one.color for one in styles],
            "dashes": self.dashes or [list(one.dash) for one in styles],
            "opacities": self.opacities or [0.4 if one.family == "zero" else 1.0 for one in styles],
        }
        for name in ("labels", "colors", "dashes", "opacities"):
            if len(full[name]) != len(self.ops):
                raise ValueError(
                    f"spec[{name!r}] needs one entry for each of {len(self.ops)} operations, got {len(full[name])}"
                )
        full["views"] = [_numbered(number, view, full) for number, view in enumerate(self.views)]
        for name, value in full.items():
            object.__setattr__(self, name, value)  # how a frozen dataclass is told

    @classmethod
    def of(cls, given: Mapping) -> Spec:
        """Make a spec of plain data, views ``{"kind": …, …}`` among it, such as `plain` returns.

        Raises
        ------
        ValueError
            If something does not fit; the message names the number of the view, or the unknown entry.
        """
        known = {field.name for field in fields(cls)}
        if unknown := given.keys() - known:
            raise ValueError(f"a stage's spec has no {sorted(unknown)}; it has {sorted(known)}")
        views = []
        for number, view in enumerate(given.get("views", ())):
            try:
                views.append(view_of(KINDS, view))
            except ValueError as error:
                raise ValueError(f"view {number}: {error}") from None
        return cls(**{"arrays": {}, **given, "views": views})

    def plain(self) -> dict:
        """Return what the browser is sent, as JSON has it: all but the marks, which are sent with the steps."""
        out = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in ("views", "marks") and (field.default is MISSING or value != field.default):
                out[field.name] = plain(value)
        looks = {name: plain(getattr(self, name)) for name in ("ops", "labels", "colors", "dashes", "opacities")}
        return out | looks | {"views": [view.plain() for view in self.views]}


def _numbered(number: int, view: View, full: Mapping) -> View:
    try:
        return view.completed(full["arrays"], full["ops"])
    except ValueError as error:
        raise ValueError(f"view {number}: {error}") from None
