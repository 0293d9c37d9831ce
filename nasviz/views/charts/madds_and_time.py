"""Counted multiply-adds against measured milliseconds, and the operations of the networks that deviate most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

import ipywidgets as widgets
import numpy as np

from ..._old_names import renamed
from ...space import Arch, SearchSpace
from ..colors import BLUE, GREY, MAGENTA
from ..raster import DIM, Axes, good_range, mixed
from ..stage.cell import show
from .chart import Chart, drawn, figure, live, short, sides
from .latency import OTHER, kind

GROUPS = ((1, "slower than counted", MAGENTA, "square"), (-1, "faster than counted", BLUE, "diamond"),
          (0, "the rest", GREY, "circle"))  # fmt: skip
SHIFT = {"top center": (0, -11), "bottom center": (0, 11), "middle right": (10, 0), "middle left": (-10, 0)}
__getattr__ = renamed(__name__)  # old names


class MaddsAndTime(Chart):
    """A chart of networks by multiply-adds and milliseconds, with the line that fits them.

    The line is the least-squares fit of the milliseconds to the multiply-adds. The networks farthest above and below
    it, in milliseconds, have a letter, and their operations stand below the chart. A click shows the cell.

    Parameters
    ----------
    space : SearchSpace
    archs : sequence of Arch
        At least three architectures.
    madds, ms : sequence of float
        Counted multiply-adds and measured milliseconds of each.
    rows : sequence of sequences of (str, float)
        The operations of each, from `nasviz.hardware.LatencyTable.by_operation`.
    named : int
        Number of networks with a letter on either side of the line; of networks with the same operations only one.

    Attributes
    ----------
    off : float array
        Milliseconds above the line.
    operations : list of Counter
        For each network the number of operations of each kind, without stem, reduction and classifier.
    groups : dict of int to list of int
        Numbers of networks with a letter above the line (1) and below (-1), the farthest first, and of the rest (0).
    letters : dict of int to str
        The letters by the number of the network.
    """

    def __init__(self, space: SearchSpace, archs: Sequence[Arch], madds, ms, rows, named: int = 3):
        self.space, self.archs = space, list(archs)
        self.madds, self.ms = np.asarray(madds, float), np.asarray(ms, float)
        if not 3 <= len(self.archs) == len(self.madds) == len(self.ms) == len(rows):
            raise ValueError("needs multiply-adds, milliseconds and operations of each of three networks or more")
        self.operations = [Counter(kind(words) for words, _ in row if kind(words) != OTHER) for row in rows]
        self.line = np.polyfit(self.madds, self.ms, 1)
        self.off = self.ms - np.polyval(self.line, self.madds)
        order = np.argsort(-self.off, kind="stable").tolist()
        above, below = (self._farthest(one, named) for one in (order, order[::-1]))
        self.groups = {1: above, -1: below, 0: [i for i in order if i not in {*above, *below}]}
        self.letters = dict(zip(above + below, "abcdefghijklmnopqrstuvwxyz", strict=False))
        self.lines = {
            name: [f"{self.letters[i]}  {self.ms[i]:.2f} ms: {self.called(i)}" for i in self.groups[group]]
            for group, name, *_ in GROUPS[:2]
        }
        told = " ".join(f"{name}: {'; '.join(lines)}." for name, lines in self.lines.items())
        self.text = f"{len(self.archs)} networks by multiply-adds and milliseconds. {told}"
        said = widgets.HBox([
            widgets.HTML(f"<p style='margin:0 30px 0 0'><b>{name}</b><br>{'<br>'.join(map(escape, lines))}</p>")
            for name, lines in self.lines.items()
        ], layout={"flex_flow": "row wrap"})  # fmt: skip
        self.about, self.cells = widgets.HTML("Click a dot."), widgets.VBox()
        self.figure = live(self._filled())
        for trace, (group, *_) in zip(self.figure.data[1:], GROUPS, strict=True):
            trace.on_click(lambda trace, points, state, group=group: self._clicked(group, points.point_inds))
        super().__init__([self.figure, said, self.about, self.cells])

    def called(self, number: int) -> str:
        """Describe a network by its operations: ``"6 conv 1×1, 2 pooling"``."""
        return ", ".join(f"{n} {one}" for one, n in sorted(self.operations[number].items())) or "no operation"

    def _farthest(self, order: list[int], named: int) -> list[int]:
        """Return the first of an order on the same side of the line, each mixture of operations once."""
        out: list[int] = []
        for i in order:
            other = all(self.operations[i] != self.operations[j] for j in out)
            if len(out) < named and other and self.off[i] * self.off[order[0]] > 0:
                out.append(i)
        return out

    def _beside(self, x, y) -> dict[int, str]:
        """Return on which side of its dot each letter stands; ``x`` and ``y`` in pixels."""
        numbers = [*self.letters, *self.groups[0]]
        names = [self.letters.get(i, "") for i in numbers]
        return dict(zip(numbers, sides(x[numbers], y[numbers], names, [9] * len(numbers)), strict=True))

    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        x = np.array([self.madds.min(), self.madds.max()])
        return x, np.polyval(self.line, x)

    def _filled(self):
        out = figure(
            height=430, xaxis={"title": "multiply-adds, counted"}, yaxis={"title": "milliseconds, measured"},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, hovermode="closest",
        )  # fmt: skip
        x, y = (size * (v - v.min()) / np.ptp(v) for size, v in ((800, self.madds), (300, self.ms)))  # roughly
        beside, (x, y) = self._beside(x, y), self._ends()
        out.add_scatter(x=x, y=y, mode="lines", name="by counting", line={"color": GREY, "dash": "dot", "width": 1.5})
        for group, name, color, symbol in GROUPS:
            numbers = self.groups[group]
            out.add_scatter(
                x=self.madds[numbers], y=self.ms[numbers], name=name, cliponaxis=False,
                mode="markers+text" if group else "markers",
                marker={"color": color, "symbol": symbol, "size": 9 if group else 7, "opacity": 0.9 if group else 0.6},
                text=[self.letters.get(i, "") for i in numbers], textfont={"size": 13},
                textposition=[beside[i] for i in numbers],
                customdata=[self.called(i) for i in numbers],
                hovertemplate="%{x:,.0f}, %{y:.3g} ms<br>%{customdata}<extra></extra>",
            )  # fmt: skip
        return out

    def _clicked(self, group: int, points: list[int]) -> None:
        if points:
            self.tell(self.groups[group][points[0]])

    def tell(self, number: int) -> None:
        """Show one network's numbers and its cell."""
        self.about.value = (
            f"<b>{escape(self.space.to_text(self.archs[number]))}</b><br>{short(self.madds[number])} multiply-adds, "
            f"{self.ms[number]:.3g} ms, {abs(self.off[number]):.2g} ms {'above' if self.off[number] > 0 else 'below'} "
            f"the line: {escape(self.called(number))}"
        )
        self.cells.children = [show(self.archs[number], self.space)]

    def still(self) -> bytes:
        """Draw the dots, the line and the names as PNG."""
        spans = [good_range(v, low_fence=False, high_fence=False) for v in (self.madds, self.ms)]

        def draw(pen):
            axes = Axes(pen, (0, 22, 700, 390), *spans, "multiply-adds, counted", "milliseconds, measured")
            axes.line(*self._ends(), GREY, 1.5, (2, 3))
            x, y = (np.array([place(v) for v in values]) for place, values in ((axes.X, self.madds), (axes.Y, self.ms)))
            beside, left = self._beside(x, -y), 60
            for group, name, color, symbol in GROUPS:
                for i in self.groups[group]:
                    pen.sign(symbol, x[i], y[i], 4 if group else 3, mixed(color, 0.7), color, 0.8)
                    dx, dy = SHIFT[beside[i]]
                    pen.text(x[i] + dx, y[i] + dy, self.letters.get(i, ""), 12, DIM)
                pen.sign(symbol, left, 10, 4, color)
                pen.text(left + 10, 10, name, 11, anchor="lm")
                left += 34 + pen.wide(name, 11)
            for column, lines in enumerate(self.lines.values()):
                for row, line in enumerate(lines):
                    pen.text(10 + 360 * column, 424 + 18 * row, line, 11, DIM, "lm")

        return drawn(720, 420 + 18 * max(map(len, self.lines.values())), draw)
