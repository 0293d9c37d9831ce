"""DARTS-like searches that degenerate: skip connections, losses, accuracies and sharpness on one time axis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from math import nan

import ipywidgets as widgets
import numpy as np

from ...analysis.diagnosis import SKIP
from ...space import Arch, SearchSpace
from ...step import Step
from ..raster import DIM, MARK, Axes, good_range
from ..stage.panel import failure
from ..stage.progress import GRID, SERIES
from .chart import CLEAR, Chart, drawn, live

PAUSE = 0.3  # seconds between two drawings
PANELS = {
    "skips": "skips in the cell",
    "loss": "loss, nats",
    "accuracy": "supernet's accuracy, %",
    "eigenvalue": "largest eigenvalue",
    "truth": "cell trained alone, %",
}
DASHED = {  # a panel's second curve, and the meaning of both
    "loss": ("valid_loss", "training, dashed: validation"),
    "accuracy": ("discrete_accuracy", "mixture, dashed: cell"),
}


@dataclass
class Story:
    """The history of one search: lists with a number for each epoch.

    Attributes
    ----------
    updates : list of int
        Number of steps until the end of each epoch.
    values : mapping from str to list of float
        ``skips``, ``loss`` and ``valid_loss`` (means over the epoch), ``accuracy`` (of the mixture, 0 to 1, mean over
        the epoch), ``discrete_accuracy`` and ``eigenvalue`` (at its end), ``truth``; nan where a step did not show it.
    """

    updates: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)

    def moment(self, collapsed: int) -> int | None:
        """Return the update from which the cell always had ``collapsed`` or more skips; None if the end has fewer."""
        many = np.array(self.values.get("skips", [])) >= collapsed
        if not len(many) or not many[-1]:
            return None
        few = np.flatnonzero(~many)
        return self.updates[int(few[-1]) + 1 if len(few) else 0]


class Collapse(Chart):
    """A chart of several searches while they run, with the time at which each of them collapsed.

    The panels share the time axis, which counts updates, so that searches with epochs of different lengths are
    comparable. A dotted vertical line marks the end of the first epoch from which the cell always has ``collapsed``
    skip connections or more.

    Parameters
    ----------
    space : SearchSpace
        A space that discretises to one operation per edge, with skip connections among the options.
    panels : sequence of str
        The panels from top to bottom: of ``skips``, ``loss``, ``accuracy``, ``eigenvalue``, ``truth``. Accuracy and
        eigenvalue need the steps of `nasviz.strategies.WatchedDarts`.
    truth : callable, optional
        Function from an architecture to its accuracy (0 to 1) when it is trained alone, as a table has it. The panel
        ``truth`` needs it.
    collapsed : int, optional
        Number of skip connections that counts as a collapse; by default two thirds of the edges.

    Attributes
    ----------
    stories : mapping from str to Story

    Raises
    ------
    ValueError
        For an unknown panel, or the panel ``truth`` without its function.

    Examples
    --------
    >>> view = Collapse(space)                                                              # doctest: +SKIP
    >>> display(view)                                                                         # doctest: +SKIP
    >>> for step in view.follow(WatchedDarts(space, images=192), "192 images"): pass          # doctest: +SKIP
    """

    def __init__(
        self,
        space: SearchSpace,
        panels: Iterable[str] = ("skips", "loss", "accuracy", "eigenvalue"),
        *,
        truth: Callable[[Arch], float] | None = None,
        collapsed: int | None = None,
    ):
        from plotly.subplots import make_subplots

        self.space, self.panels, self.truth = space, tuple(panels), truth
        if unknown := [name for name in self.panels if name not in PANELS]:
            raise ValueError(f"there is no panel {unknown[0]!r}; there are {', '.join(PANELS)}")
        if "truth" in self.panels and truth is None:
            raise ValueError("the panel 'truth' needs truth=, a function from an architecture to its accuracy")
        self.edges = len(space.relaxed)
        self.collapsed = -(-2 * self.edges // 3) if collapsed is None else collapsed
        self.stories: dict[str, Story] = {}
        self.said = widgets.HTML()
        rows = len(self.panels)
        self.figure = make_subplots(rows=rows, shared_xaxes=True, vertical_spacing=0.09 / rows)
        legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
        self.figure.update_layout(CLEAR | {"margin": {"l": 70, "r": 20, "t": 50, "b": 45}})
        self.figure.update_layout(autosize=True, height=70 + 145 * rows, legend=legend, hovermode="x")
        self.figure.update_xaxes(gridcolor=GRID, zeroline=False)
        self.figure.update_yaxes(gridcolor=GRID, zeroline=False, title_font_size=12)
        for row, name in enumerate(self.panels, 1):
            self.figure.update_yaxes(title_text=self._label(name), row=row)
        self.figure.update_xaxes(title_text="updates of the weights", row=rows)
        if "skips" in self.panels:
            self.figure.update_yaxes(range=[-0.3, self.edges + 0.3], row=self.panels.index("skips") + 1)
        self.figure = live(self.figure)
        super().__init__([self.said, self.figure])
        self.draw()

    @staticmethod
    def _label(name: str) -> str:
        return f"{PANELS[name]}<br><sub>{DASHED[name][1]}</sub>" if name in DASHED else PANELS[name]

    # ------------------------------------------------------------------ the data
    def follow(self, steps: Iterable[Step], name: str) -> Iterator[Step]:
        """Yield the steps of a search, and draw each as it comes.

        Parameters
        ----------
        steps : iterable of Step
            Steps that show ``alphas``, ``loss``, ``valid_loss``, ``valid_accuracy``, ``epoch``.
        name : str
            Name in the legend. A search of the same name is replaced.
        """
        story = self.stories[name] = Story(values={key: [] for key in self._names()})
        epoch: list[Mapping] = []
        last = 0.0
        try:
            for number, step in enumerate(steps, 1):
                if epoch and step.shows["epoch"] != epoch[-1]["epoch"]:
                    self._close(story, epoch, number - 1)
                    epoch = []
                epoch.append(step.shows)
                if (now := time.monotonic()) - last > PAUSE:
                    self.draw()
                    last = now
                yield step
            if epoch:
                self._close(story, epoch, number)
        finally:
            self.draw()

    @staticmethod
    def _names() -> tuple[str, ...]:
        return ("skips", "loss", "valid_loss", "accuracy", "discrete_accuracy", "eigenvalue", "truth")

    def _close(self, story: Story, epoch: list, updates: int) -> None:
        arch, end = self.space.discretize(epoch[-1]["alphas"]), epoch[-1]
        skips = sum(str(choice.options[i]) == SKIP for choice, i in zip(self.space.relaxed, arch, strict=False))
        known = {
            "skips": skips,
            "loss": np.mean([shows["loss"] for shows in epoch]),
            "valid_loss": np.mean([shows["valid_loss"] for shows in epoch]),
            "accuracy": np.mean([shows["valid_accuracy"] for shows in epoch]),
            "discrete_accuracy": end.get("discrete_accuracy", nan),
            "eigenvalue": end.get("eigenvalue", nan),
            "truth": nan if self.truth is None else self.truth(arch),
        }
        story.updates.append(updates)
        for key, value in known.items():
            story.values[key].append(float(value))

    # ------------------------------------------------------------------ the drawing
    def draw(self) -> None:
        """Update the chart."""
        wanted, lines = [], []
        for number, (name, story) in enumerate(self.stories.items()):
            color = SERIES[number % len(SERIES)]
            for row, panel in enumerate(self.panels, 1):
                for key, dash in self._curves(panel):
                    wanted.append((name, row, story.updates, self._scaled(panel, story.values[key]), color, dash))
            if (at := story.moment(self.collapsed)) is not None:
                lines.append((at, color))
        with self.figure.batch_update():
            for place, (name, row, x, y, color, dash) in enumerate(wanted):
                if place == len(self.figure.data):
                    first = row == 1 and dash == "solid"
                    style = {"line": {"color": color, "dash": dash, "width": 2}, "mode": "lines"}
                    self.figure.add_scatter(x=[], y=[], legendgroup=name, showlegend=first, row=row, col=1, **style)
                trace = self.figure.data[place]
                trace.x, trace.y, trace.name = x, np.array(y), name  # an array: JSON has no nan
            self.figure.layout.shapes = [
                {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
                 "line": {"color": color, "dash": "dot", "width": 1.5}}
                for at, color in lines
            ]  # fmt: skip
        self.text = self._sentence()
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"

    @staticmethod
    def _curves(panel: str) -> list[tuple[str, str]]:
        return [(panel, "solid")] + ([(DASHED[panel][0], "dash")] if panel in DASHED else [])

    @staticmethod
    def _scaled(panel: str, values: list[float]) -> list[float]:
        return [100 * value for value in values] if panel in ("accuracy", "truth") else values

    def _sentence(self) -> str:
        told = []
        for name, story in self.stories.items():
            if story.updates:
                at = story.moment(self.collapsed)
                when = "no collapse" if at is None else f"{self.collapsed} or more since update {at:,}"
                told.append(f"{name}: {story.values['skips'][-1]:.0f} skips of {self.edges}, {when}")
        return "; ".join(told) + "." if told else "No epoch yet."

    def still(self) -> bytes | None:
        """Draw the panels as PNG; None before the first epoch."""
        tall, stories = 165, [story for story in self.stories.values() if story.updates]
        if not stories:
            return None
        last = max(story.updates[-1] for story in stories)

        def draw(pen):
            for row, panel in enumerate(self.panels):
                keys = [key for key, _ in self._curves(panel)]
                every = np.array([v for s in stories for key in keys for v in self._scaled(panel, s.values[key])])
                span = (-0.3, self.edges + 0.3) if panel == "skips" else good_range(every)
                label = PANELS[panel] + (f" ({DASHED[panel][1]})" if panel in DASHED else "")
                under = "updates of the weights" if row + 1 == len(self.panels) else ""
                axes = Axes(pen, (0, 26 + row * tall, 700, tall + 10), (0, last), span, under, label)
                for number, story in enumerate(stories):
                    color = SERIES[number % len(SERIES)]
                    for key, dash in self._curves(panel):
                        ys = self._scaled(panel, story.values[key])
                        axes.line(story.updates, ys, color, 2, (5, 4) if dash == "dash" else ())
                    if (at := story.moment(self.collapsed)) is not None:
                        pen.line([(axes.X(at), axes.y), (axes.X(at), axes.y + axes.h)], color, 1.2, (2, 3))
            x = 52
            for number, name in enumerate(self.stories):
                pen.line([(x, 12), (x + 20, 12)], SERIES[number % len(SERIES)], 3)
                pen.text(x + 26, 12, name, 12, anchor="lm")
                x += 46 + pen.wide(name, 12)
            pen.line([(x, 12), (x + 20, 12)], MARK, 1.2, (2, 3))
            pen.text(x + 26, 12, "collapsed", 12, DIM, "lm")

        return drawn(700, 60 + tall * len(self.panels), draw)


class Tryout(Chart):
    """Sliders for the settings of a search, and a button that runs it into a `Collapse` below.

    Parameters
    ----------
    view : Collapse
    make : callable
        ``make(**settings)`` returns the search: an iterable of steps.
    **settings : sequence
        The values of each setting, the usual one first. The slider sorts them.

    Examples
    --------
    >>> def make(images, epochs): return Darts(space, images=images, epochs=epochs)           # doctest: +SKIP
    >>> Tryout(Collapse(space, ("skips", "loss")), make, images=(192, 480), epochs=(40, 16))  # doctest: +SKIP
    """

    def __init__(self, view: Collapse, make: Callable[..., Iterable[Step]], **settings):
        self.view, self.make = view, make
        self.usual = {name: values[0] for name, values in settings.items()}
        wide = {"style": {"description_width": "110px"}, "layout": {"width": "420px"}}
        self.sliders = {
            name: widgets.SelectionSlider(
                options=[(f"{v:,g}", v) for v in sorted(values)],
                value=values[0], description=name.replace("_", " "), **wide,
            )
            for name, values in settings.items()
        }  # fmt: skip
        self.button = widgets.Button(description="Run", icon="play", tooltip="Run a search with these settings")
        self.button.on_click(lambda button: self.run())
        self.said = widgets.HTML()
        super().__init__([widgets.VBox(list(self.sliders.values())), self.button, self.said, view])

    @property
    def text(self) -> str:
        """The text of the view."""
        return self.view.text

    @text.setter
    def text(self, said: str) -> None:
        self.view.text = said

    def run(self, **settings) -> Story:
        """Run with the sliders' values, or with ``settings``. An exception of the search is shown and raised."""
        for name, value in settings.items():
            self.sliders[name].value = value
        values = {name: slider.value for name, slider in self.sliders.items()}
        other = [f"{name.replace('_', ' ')} {v:,g}" for name, v in values.items() if v != self.usual[name]]
        label = ", ".join(other) or "as usual"
        self.button.disabled, self.said.value = True, ""
        try:
            for _ in self.view.follow(self.make(**values), label):
                pass
        except Exception as error:
            self.said.value = failure(error)
            raise
        finally:
            self.button.disabled = False
        return self.view.stories[label]

    def still(self) -> bytes | None:
        """Draw the view as PNG."""
        return self.view.still()
