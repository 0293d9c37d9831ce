"""Numbers against steps, or against each other: lines or dots, a band, the best so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypedDict, cast

import numpy as np

from ...raster import DASHES, DEAD, DIM, SERIES, TEXT, Axes, good_range, mixed
from .view import View


class _Height(TypedDict):
    y: float


class Line(_Height, total=False):
    """A line to compare with, and its label."""

    label: str


class _Array(TypedDict):
    array: str


class Series(_Array, total=False):
    """One line of a curve: the array that it shows.

    ``points`` draws dots in place of a line, ``best`` adds the line of the best so far.
    """

    label: str
    color: str
    dash: Sequence[float]
    best: bool
    points: bool


@dataclass(frozen=True, kw_only=True)
class CurveView(View):
    """One or more series of numbers.

    Parameters
    ----------
    array : str or sequence of str, optional
        Arrays of numbers. Of the first, ``best`` adds the best so far.
    series : sequence of `Series`
        The same in detail, in place of ``array``.
    x : str, optional
        An array, in place of the step.
    best, lower : bool
        Add the best so far; ``lower``: the lowest is the best.
    feasible : str, optional
        Only what is 1 in this array counts as best.
    band : sequence of {"x", "lo", "hi", "mid", "label"}
        Ranges behind the curve: lists of equal length (see `nasviz.views.band_of`).
    others : sequence of {"x", "y", "label", "color", "steps"}
        Curves to compare with.
    lines : sequence of {"y", "label"}
    scale : float
        Factor of all that is shown, for the axis; ``range`` and ``lines`` are in the units shown, after it.
    unit, xlabel, ylabel : str
    total : int
        Number of planned steps, for the axis.
    range : (float, float), optional
        Ends of the vertical axis.
    height : float
        px.
    """

    kind: ClassVar[str] = "curve"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {"x": (0,), "feasible": (0,)}

    array: str | Sequence[str] | None = None
    series: Sequence[Series] = ()
    x: str | None = None
    best: bool = False
    lower: bool = False
    feasible: str | None = None
    band: Sequence[Mapping] = ()
    others: Sequence[Mapping] = ()
    lines: Sequence[Line] = ()
    scale: float = 1
    unit: str = ""
    xlabel: str = "step"
    ylabel: str = ""
    total: int = 0
    range: Sequence[float] | None = None
    height: float = 270

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.series and not self.array:
            raise self.wrong("which array? Give array or series")
        for name, parts, needed in (("band", ("x", "lo", "hi", "mid"), 3), ("others", ("x", "y"), 2)):
            lists = [self._lists(name, one, parts, needed) for one in getattr(self, name)]
            object.__setattr__(self, name, lists)  # how a frozen dataclass is told

    def _lists(self, field: str, one: Mapping, parts: Sequence[str], needed: int) -> dict:
        """Return a band or another curve with plain lists, all of one length."""
        present = [name for name in parts if name in one]
        if present[:needed] != list(parts[:needed]):
            raise self.wrong(f"{field}: each needs {parts[:needed]}, got {sorted(one)}")
        lists = {
            name: [float(v) if v is not None and np.isfinite(v) else None for v in np.atleast_1d(one[name])]
            for name in present  # JSON has no nan
        }
        if len({len(values) for values in lists.values()}) > 1:
            raise self.wrong(f"{field}: {present} must be lists of one length")
        return dict(one) | lists

    def completed(self, arrays, ops) -> CurveView:
        """Return the curve with its ``series``."""
        super().completed(arrays, ops)
        names = [self.array] if isinstance(self.array, str) else self.array or ()
        series = self.series or [Series(array=name, label=name.replace("_", " ")) for name in names]
        first = {"best": self.best, "points": self.best}  # dots, and the line of the best so far over them
        series = [cast(Series, (first if j == 0 else {}) | dict(one)) for j, one in enumerate(series)]
        for one in series:
            self.check_array("series", one["array"], (0,), arrays)
        return replace(self, series=series)

    def renamed(self, name) -> CurveView:
        """Return the curve with other names for its arrays."""
        names = self.array if self.array is None or isinstance(self.array, str) else list(map(name, self.array))
        series = [cast(Series, {**one, "array": name(one["array"])}) for one in self.series]
        return replace(super().renamed(name), array=name(names) if isinstance(names, str) else names, series=series)

    def tall(self, columns, wide) -> float:
        """Return ``height``."""
        return self.height

    def still(self, pen, look, columns, marks, step, box) -> None:
        n, scale = step + 1, self.scale
        series = [
            {"color": SERIES[j % 6], "dash": DASHES[j % 6], **one, "y": columns[one["array"]].reshape(-1)[:n] * scale}
            for j, one in enumerate(self.series)
        ]
        xs = columns[self.x].reshape(-1)[:n] if self.x else np.arange(n, dtype=float)
        statics = [*self.band, *self.others]
        every = [xs] + [np.array(b["x"], float) for b in statics]
        if self.total:
            every.append(np.array([self.total], float))
        stored = [np.array(b[k], float) * scale for b in statics for k in ("lo", "hi", "y") if k in b]
        values = np.concatenate([s["y"] for s in series] + stored + [[r["y"] for r in self.lines]])
        start, end = (float(f(np.concatenate(every))) for f in (np.nanmin, np.nanmax))
        domain, reach = (min(0.0, start), end or 1.0), self.range or good_range(values)
        box = self._legend(pen, box, series)
        axes = Axes(pen, box, domain, reach, self.xlabel, self.ylabel)
        for band in self.band:
            up = [(axes.X(a), axes.Y(b * scale)) for a, b in zip(band["x"], band["hi"], strict=True)]
            down = [(axes.X(a), axes.Y(b * scale)) for a, b in zip(band["x"], band["lo"], strict=True)]
            pen.area(up + down[::-1], mixed(DEAD, 0.3))
            if "mid" in band:
                axes.line(band["x"], [None if v is None else v * scale for v in band["mid"]], DEAD, 1.3)
        for j, other in enumerate(self.others):
            dash: tuple[int, ...] = (2, 3) if j else (6, 4)
            ys = [None if v is None else v * scale for v in other["y"]]
            axes.line(other["x"], ys, other.get("color", DIM), 1.6, dash, other.get("steps", False))
        for one in series:
            if one.get("points"):
                for a, b in zip(xs, one["y"], strict=True):
                    if np.isfinite(b):
                        pen.dot(axes.X(a), axes.Y(b), 3, mixed(one["color"], 0.6))
            else:
                axes.line(xs, one["y"], one["color"], 1.7, one["dash"])
            if one.get("best"):
                better = np.fmin if self.lower else np.fmax
                good = columns[self.feasible].reshape(-1)[:n] != 0 if self.feasible else True
                axes.line(xs, better.accumulate(np.where(good, one["y"], np.nan)), TEXT, 2, steps=True)
        axes.extras(self.lines, marks, lambda at: float(xs[min(max(at, 0), n - 1)]))

    def _legend(self, pen, box, series) -> tuple[float, float, float, float]:
        """Draw the legend above the plot, where it hides nothing, and return the box that is left below it."""
        keys: list[tuple[str | None, str, float, tuple[int, ...]]] = []
        keys += [(band.get("label"), DEAD, 8, ()) for band in self.band]
        for j, other in enumerate(self.others):
            keys.append((other.get("label"), other.get("color", DIM), 2, (2, 3) if j else (6, 4)))
        for one in series:
            keys.append((one.get("label"), one["color"], 0 if one.get("points") else 2, one["dash"]))
            if one.get("best"):
                keys.append(("best so far", TEXT, 2, ()))
        keys = [key for key in keys if key[0]]
        x, y, wide, tall = box
        if len(keys) < 2 and not self.band:
            return box
        left, top = x + 52, y + 8
        for label, color, width, dash in keys:
            needed = pen.wide(label, 11) + 44
            if left + needed > x + wide and left > x + 52:
                left, top = x + 52, top + 17
            if width:
                pen.line([(left, top), (left + 22, top)], color, width, dash)
            else:
                pen.dot(left + 11, top, 3.5, mixed(color, 0.6))
            pen.text(left + 28, top, label, 11, anchor="lm")
            left += needed
        return x, top + 9, wide, tall - (top + 9 - y)
