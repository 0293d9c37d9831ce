"""Several ways to make networks smaller: accuracy against cost, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np

from ..colors import Style, method
from ..raster import DIM, Axes, good_range
from .chart import Chart, drawn, figure, live, stroke

PLOTLY_DASH = 1.5  # pixels of a stroke pattern on the page, for one of the still's
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "triangle-down", "hexagon")
APART = 0.004  # between two methods at one cost, as a share of the axis: intervals would cover one another
HEAD = 0.05  # of the axis above the highest point

Point = tuple[float, float, float, float]


class Frontier(Chart):
    """A chart of methods as lines with intervals. See `frontier`."""

    def __init__(self, series: Mapping[str, Sequence[Point]], x_label: str, y_label: str, floor: float | None = None):
        if not series or not all(series.values()):
            raise ValueError(f"each line needs points, got { ({name: len(of) for name, of in series.items()}) }")
        self.series = {name: sorted(tuple(map(float, point)) for point in of) for name, of in series.items()}
        for name, points in self.series.items():
            for point in points:
                if len(point) != 4 or not all(map(isfinite, point)) or not point[2] <= point[1] <= point[3]:
                    raise ValueError(f"a point is (cost, accuracy, low, high), finite and low to high; {name}: {point}")
        self.x_label, self.y_label = x_label, y_label
        self.top = max(point[3] for points in self.series.values() for point in points)
        if floor is not None and not floor < self.top:
            raise ValueError(f"a floor lies below the highest accuracy, {self.top:g}; got {floor}")
        self.floor = floor
        self.figure = live(self._filled())
        self.text = self._sentence()
        super().__init__([self.figure])

    def looks(self) -> dict[str, Style]:
        """Return the look of each method: the same in every picture."""
        return {name: method(name) for name in self.series}

    def _filled(self):
        out = figure(
            height=420, xaxis={"title": self.x_label}, yaxis={"title": self.y_label}, hovermode="closest",
            legend={"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0},
            margin={"l": 60, "r": 20, "t": 34 + 20 * -(-len(self.series) // 3), "b": 50},
        )  # fmt: skip
        if self.floor is not None:
            out.update_yaxes(range=[self.floor, self.top + HEAD * (self.top - self.floor)])
        shifts = self._shifts()
        for number, (name, look) in enumerate(self.looks().items()):
            cost, accuracy, low, high = np.array(self.series[name]).T
            out.add_scatter(
                x=cost + shifts[name], y=[self._shown(y) for y in accuracy], name=look.label,
                mode="lines+markers+text", textposition="middle right", textfont={"color": look.color},
                text=[f"\u2002{y:.1f} ↓" if self._below(y) else "" for y in accuracy], cliponaxis=False,
                line={"color": look.color, "width": 2,
                      "dash": stroke([PLOTLY_DASH * d for d in look.dash])},
                marker={"size": 8, "color": look.color, "symbol": SYMBOLS[number % len(SYMBOLS)]},
                error_y={"type": "data", "symmetric": False, "thickness": 1.5, "width": 4,
                         "array": [0 if self._below(y) else up - y for y, up in zip(accuracy, high, strict=True)],
                         "arrayminus": [0 if self._below(y) else y - to for y, to in zip(accuracy, low, strict=True)]},
                customdata=np.column_stack([cost, low, high, accuracy]),
                hovertemplate="%{customdata[0]:.3~g}: %{customdata[3]:.1f} (%{customdata[1]:.1f} to "
                              "%{customdata[2]:.1f})",
            )  # fmt: skip
        return out

    def _shifts(self) -> dict[str, float]:
        """Return how far each method stands beside its cost, so that intervals at one cost can be told apart."""
        costs = np.array([point[0] for points in self.series.values() for point in points])
        middle = (len(self.series) - 1) / 2
        wide = APART * float(costs.max() - costs.min())
        return {name: wide * (number - middle) for number, name in enumerate(self.series)}

    def _below(self, accuracy: float) -> bool:
        return self.floor is not None and accuracy < self.floor

    def _shown(self, accuracy: float) -> float:
        """Return the height at which a point is drawn: not below the floor."""
        return accuracy if self.floor is None else max(accuracy, self.floor)

    def _sentence(self) -> str:
        lines = []
        for name, look in self.looks().items():
            at = ", ".join(f"{y:.1f} ({low:.1f} to {high:.1f}) at {x:g}" for x, y, low, high in self.series[name])
            lines.append(f"{look.label}: {at}.")
        return f"{self.y_label} against {self.x_label}. " + " ".join(lines)

    def still(self) -> bytes:
        """Draw the chart as PNG, light background."""
        every = np.array([point for points in self.series.values() for point in points])
        shifts, rows = self._shifts(), -(-len(self.series) // 3)

        def draw(pen):
            domain, shown = good_range(every[:, 0], False, False), np.vectorize(self._shown)(every[:, 1:])
            axes = Axes(pen, (0, 20 * rows + 6, 700, 360), domain, good_range(shown.ravel(), False, False),
                        self.x_label, self.y_label)  # fmt: skip
            for number, (name, look) in enumerate(self.looks().items()):
                points = [(x + shifts[name], *of) for x, *of in self.series[name]]
                line = [point[0] for point in points], [self._shown(point[1]) for point in points]
                axes.line(*line, look.color, 2, look.dash)
                for x, y, low, high in points:
                    pen.dot(axes.X(x), axes.Y(self._shown(y)), 4, look.color)
                    if self._below(y):
                        pen.text(axes.X(x) + 12, axes.Y(self._shown(y)), f"{y:.1f} ↓", 11, look.color, "lm")
                    else:
                        ends = [(axes.X(x), axes.Y(self._shown(end))) for end in (low, high)]
                        pen.line(ends, look.color, 1.5)
                left, y = 52 + 220 * (number % 3), 12 + 20 * (number // 3)
                pen.line([(left, y), (left + 24, y)], look.color, 2.2, look.dash)
                pen.text(left + 30, y, look.label, 11, DIM, "lm")

        return drawn(720, 20 * rows + 376, draw)


def frontier(series: Mapping[str, Sequence[Point]], x_label: str, y_label: str, floor: float | None = None) -> Frontier:
    """Return a chart of accuracy against cost for several methods: means, and their intervals as bars.

    Parameters
    ----------
    series : mapping from str to sequence of (cost, accuracy, low, high)
        By the method's name, which says how it looks (`nasviz.views.colors.METHODS`). Interval and accuracy in one
        unit; points in any order. Points of several methods at one cost are drawn a little beside each other.
    x_label, y_label : str
        With their units: ``"share of the parent's multiply-adds, %"``, ``"test accuracy, %"``.
    floor : float, optional
        Where the vertical axis begins. A point below it is drawn there, with its value and an arrow: one method that
        fails would leave the others no room. Default: all points lie on the axis.

    Returns
    -------
    Chart
        Its ``figure`` is plotly's.

    Raises
    ------
    ValueError
        No line, a line without points, or a point that is no (cost, accuracy, low, high) with low ≤ accuracy ≤ high; a
        floor above all of them.

    Examples
    --------
    >>> lines = {"programme": [(20, 83.4, 83.0, 83.8), (35, 84.0, 83.8, 84.2)], "uniform": [(20, 82.1, 81.7, 82.5)]}
    >>> frontier(lines, "multiply-adds kept, %", "test accuracy, %")  # doctest: +SKIP
    """
    return Frontier(series, x_label, y_label, floor)
