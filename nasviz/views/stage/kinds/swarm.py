"""Every evaluation as a dot, joined to its parent by a line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...colors import BLUE, MAGENTA
from ...raster import DEAD, DIM, TEXT, Axes, good_range, mixed
from .people import Individuals


@dataclass(frozen=True, kw_only=True)
class SwarmView(Individuals):
    """All individuals in time, with the best and its ancestors.

    Parameters
    ----------
    parent : str, optional
        Number of the parent, -1 for none.
    population : str, optional
        Array (places,): the numbers of the living; nan in places that are free.
    alive : int, optional
        Without ``population``: how many of the last live.
    """

    kind: ClassVar[str] = "swarm"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "array": (0,),
        "parent": (0,),
        "population": (1,),
        "feasible": (0,),
    }

    parent: str | None = None
    population: str | None = None
    alive: int | None = None
    xlabel: str = "architectures evaluated"

    def still(self, pen, look, columns, marks, step, box) -> None:
        score = columns[self.array].reshape(-1)[: step + 1] * self.scale
        n = len(score)
        parent = columns[self.parent].reshape(-1)[:n] if self.parent else np.full(n, -1.0)
        good = columns[self.feasible].reshape(-1)[:n] != 0 if self.feasible else np.ones(n, bool)
        if self.population:
            alive = np.isin(np.arange(n), columns[self.population][step])
        else:
            alive = n - 1 - np.arange(n) < (math.inf if self.alive is None else self.alive)
        lines = [line["y"] for line in self.lines]
        values = self.range or good_range(np.concatenate([score, lines]), high_fence=False)
        if not self.range:
            values = (values[0], values[1] + 0.1 * (values[1] - values[0]))  # room for the label of the best
        span = max(1, self.total, n - 1)
        axes = Axes(pen, box, (0, span), values, self.xlabel, self.ylabel)

        def link(a, b, color, width):
            x0, y0, x1, y1 = axes.X(a), axes.Y(score[a]), axes.X(b), axes.Y(score[b])
            points = [[x0, y0], [x0 + 0.6 * (x1 - x0), y0], [x0 + 0.4 * (x1 - x0), y1], [x1, y1]]
            u = np.linspace(0, 1, 11)[:, None]
            v, p = 1 - u, np.array(points)
            curve = v**3 * p[0] + 3 * v * v * u * p[1] + 3 * v * u * u * p[2] + u**3 * p[3]
            pen.line([tuple(q) for q in curve], color, width)

        for i in np.flatnonzero((parent >= 0) & np.isfinite(score)):
            if np.isfinite(score[int(parent[i])]):
                link(int(parent[i]), i, mixed(DIM, 0.6 if alive[i] else 0.2), 0.8)
        record = np.maximum.accumulate(np.where(good & np.isfinite(score), score, -np.inf))
        record[~np.isfinite(record)] = np.nan
        axes.line(np.arange(n), record, TEXT, 1.8, steps=True)
        for i in np.flatnonzero(np.isfinite(score)):
            color = BLUE if alive[i] else DEAD
            pen.dot(axes.X(i), axes.Y(score[i]), 4 if alive[i] else 3, *((color, None) if good[i] else (None, color)))
        axes.extras(self.lines, marks, lambda at: at)
        if np.isfinite(record).any():
            best = k = int(np.nanargmax(np.where(good, score, np.nan)))
            while k >= 0:
                if parent[k] >= 0:
                    link(int(parent[k]), k, MAGENTA, 2)
                pen.dot(axes.X(k), axes.Y(score[k]), 6 if k == best else 4, MAGENTA)
                k = int(parent[k])
            text = f"#{best}: {score[best]:.3g} {self.unit}"
            w = pen.wide(text) / 2
            x = min(max(axes.X(best), axes.x + w + 4), axes.x + axes.w - w - 4)
            pen.text(x, axes.Y(score[best]) - 14, text, 12)
