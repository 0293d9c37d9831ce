"""Weights in time: a small panel for every edge, a line for each operation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...raster import DIM, GRID, MARK, PANEL, SERIES
from .view import View


@dataclass(frozen=True, kw_only=True)
class TracesView(View):
    """Lines in time, one panel for each row of an array.

    Parameters
    ----------
    array : str
        Array (panels, series), or (series,) for one panel.
    labels : sequence of str
        Names of the panels.
    total : int
        Number of planned steps, for the axis.
    max : float
        Upper end of the vertical axis.
    xlabel : str
    each : int
        If above 0, panels take turns, each for so many steps: a panel's axis holds the steps of its turn alone.
    """

    kind: ClassVar[str] = "traces"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {"array": (1, 2)}

    array: str
    labels: Sequence[str] = ()
    total: int = 0
    max: float = 1
    xlabel: str = "step"
    each: int = 0

    def tall(self, columns, wide) -> float:
        """Return the height of all rows of panels."""
        per, rows = _panels(columns[self.array].shape[1:], wide)
        return rows * (240 if rows == per == 1 else 104) + 16

    def still(self, pen, look, columns, marks, step, box) -> None:
        x, y, wide, _ = box
        data = columns[self.array]
        data = data[: step + 1].reshape(step + 1, -1, data.shape[-1])
        per, rows = _panels(data.shape[1:], wide)
        tall, top, span = 240 if rows == per == 1 else 104, self.max, max(1, self.total, len(data) - 1)
        for p in range(data.shape[1]):
            w, h = (wide - 40) / per - 14, tall - 32
            left, up = x + 40 + (p % per) * (wide - 40) / per, y + 18 + (p // per) * tall
            pen.box(left, up, w, h, PANEL)
            for v in (0, top / 2, top):
                at = up + h * (1 - v / top)
                pen.line([(left, at), (left + w, at)], GRID, 1)
                if p % per == 0:
                    pen.text(left - 5, at, f"{v:.0%}", 10, DIM, "rm")
            if labels := self.labels:
                pen.text(left, up - 8, labels[p], 11, anchor="lm")
            first, end = (p * self.each, (p + 1) * self.each - 1) if self.each else (0, span)
            if p + per >= data.shape[1] or self.each:
                pen.text(left, up + h + 9, f"{first:,}", 10, DIM, "lm")
                pen.text(left + w, up + h + 9, f"{end:,}", 10, DIM, "rm")
            last = min(len(data) - 1, end)
            if last < first:
                continue
            every = np.unique(np.linspace(first, last, min(last - first + 1, int(w) + 1)).astype(int))
            for o in range(data.shape[2]):
                color = look.colors[o] if o < len(look.colors) else SERIES[o % 6]
                dash = look.dashes[o] if o < len(look.dashes) else ()
                values = data[every, p, o]
                there = np.isfinite(values)
                ys = up + h * (1 - np.minimum(values[there], top) / top)
                xs = left + w * (every[there] - first) / max(1, end - first)
                pen.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), color, 1.5, dash)
            for mark in (one for one in marks if first <= one["at"] <= end or not self.each):
                at = left + w * (min(mark["at"], end) - first) / max(1, end - first)
                pen.line([(at, up), (at, up + h)], MARK, 1, (4, 3))


def _panels(shape, wide) -> tuple[int, int]:
    panels = shape[0] if len(shape) > 1 else 1
    rows = math.ceil(panels / min(panels, max(1, int(wide // 138))))
    return math.ceil(panels / rows), rows
