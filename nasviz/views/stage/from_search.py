"""From a search to its stage: the pictures that suit its steps, and the row of data that each step gives.

A strategy's class attribute ``shows`` names what its steps carry (see `nasviz.step.SHOWS`; ``"evaluation"`` counts).
The spec of the stage follows from these names and the space's graph. No strategy is known here by name, so a new one
that shows known quantities is drawn without further code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...knobs import knobs
from ...run import Run
from ...space import Arch
from ...step import Step
from ...strategy import bound_of, objective_of
from ..colors import SOLID
from ..raster import SERIES
from .cell import cell_of, cell_view, chosen, in_line, options_view, supernet_view
from .kinds import KINDS
from .kinds.curve import CurveView, Series
from .kinds.heat import HeatView
from .kinds.swarm import SwarmView
from .kinds.traces import TracesView
from .kinds.view import View
from .policy import policy_views
from .progress import band_of
from .spec import Spec
from .widget import Stage

VARIANTS: tuple[tuple[int, ...], ...] = ((1, 3), SOLID, (6, 3), (2, 3), (9, 3, 2, 3))  # strokes of options, none first
WIDEST = 512  # the most members of a population in a row; of a larger one only the newest are shown


def option_matrix(arch: Arch, options: int) -> np.ndarray:
    """Return the weights of a decided cell, float32 (choices, options): 1 at the chosen options, else 0."""
    return np.eye(options, dtype="<f4")[list(arch)]


class Rows:
    """The spec of one search's stage, and the row of each of its steps.

    Parameters
    ----------
    search : strategy
    band : sequence of Run
        Finished runs of random search, whose range is drawn behind the curve for comparison.
    x : {"evaluations", "seconds"}
        The horizontal axis of the curve of a search by evaluations.

    Attributes
    ----------
    spec : Spec
        The spec for `Stage`.

    Raises
    ------
    ValueError
        If none of the quantities that the search shows can be drawn.
    """

    def __init__(self, search, band: Sequence[Run] = (), x: str = "evaluations"):
        self.search, self.shows = search, type(search).shows
        self.total = len(search)
        self.graph = cell_of(search.space)
        self.bound = bound_of(objective_of(search))
        options = search.space.choices[0].options if self.graph and "evaluation" in self.shows else ()
        self.arrays: dict[str, list[int]] = {}
        views: list[View] = []
        if "alphas" in self.shows:
            views += self._weights()
            options = search.space.relaxed[0].options
        looks: dict[str, Any] = {}
        if "errors" in self.shows:
            lines, table = self._errors()
            views += [lines, table]
            options = tuple(table.columns)
            looks = {
                "labels": options,
                "colors": [SERIES[(o - 1) % len(SERIES)] for o in range(len(options))],  # nothing at all is grey
                "dashes": [VARIANTS[o % len(VARIANTS)] for o in range(len(options))],
            }
        else:
            views += self._losses()
        if "evaluation" in self.shows:
            views += self._evaluations(len(options), band, x)
        if "marginals" in self.shows:
            arrays, pictures, self._there = policy_views(search.space, self.total)
            self.arrays |= arrays
            views += pictures
        for kind in KINDS.values():
            if own := kind.for_search(search):
                self.arrays |= {name: list(shape) for name, shape in own[0].items()}
                views.append(own[1])
        if not views:
            raise ValueError(f"{type(search).__name__} shows {self.shows}: no picture is known for any of these")
        blank = {name: np.full(shape, np.nan, "<f4") if shape else np.nan for name, shape in self.arrays.items()}
        self._defaults: dict[str, np.ndarray | float] = blank
        self._eye = np.eye(len(options), dtype="<f4")
        self.spec = Spec(arrays=self.arrays, ops=[str(o) for o in options], views=views, **looks)

    def _weights(self) -> list[View]:
        """Return views of architecture weights: the cell as a supernet, the present weights, every edge in time."""
        relaxed = self.search.space.relaxed
        self.arrays["alphas"] = [len(relaxed), len(relaxed[0].options)]
        labels = [in_line(choice.name) for choice in relaxed]
        cells = self.search.space.cells()
        views: list[View] = []
        for name, graph in cells.items():
            mine = [edge.choice for edge in graph.edges if edge.choice is not None]
            part = {"first": mine[0], "rows": len(mine)} if len(cells) > 1 else {}
            views.append(supernet_view(graph, name, len(cells) == 1, span=7 if len(cells) == 1 else 6, **part))
        views += [
            HeatView(array="alphas", labels=labels, title="Weights now", span=5 if len(views) == 1 else 12),
            TracesView(array="alphas", labels=labels, total=self.total, title="Weight of each operation, edge by edge"),
        ]
        return views

    def _errors(self) -> tuple[TracesView, HeatView]:
        """Return the relative errors of all options in time, and as a table. Choices of two kinds share its columns."""
        choices = self.search.space.choices
        self.arrays |= dict.fromkeys(("errors", "learning"), [len(choices), len(choices[0].options)])
        options = zip(*(choice.options for choice in choices), strict=True)
        columns = [" ".join(dict.fromkeys(map(str, column))) for column in options]
        labels = [in_line(choice.name) for choice in choices]
        common: dict[str, Any] = {"array": "errors", "labels": labels}
        title, each = "Each half-block's variants learn, one half-block after the other", self.total // len(choices)
        turns = each if each > 1 else 0  # what does not learn has no turn to draw
        return (
            TracesView(title=title, total=self.total, each=turns, **common),
            HeatView(columns=columns, title="Relative error of each variant now (%)", boxed="learning", **common),
        )

    def _losses(self) -> list[View]:
        """Return views of the shared weights' loss and accuracy, batch by batch."""
        views: list[View] = []
        losses = [name for name in ("loss", "valid_loss") if name in self.shows]
        scores = [name for name in ("valid_accuracy",) if name in self.shows]
        self.arrays |= {name: [] for name in [*losses, *scores]}
        span = 12 if not (losses and scores) else 6
        words = {"loss": "training", "valid_loss": "validation"}
        if getattr(self.search, "teacher", None) is not None:  # two different losses
            words = {"loss": "training, against the teacher", "valid_loss": "validation, against labels"}
        if losses:
            series = [Series(array=name, label=words[name], points=False) for name in losses]
            views.append(self._curve(series, span, title="Loss of each batch (nats)", ylabel="loss, nats"))
        if scores:
            of = "validation batch" if "alphas" in self.shows else "all validation images"
            series = [Series(array="valid_accuracy", label=of, points=False)]
            title = "Accuracy of each validation batch (%)" if "alphas" in self.shows else "Validation accuracy (%)"
            views.append(self._curve(series, span, title=title, ylabel="accuracy, %", scale=100, unit="%"))
        return views

    def _curve(self, series: list[Series], span: int, **more: Any) -> CurveView:
        return CurveView(series=series, span=span, total=self.total, height=210, **more)

    def _evaluations(self, options: int, band: Sequence[Run], x: str) -> list[View]:
        """Return views of one evaluation per step: its cell, the population, its accuracy and the best so far."""
        self.arrays |= {"accuracy": [], "seconds": []}
        views: list[View] = []
        if "alphas" not in self.shows:
            title = "The architecture of this step"
            if self.graph:
                self.arrays["arch"] = [len(self.search.space.choices), options]
                views.append(cell_view(self.graph, "arch", title=title, span=5))
            else:
                self.arrays["arch"] = [len(self.search.space.choices)]
                views.append(options_view(self.search.space, "arch", title=title))
        common: dict[str, Any] = {"array": "accuracy", "scale": 100, "unit": "%", "ylabel": "validation accuracy, %"}
        if self.bound:
            self.arrays["feasible"] = []
            common["feasible"] = "feasible"
        if "parent" in self.shows:
            self.arrays["parent"] = []
            place = None
            if "population" in self.shows:
                place, self.arrays["population"] = "population", [self._alive()]
            title, wide = "Each dot an architecture, each line a mutation", 7 if self.graph else 12
            swarm = SwarmView(title=title, parent="parent", population=place, span=wide, total=self.total, **common)
            views.append(swarm)
        alone = len(views) == 1 and self.graph
        title = "Accuracy of each evaluation, and the best so far"
        common |= {"title": title, "best": True, "span": 7 if alone else 12, "height": 330 if alone else 230}
        if x == "seconds":
            common |= {"x": "seconds", "xlabel": "seconds of training"}
        else:
            common |= {"total": self.total, "xlabel": "architectures evaluated"}
        return [*views, CurveView(band=[band_of(band, x)] if band else (), **common)]

    def _alive(self) -> int:
        """Return the number of places for a population: the largest that the sliders allow."""
        limits = [field.metadata["high"] for name, field in knobs(self.search).items() if name == "population"]
        return int(min([self.total, WIDEST, *limits]))

    def row(self, step: Step, seconds: float) -> dict:
        """Return the arrays of one step, nan for missing ones. ``seconds``: the cost of the search up to this step."""
        out = {name: step.shows.get(name, default) for name, default in self._defaults.items()}
        if "population" in self.arrays:
            room = np.array(self._defaults["population"])
            alive = step.shows["population"][-len(room) :]
            room[: len(alive)] = alive
            out["population"] = room
        if "learning" in self.arrays:
            out["learning"] = np.zeros(self.arrays["learning"], "<f4")
            out["learning"][step.shows["place"], 1:-1] = 1  # none and the parent's own have nothing to learn
        if "marginals" in self.arrays:
            out["marginals"] = step.shows["marginals"] * self._there
        if (evaluation := step.evaluation) is not None:
            accuracy = evaluation.scores.get("accuracy", np.nan)
            out["accuracy"], out["seconds"] = accuracy if np.isfinite(accuracy) else np.nan, seconds
            if "arch" in self.arrays:
                space = self.search.space
                out["arch"] = self._eye.take(evaluation.arch, 0) if self.graph else chosen(evaluation.arch, space)
            if self.bound:
                out["feasible"] = float(self.bound(evaluation))
        return out

    def words(self, run: Run) -> str:
        """Describe the search so far in one line: its best architecture, or the one that its weights favour."""
        space = self.search.space
        if run.best:
            scores = run.best.scores
            accuracy = scores.get("accuracy", np.nan)
            return f"best {100 * accuracy:.1f} %  {space.to_text(run.best.arch)}" + failures(run)
        return (self.favoured(run.steps[-1]) if run.steps else "") or failures(run).lstrip()

    def favoured(self, step: Step) -> str:
        """Describe the architecture that the weights of a step favour; nothing where it has none."""
        space = self.search.space
        return (
            f"strongest now  {space.to_text(space.discretize(step.shows['alphas']))}" if "alphas" in step.shows else ""
        )


def failures(run: Run) -> str:
    """Return how many evaluations failed, as the end of a line; nothing if none did."""
    return f"  {run.failed} failed" if run.failed else ""


def turned(values: dict[str, float]) -> str:
    """Return the label for a change of knobs: ``"population 20"``."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in values.items())


def rows_of(run: Run, needed: set[str], verb: str) -> Rows:
    """Return the rows of a run for a picture that needs steps with the quantities named in ``needed``.

    Raises
    ------
    ValueError
        If the steps lack one, as in ``"RandomSearch does not walk: ..."`` (where ``verb`` is the verb), or there are no
        steps yet.
    """
    if missing := needed - set(type(run.search).shows):
        raise ValueError(f"{type(run.search).__name__} {verb}: its steps do not show {sorted(missing)}")
    if not run.steps:
        raise ValueError("nothing to draw yet: iterate the run first")
    return Rows(run.search)


def stage_of(run: Run, band: Sequence[Run] = (), x: str = "evaluations") -> Stage:
    """Return the stage of a finished or a recorded run, with marks where knobs were turned.

    Raises
    ------
    ValueError
        If none of the quantities that the search shows can be drawn.
    """
    rows = Rows(run.search, band, x)
    steps = (rows.row(step, seconds) for step, seconds in zip(run.steps, run.costs, strict=True))
    stage = Stage(rows.spec, steps)
    for at, values in run.turns:
        stage.mark(at, turned(values))
    return stage
