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

Point = tuple[float, float, float, float]


class Frontier(Chart):
    """A chart of methods as lines with intervals. See `frontier`."""

    def __init__(self, series: Mapping[str, Sequence[Point]], x_label: str, y_label: str):
        if not series or not all(series.values()):
            raise ValueError(f"each line needs points, got { ({name: len(of) for name, of in series.items()}) }")
        self.series = {name: sorted(tuple(map(float, point)) for point in of) for name, of in series.items()}
        for name, points in self.series.items():
            for point in points:
                if len(point) != 4 or not all(map(isfinite, point)) or not point[2] <= point[1] <= point[3]:
                    raise ValueError(f"a point is (cost, accuracy, low, high), finite and low to high; {name}: {point}")
        self.x_label, self.y_label = x_label, y_label
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
        shifts = self._shifts()
        for number, (name, look) in enumerate(self.looks().items()):
            cost, accuracy, low, high = np.array(self.series[name]).T
            out.add_scatter(
                x=cost + shifts[name], y=accuracy, name=look.label, mode="lines+markers",
                line={"color": look.color, "width": 2,
                      "dash": stroke([PLOTLY_DASH * d for d in look.dash])},
                marker={"size": 8, "color": look.color, "symbol": SYMBOLS[number % len(SYMBOLS)]},
                error_y={"type": "data", "symmetric": False, "array": high - accuracy, "arrayminus": accuracy - low,
                         "thickness": 1.5, "width": 4},
                customdata=np.column_stack([cost, low, high]),
                hovertemplate="%{customdata[0]:.3~g}: %{y:.1f} (%{customdata[1]:.1f} to %{customdata[2]:.1f})",
            )  # fmt: skip
        return out

    def _shifts(self) -> dict[str, float]:
        """Return how far each method stands beside its cost, so that intervals at one cost can be told apart."""
        costs = np.array([point[0] for points in self.series.values() for point in points])
        middle = (len(self.series) - 1) / 2
        wide = APART * float(costs.max() - costs.min())
        return {name: wide * (number - middle) for number, name in enumerate(self.series)}

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
            domain = good_range(every[:, 0], False, False)
            axes = Axes(pen, (0, 20 * rows + 6, 700, 360), domain, good_range(every[:, 1:].ravel(), False, False),
                        self.x_label, self.y_label)  # fmt: skip
            for number, (name, look) in enumerate(self.looks().items()):
                points = [(x + shifts[name], *of) for x, *of in self.series[name]]
                axes.line([point[0] for point in points], [point[1] for point in points], look.color, 2, look.dash)
                for x, y, low, high in points:
                    pen.line([(axes.X(x), axes.Y(low)), (axes.X(x), axes.Y(high))], look.color, 1.5)
                    pen.dot(axes.X(x), axes.Y(y), 4, look.color)
                left, y = 52 + 220 * (number % 3), 12 + 20 * (number // 3)
                pen.line([(left, y), (left + 24, y)], look.color, 2.2, look.dash)
                pen.text(left + 30, y, look.label, 11, DIM, "lm")

        return drawn(720, 20 * rows + 376, draw)


def frontier(series: Mapping[str, Sequence[Point]], x_label: str, y_label: str) -> Frontier:
    """Return a chart of accuracy against cost for several methods: means, and their intervals as bars.

    Parameters
    ----------
    series : mapping from str to sequence of (cost, accuracy, low, high)
        By the method's name, which says how it looks (`nasviz.views.colors.METHODS`). Interval and accuracy in one
        unit; points in any order. Points of several methods at one cost are drawn a little beside each other.
    x_label, y_label : str
        With their units: ``"share of the parent's multiply-adds, %"``, ``"test accuracy, %"``.

    Returns
    -------
    Chart
        Its ``figure`` is plotly's.

    Raises
    ------
    ValueError
        No line, a line without points, or a point that is no (cost, accuracy, low, high) with low ≤ accuracy ≤ high.

    Examples
    --------
    >>> lines = {"programme": [(20, 83.4, 83.0, 83.8), (35, 84.0, 83.8, 84.2)], "uniform": [(20, 82.1, 81.7, 82.5)]}
    >>> frontier(lines, "multiply-adds kept, %", "test accuracy, %")  # doctest: +SKIP
    """
    return Frontier(series, x_label, y_label)
