"""A population: its members by age, and the ancestors of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypedDict

import numpy as np

from ...colors import BLUE, MAGENTA
from ...raster import DEAD, DIM, GRID, TEXT, Axes, good_range, mixed, ticks
from .curve import Line
from .view import Columns, View


@dataclass(frozen=True, kw_only=True)
class Individuals(View):
    """What pictures of individuals have in common: one is evaluated at each step.

    Parameters
    ----------
    array : str
        A score.
    feasible : str, optional
        1 for what keeps to a bound, 0 for what does not.
    scale : float
        Factor of the score, for the axis; ``range`` and ``lines`` are in the units shown, after it.
    unit, xlabel, ylabel : str
    range : (float, float), optional
        Ends of the axis of scores.
    lines : sequence of {"y", "label"}
        Scores to compare with.
    total : int
        Number of planned steps, for the axis.
    height : float
        px.
    """

    array: str
    feasible: str | None = None
    scale: float = 1
    unit: str = ""
    ylabel: str = ""
    range: Sequence[float] | None = None
    lines: Sequence[Line] = ()
    total: int = 0
    height: float = 330

    def tall(self, columns, wide) -> float:
        """Return ``height``."""
        return self.height


@dataclass(frozen=True, kw_only=True)
class AgesView(Individuals):
    """The living by age and score.

    Parameters
    ----------
    parent : str
        Number of the parent, -1 for none.
    population : str
        Array (places,): the numbers of the living, the oldest first; nan in places that are free.
    oldest : int
        Age up to which the axis reaches, if nobody grows older.
    """

    kind: ClassVar[str] = "ages"
    script: ClassVar[str] = "people"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "array": (0,),
        "parent": (0,),
        "population": (1,),
        "feasible": (0,),
    }

    parent: str
    population: str
    oldest: int = 1
    xlabel: str = "age: evaluations since its own"

    def still(self, pen, look, columns, marks, step, box) -> None:
        kin, alive = _Kin(self, columns), columns[self.population]
        first = np.array([row[0] for row in alive])
        oldest = max(self.oldest, int(np.nanmax(np.arange(len(first)) - first)) + 1)
        values = self.range or good_range(kin.score, high_fence=False)
        axes = Axes(pen, box, (-0.5, oldest + 0.5), values, "age: evaluations since its own", self.ylabel)
        now = [int(k) for k in alive[step] if k >= 0]
        before = [int(k) for k in alive[step - 1] if k >= 0] if step else []
        line = set(kin.line(len(kin.score) - 1))
        born, score = kin.parent[step], kin.score
        if born in now or born in before:
            color = MAGENTA if step in line else DIM
            _curl(pen, axes.X(step - born), axes.Y(score[born]), axes.X(0), axes.Y(score[step]), color, 1.6)
        for k in before:
            if k not in now and np.isfinite(score[k]):
                pen.dot(axes.X(step - k), axes.Y(score[k]), 7, None, DEAD, 1.8)
        for k in now:
            if np.isfinite(score[k]):
                color = MAGENTA if k in line else BLUE
                filled = (color, None) if kin.good[k] else (None, color)
                pen.dot(axes.X(step - k), axes.Y(score[k]), 6 if k == step else 4, *filled)
        kept = len(line & set(now))
        words = f"{len(now)} live, {kept} of the best one's line"
        pen.text(axes.x + axes.w, axes.y - 8, words, 11, MAGENTA if kept else DIM, "rm")


class _Named(TypedDict):
    name: str
    options: Sequence[str]


class NamedChoice(_Named, total=False):
    """A choice: its name, and the names of its options. Colours are not used."""

    colors: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class FamilyView(Individuals):
    """The line of the best, from its first ancestor on, with the edit that made each.

    Parameters
    ----------
    parent : str
        Number of the parent, -1 for none.
    arch : str
        Array (choices,) of options, or (choices, options) of ones and zeros.
    choices : sequence of {"name", "options"}
    """

    kind: ClassVar[str] = "family"
    script: ClassVar[str] = "people"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {"array": (0,), "parent": (0,), "arch": (1, 2), "feasible": (0,)}

    parent: str
    arch: str
    choices: Sequence[NamedChoice]

    def still(self, pen, look, columns, marks, step, box) -> None:
        x, y, wide, tall = box
        kin = _Kin(self, columns)
        whole = kin.line(step)[::-1]
        if not whole:
            return
        most = max(2, int((tall - 40) // 22))
        line = whole[-most:]
        places = {k: row + 1 for row, k in enumerate(line[:-1])}
        others = [(i, places[int(kin.parent[i])]) for i in range(step + 1) if int(kin.parent[i]) in places]
        others = [(i, row) for i, row in others if np.isfinite(kin.score[i])]
        values = good_range(np.array([kin.score[i] for i in [*line, *(i for i, _ in others)]]), high_fence=False)
        w, h = 0.42 * wide - 12, tall - 62

        def X(i):
            return x + 12 + w * min(1, max(0, (kin.score[i] - values[0]) / (values[1] - values[0])))

        def Y(row):
            return y + 22 + h * row / max(1, len(line) - 1)

        for v in ticks(*values, w / 30):
            at = x + 12 + w * (v - values[0]) / (values[1] - values[0])
            pen.line([(at, y + 16), (at, y + 30 + h)], GRID, 1)
            pen.text(at, y + 40 + h, f"{v:g}", 11, DIM)
        pen.text(x + 12 + w / 2, y + 54 + h, self.ylabel, 11, DIM)
        for i, row in others:
            _curl(pen, X(line[row - 1]), Y(row - 1), X(i), Y(row), mixed(DIM, 0.4), 0.8, upright=True)
            pen.dot(X(i), Y(row), 2.6, *((mixed(DIM, 0.5), None) if kin.good[i] else (None, mixed(DIM, 0.5))))
        for row, i in enumerate(line):
            if row:
                _curl(pen, X(line[row - 1]), Y(row - 1), X(i), Y(row), MAGENTA, 2.2, upright=True)
        left = x + w + 30
        for row, i in enumerate(line):
            pen.dot(X(i), Y(row), 6 if row == len(line) - 1 else 4, MAGENTA)
            words = f"#{i}  {kin.score[i]:.3g}  {_edit(self, columns, kin, i)}"
            while pen.wide(words, 11) > x + wide - left and len(words) > 8:
                words = words[:-2].rstrip("… ") + "…"
            pen.text(left, Y(row), words, 11, TEXT, "lm")
        if len(line) < len(whole):
            pen.text(left, y + 6, f"{len(whole) - len(line)} earlier ones not shown", 10, DIM, "lm")


class _Kin:
    """The scores, parents and ancestors of the first evaluations, and the best of them."""

    def __init__(self, view: AgesView | FamilyView, columns: Columns):
        self.score = columns[view.array].reshape(-1) * view.scale
        self.parent = columns[view.parent].reshape(-1).astype(int)
        good = columns[view.feasible].reshape(-1) != 0 if view.feasible else np.ones(len(self.score), bool)
        self.good, self._best = good, np.where(good & np.isfinite(self.score), self.score, -np.inf)

    def line(self, last: int) -> list[int]:
        """Return the best of the first evaluations, its parent, and so on; empty if there is no valid score."""
        best, line = int(self._best[: last + 1].argmax()), []
        while np.isfinite(self._best[: last + 1]).any() and best >= 0:
            line.append(best)
            best = int(self.parent[best])
        return line


def _curl(pen, x0, y0, x1, y1, color, width, upright=False) -> None:
    a, b = ((x0, y0 + 0.6 * (y1 - y0)), (x1, y0 + 0.4 * (y1 - y0))) if upright else (
        (x0 + 0.6 * (x1 - x0), y0), (x0 + 0.4 * (x1 - x0), y1)
    )  # fmt: skip
    p, u = np.array([(x0, y0), a, b, (x1, y1)]), np.linspace(0, 1, 13)[:, None]
    v = 1 - u
    pen.line([tuple(q) for q in v**3 * p[0] + 3 * v * v * u * p[1] + 3 * v * u * u * p[2] + u**3 * p[3]], color, width)


def _edit(view: FamilyView, columns, kin, i) -> str:
    """Describe the change from the parent to the individual in words."""
    if kin.parent[i] < 0:
        return "drawn at random"
    archs = columns[view.arch]
    old, now = (archs[k].argmax(1) if archs.ndim == 3 else archs[k].astype(int) for k in (kin.parent[i], i))
    words = []
    for choice, a, b in zip(view.choices, old, now, strict=True):
        if a != b:
            names = [choice["options"][o] if o >= 0 else "not in use" for o in (a, b)]
            words.append(f"{choice['name']}: {names[0]} → {names[1]}")
    return f"{len(words)} choices changed" if len(words) > 2 else ", ".join(words) or "evaluated once more"
