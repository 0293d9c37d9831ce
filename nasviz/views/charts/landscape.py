"""A table of results as a landscape: accuracies and costs of architectures, neighbours, and effects of operations."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import ipywidgets as widgets
import numpy as np

from ...estimators.table import Table
from ...space import Arch
from ..colors import AMBER, BLUE, GREY, MAGENTA, style
from ..raster import BACK, DIM, Axes, good_range, mixed
from ..stage.cell import called, show
from .chart import Chart, drawn, figure, live, short

BINS = 50
NEXT = 80  # the most neighbours that are drawn
COSTS = {"madds": "multiply-adds", "parameters": "parameters", "seconds": "seconds of training"}


class Landscape(Chart):
    """Four linked charts of one table: architectures framed in one chart are marked in the others.

    - The histogram of accuracies.
    - Accuracy against a cost, one dot per architecture. A click on a dot moves there.
    - The neighbours of the present architecture, one change away each. A click moves there: hill climbing by hand.
    - The effect of an operation on an edge: the mean accuracy of all architectures with it there, less the mean of all.
      With a frame: the percentage of the framed architectures that have it there.

    Parameters
    ----------
    table : Table
        The table. Rows whose training failed are left out.
    score : str
        A column of accuracies, 0 to 1.
    seed : int or None
        The seed of the trainings shown; None: the mean over seeds.

    Attributes
    ----------
    values : float array of shape (rows,)
        Accuracy in percent, nan where the training failed.
    at : Arch
        The present architecture; at first the one in the middle of the ranking.
    framed : int array
        The framed rows; empty without a frame.
    """

    def __init__(self, table: Table, score: str = "accuracy", seed: int | None = 0):
        self.table, self.space = table, table.space
        self.values = 100 * table.column(score, seed)
        there = np.flatnonzero(~np.isnan(self.values))
        if not len(there):
            raise ValueError(f"no row of the table has a number in {score!r}")
        self.known = there
        self.name = f"{score.replace('_', ' ')}, %"
        self.members, rows = table.members()
        self.rows = rows
        self.edges = np.linspace(self.values[there].min(), self.values[there].max() + 1e-9, BINS + 1)
        self.bins = np.clip(np.digitize(self.values, self.edges) - 1, 0, BINS - 1)
        names = [name for name in table.columns if "@" not in name and name != score]
        costs = sorted([*names, "seconds"], key=lambda name: list(COSTS).index(name) if name in COSTS else len(COSTS))
        if np.isnan(table.seconds).all():
            costs.remove("seconds")
        options = [(COSTS.get(name, name.replace("_", " ")), name) for name in costs or [score]]
        self.cost = widgets.Dropdown(options=options, description="against")
        self.cost.observe(lambda change: self._draw_costs(), "value")
        self.free = widgets.Button(description="Frame nothing", icon="times", tooltip="Mark nothing any more")
        self.free.on_click(lambda _: self.frame([]))
        self.said, self.cells = widgets.HTML(), widgets.VBox()
        self.framed = np.zeros(0, int)
        self._seen: dict[str, np.ndarray] = {}
        self._build()
        middle = there[np.argsort(self.values[there])[len(there) // 2]]
        self.go(table.archs[middle])
        self.frame([])
        self._listen()
        super().__init__([widgets.HBox([self.cost, self.free]), self.figure, self.said, self.cells])

    # ------------------------------------------------------------------ the figure
    def _build(self) -> None:
        words = ("how many", self.name, f"neighbours: {self.name}", "")
        axes: dict[str, dict[str, object]] = {}
        for n, word in enumerate(words):
            number, (column, line) = "" if n == 0 else str(n + 1), (n % 2, n // 2)
            axes[f"xaxis{number}"] = {"domain": [0.56 * column, 0.56 * column + 0.44], "anchor": f"y{number}"}
            title = {"text": word, "standoff": 4}
            axes[f"yaxis{number}"] = {
                "domain": [0.58, 1] if line == 0 else [0, 0.42], "anchor": f"x{number}", "title": title,
            }  # fmt: skip
        self.figure = figure(
            height=720, dragmode="select", hovermode="closest", barmode="overlay", showlegend=False, **axes
        )
        first, second, third, fourth = ({"xaxis": f"x{n}", "yaxis": f"y{n}"} for n in ("", 2, 3, 4))
        middles = (self.edges[:-1] + self.edges[1:]) / 2
        bars = {"x": middles, "width": np.diff(self.edges), "hovertemplate": "%{x:.1f} %: %{y}<extra></extra>"}
        counts = np.bincount(self.bins[self.known], minlength=BINS)
        add = self.figure
        add.add_bar(y=counts, marker={"color": GREY, "opacity": 0.6}, **bars, **first)
        add.add_bar(y=np.zeros(BINS), marker={"color": MAGENTA}, **bars, **first)
        dots = {"mode": "markers", "hovertemplate": "%{x:.3s}, %{y:.1f} %<extra></extra>"}
        add.add_scatter(marker={"color": BLUE, "size": 4, "opacity": 0.35}, **dots, **second)
        marked = {"color": MAGENTA, "size": 5, "opacity": 0.7}
        add.add_scatter(marker=marked, hoverinfo="skip", mode="markers", **second)
        star = {"color": AMBER, "size": 15, "symbol": "star", "line": {"width": 1, "color": "#5b4200"}}
        add.add_scatter(mode="markers", marker=star, hoverinfo="skip", **second)
        next_door = {"mode": "markers", "marker": {"size": 10}, "hovertemplate": "%{text}: %{y:.1f} %<extra></extra>"}
        add.add_scatter(**next_door, **third)
        add.add_scatter(mode="lines", line={"color": AMBER, "dash": "dash"}, hoverinfo="skip", **third)
        said = {"texttemplate": "%{z:.1f}", "hovertemplate": "%{x}, %{y}: %{z:.1f}<extra></extra>"}
        add.add_heatmap(xgap=2, ygap=2, showscale=False, **said, **fourth)
        _, marked, _, marks, star, near, _, _ = add.data
        for trace in (marked, marks, star, near):  # plotly dims everything outside a frame
            trace.unselected = {"marker": {"opacity": 1 if trace.marker.opacity is None else trace.marker.opacity}}
        axis = self.figure.layout
        axis.xaxis.title, axis.xaxis3.title = self.name, "what is changed"
        self._draw_costs()

    def _listen(self) -> None:
        self.figure = live(self.figure)
        bars, _, dots, _, _, near, _, _ = self.figure.data
        bars.on_selection(lambda trace, points, state: self._framed("bins", points.point_inds))
        dots.on_selection(lambda trace, points, state: self._framed("rows", points.point_inds))
        for trace in (bars, dots):
            trace.on_deselect(lambda trace, points: self.frame([]))
        dots.on_click(lambda trace, points, state: self._clicked(points.point_inds, "dots"))
        near.on_click(lambda trace, points, state: self._clicked(points.point_inds, "near"))

    def _draw_costs(self) -> None:
        self.spent = self.table.column(self.cost.value, 0)
        with self.figure.batch_update():
            self.figure.layout.xaxis2.title = dict(map(reversed, self.cost.options))[self.cost.value]
            dots = self.figure.data[2]  # both at once: plotly loses an array given alone before
            dots.x, dots.y = self.spent[self.known], self.values[self.known]
            self._draw_marks()

    def _draw_marks(self) -> None:
        marked, star = self.figure.data[3:5]
        marked.x, marked.y = self.spent[self.framed], self.values[self.framed]
        if hasattr(self, "at"):
            row = self.table.row(self.at)
            star.x, star.y = [self.spent[row]], [self.values[row]]

    # ------------------------------------------------------------------ walking
    def go(self, arch: Arch) -> None:
        """Move to ``arch``, and show its neighbours. KeyError if the table has no row for it."""
        row = self.table.row(arch)
        self.at = tuple(arch)
        near = [other for other in self.space.neighbors(self.at) if other in self.table][:NEXT]
        self.near = near = [other for other in near if not np.isnan(self.values[self.table.row(other)])]
        places, texts, colors, changes = [], [], [], []
        for other in self.near:
            i = next(i for i, (a, b) in enumerate(zip(self.at, other, strict=True)) if a != b)
            option = str(self.space.choices[i].options[other[i]])
            count = len(self.space.choices[i].options)
            places.append(i + 0.6 * ((other[i] + 0.5) / count - 0.5))
            texts.append(f"{self.space.choices[i].name}: {style(option).label}")
            colors.append(style(option).color)
            changes.append(self.values[self.table.row(other)])
        self.places, self.colors, self.heights = np.array(places), colors, np.array(changes)
        last = len(self.space.choices) - 1
        with self.figure.batch_update():
            dots, line = self.figure.data[5:7]
            dots.x, dots.y, dots.text, dots.marker.color = self.places, self.heights, texts, colors
            line.x, line.y = [-0.5, last + 0.5], [self.values[row]] * 2
            names = {"tickvals": list(range(last + 1)), "ticktext": [choice.name for choice in self.space.choices]}
            self.figure.layout.xaxis3.update(names)
            self._draw_marks()
        better = int((self.heights > self.values[row]).sum())
        place = int((self.values > self.values[row]).sum()) + 1
        self.text = (
            f"{len(self.known):,} architectures of {called(self.space)}. At {self.space.to_text(self.at)}: "
            f"{self.values[row]:.1f} %, place {place:,}; "
            + (f"{better} of its {len(near)} neighbours are better." if near else "the table knows no neighbour.")
        )
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"
        self.cells.children = [show(self.at, self.space)]

    def _clicked(self, points: list[int], where: str) -> None:
        if points:
            self.go(self.near[points[0]] if where == "near" else self.table.archs[self.known[points[0]]])

    # ------------------------------------------------------------------ framing
    def _framed(self, what: str, points: list[int]) -> None:
        """Handle a frame in one chart. Plotly calls this for all traces, for those of other charts without points."""
        if points:
            self.frame(self.known[np.isin(self.bins[self.known], points)] if what == "bins" else self.known[points])

    def frame(self, rows: Iterable[int]) -> None:
        """Mark these rows in all charts; no rows remove the marks."""
        self.framed = np.asarray(list(rows), int)
        effects, self.options = self.effects(self.framed if len(self.framed) else None)
        with self.figure.batch_update():
            counts = np.bincount(self.bins[self.framed], minlength=BINS) if len(self.framed) else np.zeros(BINS)
            self.figure.data[1].y = counts
            self._draw_marks()
            heat = self.figure.data[7]
            heat.z, heat.x = effects, [choice.name for choice in self.space.choices]
            heat.y = [style(option).label for option in self.options]
            chips = [f"{style(o).label} <span style='color:{style(o).color}'>●</span>" for o in self.options]
            ticks = {"tickvals": list(range(len(chips))), "ticktext": chips, "autorange": "reversed"}
            self.figure.layout.yaxis4.update(ticks)
            if len(self.framed):
                heat.colorscale, heat.zmin, heat.zmid, heat.zmax = "Blues", 0, None, 100
                title = f"share among the {len(self.framed):,} framed, %"
            else:
                reach = float(np.nanmax(np.abs(effects)))
                heat.colorscale, heat.zmin, heat.zmid, heat.zmax = "RdBu", -reach, 0, reach
                title = "mean accuracy with it there, points from the mean of all"
            self.figure.layout.xaxis4.title = title

    def effects(self, rows: np.ndarray | None = None) -> tuple[np.ndarray, list[str]]:
        """Return the effects of operations in the table, averaged over all other choices.

        Parameters
        ----------
        rows : int array, optional
            With these rows, return instead the percentage of their architectures that have each option.

        Returns
        -------
        (numbers, options)
            Float array (options, choices), nan where a choice does not have the option: points of accuracy from the
            mean of all tuples of choices, or percent. Tuples that compute the same function all count: an average over
            functions would not be an average over all other choices.
        """
        options = list(dict.fromkeys(str(option) for choice in self.space.choices for option in choice.options))
        out = np.full((len(options), len(self.space.choices)), np.nan)
        values = self.values[self.rows]
        chosen = ~np.isnan(values) if rows is None else np.isin(self.rows, rows)
        members, values = self.members[chosen], values[chosen]
        for i, choice in enumerate(self.space.choices):
            for o, option in enumerate(choice.options):
                here = members[:, i] == o
                if rows is not None:
                    out[options.index(str(option)), i] = 100 * here.mean() if len(here) else 0.0
                elif here.any():
                    out[options.index(str(option)), i] = values[here].mean() - values.mean()
        return out, options

    # ------------------------------------------------------------------ the picture without a kernel
    def still(self) -> bytes:
        """Draw the four charts as PNG."""

        def draw(pen):
            counts = np.bincount(self.bins[self.known], minlength=BINS)
            span = self.edges[0], self.edges[-1]
            axes = Axes(pen, (0, 8, 450, 300), span, (0, counts.max() * 1.05), self.name, "how many")
            marked = np.bincount(self.bins[self.framed], minlength=BINS) if len(self.framed) else np.zeros(BINS)
            for numbers, color in ((counts, mixed(GREY, 0.6)), (marked, MAGENTA)):
                for low, high, n in zip(self.edges, self.edges[1:], numbers, strict=False):
                    left, right, top = axes.X(low), axes.X(high), axes.Y(n)
                    if n:
                        pen.area([(left, axes.Y(0)), (right, axes.Y(0)), (right, top), (left, top)], color)
            x, y = self.spent, self.values
            label = dict(map(reversed, self.cost.options))[self.cost.value]
            heights = _all(y[self.known])
            scale = 10 ** (3 * int(np.log10(max(1, np.nanmax(x[self.known]))) // 3))
            label += {1: "", 10**3: ", thousands", 10**6: ", millions"}.get(scale, f", {short(scale)}")
            axes = Axes(pen, (450, 8, 450, 300), _all(x[self.known] / scale), heights, label, self.name)
            for rows, color in ((self.known, mixed(BLUE, 0.5)), (self.framed, MAGENTA)):
                for i in rows:
                    pen.dot(axes.X(x[i] / scale), axes.Y(y[i]), 1.6, color, width=0)
            row = self.table.row(self.at)
            pen.dot(axes.X(x[row] / scale), axes.Y(y[row]), 6, AMBER, "#5b4200")
            count = len(self.space.choices)
            heights = _all(np.array([*self.heights, y[row]]))
            axes = Axes(pen, (0, 316, 450, 300), (-0.5, count - 0.5), heights, "", f"neighbours: {self.name}")
            pen.box(40, axes.y + axes.h + 3, 410, 20, BACK)  # names of choices instead of numbers
            for i, choice in enumerate(self.space.choices if count <= 12 else ()):
                pen.text(axes.X(i), axes.y + axes.h + 12, choice.name, 11, DIM)
            if not self.near:
                pen.text(axes.x + axes.w / 2, axes.y + axes.h / 2, "none of them is in the table", 12, DIM)
            axes.line((-0.5, count - 0.5), (y[row], y[row]), AMBER, 1.5, (5, 3))
            for place, height, color in zip(self.places, self.heights, self.colors, strict=True):
                pen.dot(axes.X(place), axes.Y(height), 4.5, color)
            numbers, options = self.effects(self.framed if len(self.framed) else None)
            reach = np.nanmax(np.abs(numbers)) or 1
            wide, tall = 340 / count, min(40, 240 / len(options))
            for o, option in enumerate(options):
                pen.text(532, 336 + tall * (o + 0.5), style(option).label, 11, DIM, "rm")
                pen.dot(541, 336 + tall * (o + 0.5), 4, style(option).color)
                for i in range(count):
                    if not np.isnan(value := numbers[o, i]):
                        fill = mixed(BLUE if value > 0 else MAGENTA, 0.7 * abs(value) / reach)
                        pen.box(552 + wide * i, 336 + tall * o, wide - 2, tall - 2, fill)
                        pen.text(552 + wide * (i + 0.5), 336 + tall * (o + 0.5), f"{value:.1f}", 11)
            for i, choice in enumerate(self.space.choices):
                pen.text(552 + wide * (i + 0.5), 346 + tall * len(options), choice.name, 11, DIM)
            what = "mean accuracy with it there, points from the mean of all"
            what = "share among the framed, %" if len(self.framed) else what
            pen.text(722, 368 + tall * len(options), what, 11, DIM)

        return drawn(900, 620, draw)


def _all(values: np.ndarray) -> tuple[float, float]:
    """Return the range of an axis that shows all values."""
    return good_range(values, low_fence=False, high_fence=False)
