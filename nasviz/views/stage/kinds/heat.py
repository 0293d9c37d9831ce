"""An array at one step, as a table of numbers on coloured fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...colors import BLUE
from ...raster import BACK, DIM, TEXT, mixed
from .view import View


@dataclass(frozen=True, kw_only=True)
class HeatView(View):
    """A table of an array, in percent.

    Parameters
    ----------
    array : str
        Array (rows, columns); nan where there is nothing.
    labels : sequence of str
        Names of the rows; by default their numbers.
    columns : sequence of str
        Names of the columns; by default those of the operations.
    min, max : float
        Values of the palest and of the darkest field.
    digits : int
        Digits after the point.
    boxed : str, optional
        Array of the same shape: a box stands where it is 1; without it, around each row's largest.
    """

    kind: ClassVar[str] = "heat"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {"array": (2,), "boxed": (2,)}

    array: str
    labels: Sequence[str] = ()
    columns: Sequence[str] = ()
    min: float = 0
    max: float = 1
    digits: int = 0
    boxed: str | None = None

    def completed(self, arrays, ops) -> HeatView:
        """Return the table. ValueError if its columns have no names."""
        super().completed(arrays, ops)
        if not self.columns and arrays[self.array][1] != len(ops):
            raise self.wrong(f"{self.array!r} has {arrays[self.array][1]} columns for {len(ops)} operations")
        return self

    def tall(self, columns, wide) -> float:
        """Return the height of the head and of all rows."""
        return 36 + 24 * columns[self.array].shape[1]

    def still(self, pen, look, columns, marks, step, box) -> None:
        x, y, wide, _ = box
        data, low, top, b = columns[self.array][step], self.min, self.max, self.boxed
        edges = np.where(
            columns[b][step] >= 1 if b else data == np.fmax.reduce(data, 1, keepdims=True), TEXT, np.array(None)
        )
        names, labels = self.columns or look.labels, self.labels or [str(r) for r in range(len(data))]
        left = max(58, 16 + max(pen.wide(label, 11) for label in labels))
        w = (wide - left) / data.shape[1]
        for o, name in enumerate(names):
            first, _, rest = name.rpartition(" ") if pen.wide(name, 11) > w - 4 else ("", "", name)
            pen.text(x + left + (o + 0.5) * w, y + 26, rest, 11, DIM)
            pen.text(x + left + (o + 0.5) * w, y + 12, first, 11, DIM)
        for r, row in enumerate(data):
            at = y + 36 + 24 * r
            pen.text(x + left - 8, at + 12, labels[r], 11, anchor="rm")
            for o, (v, edge) in enumerate(zip(row, edges[r], strict=True)):
                share = min(1, max(0, float(v - low) / (top - low))) if np.isfinite(v) else 0
                pen.box(x + left + 1 + o * w, at + 1, w - 2, 22, mixed(BLUE, 0.04 + 0.96 * share**0.8), edge, 1.2)
                word = f"{100 * v:.{self.digits}f}" if np.isfinite(v) else "–"
                pen.text(x + left + (o + 0.5) * w, at + 12, word, 11, BACK if share > 0.5 else "#16181e")
