"""The training of a supernet: accuracies of its largest, its smallest and a few other sub-networks, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import cast

import ipywidgets as widgets
import numpy as np

from ...run import Run
from ...step import Step
from ...strategy import Strategy, stages_of
from ..raster import DIM, MARK, Axes, good_range
from ..stage.progress import SERIES
from .chart import Chart, drawn, figure, live

PAUSE = 0.3  # seconds between two drawings
LINES = (("largest", "solid", ()), ("smallest", "dash", (6, 4)), ("drawn ones, mean", "dot", (2, 3)))


@dataclass
class Growth:
    """The history of one training.

    Attributes
    ----------
    updates : list of int
        Number of steps until the end of each epoch.
    children : list of float32 (n,)
        The accuracies at the end of each epoch, 0 to 1: of the largest, the smallest and the drawn sub-networks.
    begins : dict of str to int
        Number of steps before each stage, by the stage's name.
    """

    updates: list[int] = field(default_factory=list)
    children: list[np.ndarray] = field(default_factory=list)
    begins: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[list[float]]:
        """Return the accuracies of the largest, of the smallest, and the mean of the drawn sub-networks: percent."""
        return [[100 * float(part(c)) for c in self.children] for part in (lambda c: c[0], lambda c: c[1], _rest)]


def _rest(children: np.ndarray) -> float:
    return children[2:].mean() if len(children) > 2 else np.nan


class Shrinking(Chart):
    """A chart of supernet trainings with stages, live or recorded: the re-calibrated accuracy of children over time.

    A violet vertical line marks where a stage of the first training begins. The children are the same sub-networks all
    the time: the largest (solid), the smallest (dashed), and the mean of some that were drawn (dotted).

    Parameters
    ----------
    *runs : Run
        Finished or recorded trainings, whose steps show ``children``: of `nasviz.strategies.OnceForAll` or ``BigNas``.

    Attributes
    ----------
    stories : mapping from str to Growth

    Raises
    ------
    ValueError
        For a run whose steps show no children.

    Examples
    --------
    >>> view = Shrinking()                                                                    # doctest: +SKIP
    >>> display(view)                                                                         # doctest: +SKIP
    >>> for step in view.follow(OnceForAll(space), "progressive"): pass                       # doctest: +SKIP
    """

    def __init__(self, *runs: Run):
        self.stories: dict[str, Growth] = {}
        self.said = widgets.HTML()
        self.figure = figure(
            xaxis_title="updates of the shared weights",
            yaxis_title="validation accuracy, %",
            legend={"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0},
            hovermode="x",
        )
        self.figure = live(self.figure)
        super().__init__([self.said, self.figure])
        for run in runs:
            name = type(run.search).__name__
            for _ in self.follow(run.steps, name if name not in self.stories else f"{name} {len(self.stories) + 1}",
                                 run.search.stages):  # fmt: skip
                pass
        self.draw()

    def follow(self, steps: Iterable[Step], name: str = "", stages: Iterable[str] = ()) -> Iterator[Step]:
        """Yield the steps of a training, and draw them as they come.

        Parameters
        ----------
        steps : iterable of Step
            A search or a run; their steps show ``children`` and ``stage``.
        name : str
            Name in the legend; by default the strategy's. A training of the same name is replaced.
        stages : iterable of str
            Names of the stages; by default those of the search.
        """
        search = steps.search if isinstance(steps, Run) else steps
        stages = tuple(stages) or stages_of(cast(Strategy, search))
        story = self.stories[name or type(search).__name__] = Growth()
        last = 0.0
        try:
            for number, step in enumerate(steps):
                if "children" not in step.shows:
                    raise ValueError(f"{name or type(search).__name__} shows {sorted(step.shows)}, no children to draw")
                stage = step.shows["stage"]
                called = stages[stage] if stage < len(stages) else f"stage {stage + 1}"
                new = story.begins.setdefault(called, number) == number
                if done := bool(np.isfinite(step.shows["children"]).all()):
                    story.updates.append(number + 1)
                    story.children.append(step.shows["children"])
                if (done or new) and (now := time.monotonic()) - last > PAUSE:
                    self.draw()
                    last = now
                yield step
        finally:
            self.draw()

    def draw(self) -> None:
        """Update the chart."""
        with self.figure.batch_update():
            for number, (name, story) in enumerate(self.stories.items()):
                color = SERIES[number % len(SERIES)]
                for place, ((what, dash, _), ys) in enumerate(zip(LINES, story.lines(), strict=True), 3 * number):
                    if place == len(self.figure.data):
                        line = {"color": color, "dash": dash, "width": 2.5 if dash == "solid" else 2}
                        sign = {"size": 5, "color": color}
                        self.figure.add_scatter(x=[], y=[], mode="lines+markers", line=line, marker=sign)
                    trace = self.figure.data[place]
                    trace.x, trace.y, trace.name = story.updates, ys, f"{name}: {what}"
            # Plotly counts a legend's rows before it knows how wide the names are: room for all, two names a row.
            tall = 20 * max(1, -(-len(self.figure.data) // 2))
            self.figure.layout.height, self.figure.layout.margin.t = 330 + tall, 30 + tall
            begins = self._begins()
            self.figure.layout.shapes = [
                {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
                 "line": {"color": MARK, "dash": "dash", "width": 1}}
                for at in begins.values()
            ]  # fmt: skip
            self.figure.layout.annotations = [
                {"x": at, "y": 1, "xref": "x", "yref": "paper", "text": name, "showarrow": False, "xanchor": "left",
                 "yanchor": "bottom", "font": {"size": 12}}
                for name, at in begins.items()
            ]  # fmt: skip
        self.text = self._sentence()
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"

    def _begins(self) -> dict[str, int]:
        """Return where the stages of the first training begin, if it has several."""
        first = next(iter(self.stories.values()), Growth())
        return first.begins if len(first.begins) > 1 else {}

    def _sentence(self) -> str:
        told = []
        for name, story in self.stories.items():
            if story.updates:
                ends = [f"{what} {ys[-1]:.1f} %" for (what, *_), ys in zip(LINES, story.lines(), strict=True)]
                stages = f" in the stages {', '.join(story.begins)}" if len(story.begins) > 1 else ""
                told.append(f"{name}, after {story.updates[-1]:,} updates{stages}: {', '.join(ends)}")
        return "; ".join(told) + "." if told else "No epoch yet."

    def still(self) -> bytes | None:
        """Draw the chart as PNG; None before the first epoch."""
        stories = {name: story for name, story in self.stories.items() if story.updates}
        if not stories:
            return None
        every = np.array([y for story in stories.values() for ys in story.lines() for y in ys])
        last, low = max(story.updates[-1] for story in stories.values()), 24 + 20 * len(stories)

        def draw(pen):
            axes = Axes(pen, (0, low, 700, 320), (0, last), good_range(every, False, False),
                        "updates of the shared weights", "validation accuracy, %")  # fmt: skip
            marks = [{"at": at, "label": name} for name, at in self._begins().items()]
            axes.extras((), marks, lambda at: at)
            for number, (name, story) in enumerate(stories.items()):
                color, x = SERIES[number % len(SERIES)], 52
                for (what, _, dash), ys in zip(LINES, story.lines(), strict=True):
                    axes.line(story.updates, ys, color, 2.2, dash)
                    for at, y in zip(story.updates, ys, strict=True):
                        pen.dot(axes.X(at), axes.Y(y), 2.5, color)
                    label, y = f"{name}: {what}" if what == LINES[0][0] else what, 14 + 20 * number
                    pen.line([(x, y), (x + 24, y)], color, 2.2, dash)
                    pen.text(x + 30, y, label, 11, DIM, "lm")
                    x += 48 + pen.wide(label, 11)

        return drawn(700, low + 330, draw)
