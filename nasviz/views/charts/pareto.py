"""Two objectives: the accuracies and costs that a search has found, and their Pareto front."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from html import escape

import ipywidgets as widgets
import numpy as np

from ...analysis.fronts import dominated, front
from ...space import SearchSpace
from ...step import Evaluation, Step
from ..colors import AMBER, BLUE, GREY
from ..raster import Axes, good_range, mixed
from ..stage.cell import show
from .chart import Chart, drawn, figure, live

PAUSE = 0.25  # seconds between two drawings while a search goes on


class Pareto(Chart):
    """A live chart of accuracy against a cost: every evaluation is a dot, the Pareto front a line.

    The front dominates the coloured area (`dominated`, with the costliest and the worst dot as its corner). The axis of
    accuracy shows the good ones well; a triangle at its lower edge is an evaluation far below. The slider goes back to
    earlier evaluations; a click shows the cell.

    Parameters
    ----------
    space : SearchSpace
    cost : str
        Name of a score: ``"latency_ms"``, ``"madds"``.
    label : str
        Label of the axis, with its unit.
    target : float, optional
        A limit in the cost's unit, drawn as a line.

    Attributes
    ----------
    evaluations : list of Evaluation
    front : list of int
        Numbers of the evaluations on the front, the cheapest first, up to the slider's position.
    failed : int
        Evaluations whose accuracy or cost is not finite: they are on no front.

    Examples
    --------
    >>> view = Pareto(space); display(view)               # doctest: +SKIP
    >>> for _ in view.follow(Nsga2(space, estimate)): pass  # doctest: +SKIP
    """

    def __init__(self, space: SearchSpace, cost="latency_ms", label="latency, ms", target: float | None = None):
        self.space, self.cost, self.label, self.target = space, cost, label, target
        self.evaluations: list[Evaluation] = []
        self.front: list[int] = []
        self.failed = 0
        self.area = 0.0
        self.after = widgets.IntSlider(0, min=0, max=0, description="after", continuous_update=True)
        self.after.observe(lambda change: self.draw(), "value")
        self.said, self.about = widgets.HTML(), widgets.HTML("Click a dot.")
        self.cells = widgets.VBox()
        self.figure = figure(
            height=430, xaxis={"title": label}, yaxis={"title": "validation accuracy, %"}, hovermode="closest",
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        )  # fmt: skip
        self.figure.add_scatter(
            mode="lines", fill="toself", fillcolor="rgba(26,111,212,0.12)", line={"width": 0}, hoverinfo="skip",
            name="dominated",
        )  # fmt: skip
        self.low: list[int] = []  # numbers of the evaluations below the axis
        tip = "%{x:.3g}, %{y:.1f} %<extra>%{customdata}</extra>"
        self.figure.add_scatter(mode="markers", name="evaluated", marker={"color": GREY, "size": 6}, hovertemplate=tip)
        self.figure.add_scatter(
            mode="lines+markers", name="front", line={"shape": "hv", "color": BLUE, "width": 1.5},
            marker={"color": BLUE, "size": 9}, hovertemplate=tip,
        )  # fmt: skip
        self.figure.add_scatter(
            mode="markers", name="below the axis", marker={"color": GREY, "size": 9, "symbol": "triangle-down"},
            hovertemplate="%{x:.3g}, %{text}<extra>%{customdata}</extra>", showlegend=False,
        )  # fmt: skip
        if target is not None:
            line = {"color": AMBER, "width": 2, "dash": "dash"}
            self.figure.add_vline(x=target, line=line, annotation_text="target", annotation_font_color=AMBER)
        self.draw()
        self.figure = live(self.figure)
        self.figure.data[1].on_click(lambda trace, points, state: self._clicked(points.point_inds))
        on_front = self.figure.data[2]
        on_front.on_click(lambda trace, points, state: self._clicked([self.front[i] for i in points.point_inds]))
        below = self.figure.data[3]
        below.on_click(lambda trace, points, state: self._clicked([self.low[i] for i in points.point_inds]))
        super().__init__([self.after, self.said, self.figure, self.about, self.cells])

    # ------------------------------------------------------------------ the data
    def append(self, evaluation: Evaluation, draw: bool = True) -> None:
        """Add an evaluation. ValueError if it lacks the cost or the accuracy. A failed one is counted, and left out."""
        if missing := {self.cost, "accuracy"} - set(evaluation.scores):
            raise ValueError(f"this evaluation has no {sorted(missing)}; its scores: {sorted(evaluation.scores)}")
        if not np.isfinite([evaluation.scores["accuracy"], evaluation.scores[self.cost]]).all():
            self.failed += 1
            if draw:
                self.draw()
            return
        newest = self.after.value == len(self.evaluations)
        self.evaluations.append(evaluation)
        if draw:
            self._catch_up(newest)

    def follow(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yield the steps of a search, and draw their evaluations as they come."""
        drawn_at = 0.0
        try:
            for step in steps:
                if step.evaluation is not None:
                    self.append(step.evaluation, draw=False)
                if time.monotonic() - drawn_at > PAUSE:
                    self._catch_up(True)
                    drawn_at = time.monotonic()
                yield step
        finally:
            self._catch_up(True)

    def _catch_up(self, newest: bool) -> None:
        self.after.max = len(self.evaluations)
        if newest and self.after.value != len(self.evaluations):
            self.after.value = len(self.evaluations)  # draws
        else:
            self.draw()

    # ------------------------------------------------------------------ the drawing
    def _numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Return costs and accuracies (%) up to the slider's position."""
        seen = self.evaluations[: self.after.value]
        return (
            np.array([one.scores[self.cost] for one in seen], float),
            np.array([100 * one.scores["accuracy"] for one in seen], float),
        )

    def _corner(self) -> tuple[float, float]:
        """Return the area's corner: that of all evaluations, so that areas at all slider positions are comparable."""
        costs = [one.scores[self.cost] for one in self.evaluations]
        return max(costs), min(100 * one.scores["accuracy"] for one in self.evaluations)

    def _span(self) -> tuple[float, float]:
        """Return the ends of the axis of accuracy: the same at all positions of the slider."""
        return good_range(np.array([100 * one.scores["accuracy"] for one in self.evaluations]), high_fence=False)

    def _outline(self, costs, values) -> list[tuple[float, float]]:
        """Return the corners of the dominated area."""
        right, low = self._corner()
        steps = [(costs[self.front[0]], low)]
        for a, b in zip(self.front, [*self.front[1:], None], strict=True):
            steps += [(costs[a], values[a]), (right if b is None else costs[b], values[a])]
        return [*steps, (right, low)]

    def draw(self) -> None:
        """Update the chart."""
        costs, values = self._numbers()
        self.front = list(front(costs, values)) if len(costs) else []
        self.area = dominated(costs, values, self._corner()) if len(costs) else 0.0
        texts = [self.space.to_text(one.arch) for one in self.evaluations[: self.after.value]]
        outline = self._outline(costs, values) if self.front else []
        low, high = self._span()
        self.low = np.flatnonzero(values < low).tolist()
        with self.figure.batch_update():
            self.figure.layout.yaxis.range = (low, high) if self.evaluations else None
            area, dots, line, below = self.figure.data
            area.x, area.y = [x for x, _ in outline], [y for _, y in outline]
            dots.x, dots.y, dots.customdata = costs, values, texts
            line.x, line.y = costs[self.front], values[self.front]
            line.customdata = [texts[i] for i in self.front]
            below.x, below.y = costs[self.low], [low + 0.015 * (high - low)] * len(self.low)
            below.text, below.customdata = [f"{values[i]:.1f} %" for i in self.low], [texts[i] for i in self.low]
            below.showlegend = bool(self.low)
        ends = ", ".join(f"{values[i]:.1f} % at {costs[i]:.3g}" for i in self.front)
        self.text = (
            f"{len(costs)} architectures by accuracy and {self.label}. The front: {ends or 'nothing yet'}. "
            f"It dominates {self.area:.3g} ({self.label}, times percentage points)."
        )
        failed = f"; {self.failed} failed, left out" if self.failed else ""
        self.text += f" {self.failed} failed and are left out." if self.failed else ""
        self.text += f" Evaluations below the axis, which begins at {low:.0f} %: {len(self.low)}." if self.low else ""
        self.said.value = f"<p style='margin:2px 0'>front of {len(self.front)}; area {self.area:.3g}{failed}</p>"

    def _clicked(self, points: list[int]) -> None:
        if points:
            self.tell(points[0])

    def tell(self, number: int) -> None:
        """Show one evaluation's cell and scores."""
        one = self.evaluations[number]
        scores = ", ".join(f"{name} {value:.4g}" for name, value in one.scores.items() if "@" not in name)
        self.about.value = f"<b>{escape(self.space.to_text(one.arch))}</b><br>evaluation {number}: {escape(scores)}"
        self.cells.children = [show(one.arch, self.space)]

    def still(self) -> bytes | None:
        """Draw the plane as PNG; None while it is empty."""
        costs, values = self._numbers()
        if not len(costs):
            return None

        def draw(pen):
            reach = costs if self.target is None else np.append(costs, self.target)
            axes = Axes(pen, (0, 10, 700, 390), good_range(reach), self._span(), self.label, "accuracy, %")
            pen.area([(axes.X(x), axes.Y(y)) for x, y in self._outline(costs, values)], mixed(BLUE, 0.12))
            if self.target is not None:
                axes.line((self.target,) * 2, axes.values, AMBER, 1.6, (6, 4))
                pen.text(axes.X(self.target) + 4, 34, "target", 11, AMBER, "lm")
            for number, (x, y) in enumerate(zip(costs, values, strict=True)):
                left, high = axes.X(x), axes.Y(y)
                if number in self.low:
                    pen.area([(left - 5, high - 9), (left + 5, high - 9), (left, high - 1)], mixed(GREY, 0.7))
                else:
                    pen.dot(left, high, 3, mixed(GREY, 0.7))
            axes.line(costs[self.front], values[self.front], BLUE, 1.5, steps=True)
            for i in self.front:
                pen.dot(axes.X(costs[i]), axes.Y(values[i]), 4.5, BLUE)

        return drawn(720, 410, draw)
