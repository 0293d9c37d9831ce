"""Maps of a loss: around the architecture weights, or of a function of two numbers with the paths of descents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..colors import BLUE, MAGENTA, TEAL, VIOLET, between
from ..raster import DIM, TEXT, Axes, mixed, ticks
from .chart import Chart, drawn, figure, live

# Cividis, from low to high: distinct for every kind of colour vision, and in grey.
SCALE = ("#00224e", "#28406c", "#575d6d", "#7d7c78", "#a69d75", "#d2c060", "#fee838")
LINES = (BLUE, MAGENTA, TEAL, VIOLET)
DASHES = ("solid", "dash", "dot", "dashdot")
STROKES = ((), (7, 4), (2, 3), (7, 3, 2, 3))  # the same stroke patterns for the still


class Surface(Chart):
    """A chart of the loss around α: maps of planes through α, all in the same colours, and below them cuts through α.

    Near a sharp minimum the loss rises with a small change of α; near a flat one it does not. The eigenvalue says the
    same for one direction and for very small changes.

    Parameters
    ----------
    surfaces : mapping from str to `nasviz.analysis.diagnosis.Surface`
        The surfaces by name, in order: ``{"epoch 1": …, "epoch 20": …}``.
    along : (str, str)
        Names of the two directions.

    Raises
    ------
    ValueError
        If there is no surface.

    Examples
    --------
    >>> Surface({"before": loss_surface(loss, alphas)})  # doctest: +SKIP
    """

    def __init__(self, surfaces: Mapping, along: tuple[str, str] = ("first direction", "second direction")):
        if not surfaces:
            raise ValueError("Surface needs at least one surface of a loss: {name: loss_surface(loss, alphas)}")
        self.surfaces, self.along = dict(surfaces), along
        self.low = min(float(np.nanmin(one.losses)) for one in self.surfaces.values())
        self.high = max(float(np.nanmax(one.losses)) for one in self.surfaces.values())
        told = []
        for name, one in self.surfaces.items():
            middle = len(one.steps) // 2
            told.append(
                f"{name}: {one.losses[middle, middle]:.2f} nats at α, from {one.losses.min():.2f} to "
                f"{one.losses.max():.2f} up to {one.steps[-1]:g} away"
            )
        self.text = "Loss around the architecture weights. " + "; ".join(told)
        self.figure = live(self._filled())
        super().__init__([self.figure])

    def _filled(self):
        import plotly.graph_objects as go

        count, layout = len(self.surfaces), {}
        for i, (left, right) in enumerate(self._columns()):
            up = "" if i else self.along[1]
            layout[f"xaxis{i + 1}"] = {"domain": [left, right], "anchor": f"y{i + 1}", "title": self.along[0]}
            layout[f"yaxis{i + 1}"] = {"domain": [0.46, 0.96], "anchor": f"x{i + 1}", "title": up}
        across = {"domain": [0, 0.88], "anchor": f"y{count + 1}", "title": f"moved along the {self.along[0]}"}
        layout[f"xaxis{count + 1}"] = across
        layout[f"yaxis{count + 1}"] = {"domain": [0, 0.3], "anchor": f"x{count + 1}", "title": "loss, nats"}
        out = figure(height=620, showlegend=True, legend={"y": 0.2, "x": 0.9}, **layout)
        colors = [[i / (len(SCALE) - 1), color] for i, color in enumerate(SCALE)]
        for i, ((name, one), (left, right)) in enumerate(zip(self.surfaces.items(), self._columns(), strict=True)):
            axes, middle = {"xaxis": f"x{i + 1}", "yaxis": f"y{i + 1}"}, len(one.steps) // 2
            out.add_contour(
                x=one.steps, y=one.steps, z=one.losses, zmin=self.low, zmax=self.high, colorscale=colors,
                showscale=i == 0, colorbar={"title": "nats", "len": 0.5, "y": 0.71, "x": 0.9}, name=name,
                contours={"coloring": "heatmap"}, line={"width": 0.5},
                hovertemplate="%{x:.2f}, %{y:.2f}: %{z:.3f} nats", **axes,
            )  # fmt: skip
            cross = {"symbol": "x", "size": 10, "color": "white", "line": {"color": "black", "width": 1}}
            out.add_scatter(x=[0], y=[0], mode="markers", showlegend=False, hoverinfo="skip", marker=cross, **axes)
            out.add_annotation(text=name, xref="paper", yref="paper", x=(left + right) / 2, y=1.02, showarrow=False)
            out.add_trace(go.Scatter(
                x=one.steps, y=one.losses[middle], name=name, mode="lines+markers", xaxis=f"x{count + 1}",
                yaxis=f"y{count + 1}", line={"color": LINES[i % 4], "dash": DASHES[i % 4]},
            ))  # fmt: skip
        return out

    def _columns(self) -> list[tuple[float, float]]:
        """Return the left and right end of each map, as shares of the width."""
        count = len(self.surfaces)
        wide = 0.88 / count
        return [(i * wide, (i + 1) * wide - 0.06 * (i < count - 1)) for i in range(count)]

    def still(self) -> bytes:
        """Draw the maps and the cuts as PNG."""
        count = len(self.surfaces)
        wide = min(300, 840 // count)

        def draw(pen):
            for i, (name, one) in enumerate(self.surfaces.items()):
                _map(pen, (60 + i * (wide + 20), 30, wide - 20, wide - 20), one.steps, one.steps, one.losses,
                     self.low, self.high)  # fmt: skip
                x, y = 60 + i * (wide + 20) + (wide - 20) / 2, 30 + (wide - 20) / 2
                pen.text(x, 16, name, 13)
                pen.line([(x - 5, y - 5), (x + 5, y + 5)], "#ffffff", 2)
                pen.line([(x - 5, y + 5), (x + 5, y - 5)], "#ffffff", 2)
                pen.text(x, wide + 38, self.along[0], 11, DIM)
                for step in (one.steps[0], 0, one.steps[-1]):
                    share = (step - one.steps[0]) / (one.steps[-1] - one.steps[0])
                    pen.text(60 + i * (wide + 20) + share * (wide - 20), wide + 21, f"{step:g}", 10, DIM)
            _bar(pen, 70 + count * (wide + 20), 40, wide - 40, self.low, self.high)
            reach = max(one.steps[-1] for one in self.surfaces.values())
            axes = Axes(pen, (8, wide + 58, 640, 250), (-reach, reach), (self.low, self.high),
                        f"moved along the {self.along[0]}", "loss, nats")  # fmt: skip
            for i, (name, one) in enumerate(self.surfaces.items()):
                cut = one.losses[len(one.steps) // 2]
                axes.line(one.steps, cut, LINES[i % 4], 2, STROKES[i % 4])
                pen.line([(660, wide + 80 + 22 * i), (700, wide + 80 + 22 * i)], LINES[i % 4], 2, STROKES[i % 4])
                pen.text(708, wide + 80 + 22 * i, name, 12, anchor="lm")

        return drawn(max(860, 140 + count * (wide + 20)), wide + 322, draw)


class Plane(Chart):
    """A map of a function of two numbers, with paths: they show how descents find, or miss, the best point.

    Parameters
    ----------
    function : callable
        ``function(x, y)`` of arrays of one shape: the height.
    paths : mapping from str to array (steps, 2)
        The points of each descent, step by step, by name.
    x, y : (low, high)
        The ranges that are shown.
    labels : (str, str)
        Labels of the axes.
    curves : mapping from str to (array, array)
        Further lines, such as the points where the lower problem is solved.
    best : (x, y), optional
        The best point, marked with a star.
    title : str

    Examples
    --------
    >>> Plane(lambda a, w: a * w - 2 * a + 1, {"first order": path}, (-1, 3), (-3, 3))  # doctest: +SKIP
    """

    def __init__(
        self,
        function: Callable,
        paths: Mapping[str, Sequence],
        x: tuple[float, float],
        y: tuple[float, float],
        labels: tuple[str, str] = ("α", "w"),
        curves: Mapping[str, tuple] | None = None,
        best: tuple[float, float] | None = None,
        title: str = "",
    ):
        self.paths = {name: np.asarray(path, dtype=float) for name, path in paths.items()}
        self.curves = {name: tuple(map(np.asarray, curve)) for name, curve in (curves or {}).items()}
        self.x, self.y, self.labels, self.best, self.title = x, y, labels, best, title
        self.across, self.up = np.linspace(*x, 61), np.linspace(*y, 61)
        self.heights = np.asarray(function(*np.meshgrid(self.across, self.up)), dtype=float)
        ends = [f"{name} ends at ({path[-1, 0]:.2f}, {path[-1, 1]:.2f})" for name, path in self.paths.items()]
        star = [f"the best place is ({best[0]:g}, {best[1]:g})"] if best else []
        self.text = f"{title or 'Paths on a plane'}: " + "; ".join([*ends, *star])
        self.figure = live(self._filled())
        super().__init__([self.figure])

    def _filled(self):
        colors = [[i / (len(SCALE) - 1), color] for i, color in enumerate(SCALE)]
        out = figure(
            height=460, title=self.title, xaxis={"title": self.labels[0], "range": self.x},
            yaxis={"title": self.labels[1], "range": self.y}, legend={"x": 1.14},
            plot_bgcolor="white",  # under the map, which lets it through: the map is the same in both themes
        )  # fmt: skip
        out.add_contour(x=self.across, y=self.up, z=self.heights, colorscale=colors, opacity=0.55, ncontours=24,
                        colorbar={"x": 1.0}, line={"width": 0.5}, hoverinfo="skip")  # fmt: skip
        for name, (a, b) in self.curves.items():
            out.add_scatter(x=a, y=b, name=name, mode="lines", line={"color": "#59636e", "dash": "dash", "width": 2})
        for i, (name, path) in enumerate(self.paths.items()):
            line = {"color": LINES[i % 4], "width": 2, "dash": DASHES[i % 4]}
            out.add_scatter(x=path[:, 0], y=path[:, 1], name=name, mode="lines+markers", line=line,
                            marker={"size": 4})  # fmt: skip
        if self.best:
            star = {"symbol": "star", "size": 16, "color": "white", "line": {"color": "black", "width": 1.5}}
            out.add_scatter(x=[self.best[0]], y=[self.best[1]], name="the best place", mode="markers", marker=star)
        return out

    def still(self) -> bytes:
        """Draw the map as PNG."""

        def draw(pen):
            box = (56, 34, 500, 340)
            _map(pen, box, self.across, self.up, self.heights, self.heights.min(), self.heights.max(), 0.55)
            left, top, wide, tall = box

            def at(a, b):
                a, b = min(max(a, self.x[0]), self.x[1]), min(max(b, self.y[0]), self.y[1])
                return (
                    left + wide * (a - self.x[0]) / (self.x[1] - self.x[0]),
                    top + tall * (1 - (b - self.y[0]) / (self.y[1] - self.y[0])),
                )

            pen.text(left, 16, self.title, 13, anchor="lm")
            for v in ticks(*self.x, 6):
                pen.text(at(v, 0)[0], top + tall + 12, f"{v:g}", 11, DIM)
            for v in ticks(*self.y, 6):
                pen.text(left - 6, at(0, v)[1], f"{v:g}", 11, DIM, "rm")
            pen.text(left + wide / 2, top + tall + 28, self.labels[0], 12, DIM)
            pen.text(left - 40, top + tall / 2, self.labels[1], 12, DIM)
            legend = [(name, "#30363d", (7, 4), np.stack(curve, 1)) for name, curve in self.curves.items()]
            for i, (name, path) in enumerate(self.paths.items()):
                legend.append((name, LINES[i % 4], STROKES[i % 4], path))
            for i, (name, color, dash, path) in enumerate(legend):
                pen.line([at(*point) for point in path], color, 2.2, dash)
                pen.line([(572, 50 + 22 * i), (606, 50 + 22 * i)], color, 2.2, dash)
                pen.text(612, 50 + 22 * i, name, 12, anchor="lm")
            for path in self.paths.values():
                pen.dot(*at(*path[-1]), 4, TEXT)
            if self.best:
                pen.text(*at(*self.best), "★", 22)

        return drawn(820, 420, draw)


def _map(pen, box, across, up, heights, low, high, strength: float = 1.0) -> None:
    """Draw coloured cells, the first row of ``heights`` at the bottom, each grid point in the middle of its cell."""
    left, top, wide, tall = box
    rows, columns = heights.shape
    for i in range(rows):
        for j in range(columns):
            pen.draw.rectangle(
                [2 * (left + wide * j / columns), 2 * (top + tall * (1 - (i + 1) / rows)),
                 2 * (left + wide * (j + 1) / columns), 2 * (top + tall * (1 - i / rows))],
                _color((heights[i, j] - low) / ((high - low) or 1), strength),
            )  # fmt: skip


def _bar(pen, x, y, tall, low, high) -> None:
    """Draw the scale of the colours."""
    for i in range(40):
        pen.box(x, y + tall * (1 - (i + 1) / 40), 14, tall / 40 + 1, _color(i / 39))
    for v in ticks(low, high, 5):
        pen.text(x + 20, y + tall * (1 - (v - low) / ((high - low) or 1)), f"{v:g}", 11, DIM, "lm")
    pen.text(x, y - 12, "nats", 11, DIM, "lm")


def _color(share: float, strength: float = 1.0) -> str:
    """Return the colour of a height, 0 to 1, mixed with white."""
    if not np.isfinite(share):
        return "#ffffff"
    return mixed(between(SCALE, share), strength)
