"""An estimator's scores against the true values, dot by dot while the estimates arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from html import escape

import ipywidgets as widgets
import numpy as np

from ...analysis import stats
from ...space import Arch, SearchSpace
from ...step import Evaluation
from ..colors import AMBER, BLUE, GREY, MAGENTA
from ..raster import Axes, good_range, mixed
from ..stage.cell import show
from .chart import Chart, drawn, figure, live

PAUSE = 0.25  # seconds between two drawings while estimates arrive: the interval of τ takes some 20 ms
GROUPS = (  # the kind of a dot, by (among the estimated best, among the true best)
    ((0, 0), "the rest", GREY, "circle", 6),
    ((1, 1), "best, and found", BLUE, "circle", 9),
    ((1, 0), "taken for one of the best", AMBER, "diamond", 9),
    ((0, 1), "best, but missed", MAGENTA, "square", 9),
)


class Correlation(Chart):
    """A chart of estimates against the truth: Kendall's τ with its interval, and whether the best were found.

    A click on a dot shows its cell. A frame drawn with the mouse shows τ among the dots inside. The slider sets which
    share counts as the best.

    Parameters
    ----------
    space : SearchSpace
    estimated, truth : str
        Names of the axes. The truth is an accuracy, 0 to 1, drawn in percent.
    top : float
        Share of the architectures that counts as the best, 0.01 to 0.5.

    Attributes
    ----------
    archs : list of Arch
    estimates, truths : list of float
    tau : Interval
        Kendall's τ of all architectures drawn.

    Examples
    --------
    >>> view = Correlation(space, "synflow")                                                # doctest: +SKIP
    >>> display(view)                                                                         # doctest: +SKIP
    >>> for _ in view.follow(ZeroCost(space, ("synflow",)).many(archs), table.judge): pass    # doctest: +SKIP
    """

    def __init__(self, space: SearchSpace, estimated="estimate", truth="test accuracy", top: float = 0.05):
        self.space, self.names = space, (estimated, truth)
        self.archs: list[Arch] = []
        self.estimates: list[float] = []
        self.truths: list[float] = []
        self.shown: list[np.ndarray] = []  # which architectures each trace shows
        self.framed: dict[int, np.ndarray] = {}
        self.top = widgets.IntSlider(
            round(100 * top), min=1, max=50, description="best, %", tooltip="Share that counts as the best",
            continuous_update=False,
        )  # fmt: skip
        self.top.observe(lambda change: self.draw(), "value")
        self.said, self.about = widgets.HTML(), widgets.HTML("Click a dot, or frame some.")
        self.cells = widgets.VBox()
        self.figure = figure(
            height=460,
            xaxis={"title": estimated},
            yaxis={"title": f"{truth}, %"},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            hovermode="closest",
            dragmode="select",
        )
        for _, name, color, symbol, size in GROUPS:
            marker = {"color": color, "symbol": symbol, "size": size, "opacity": 0.55 if color == GREY else 0.9}
            hover = "%{x:.4g}, %{y:.1f} %<extra></extra>"
            self.figure.add_scatter(x=[], y=[], mode="markers", name=name, marker=marker, hovertemplate=hover)
        self.draw()
        self.figure = live(self.figure)
        for number, trace in enumerate(self.figure.data):
            trace.on_click(lambda trace, points, state, n=number: self._clicked(n, points.point_inds))
            trace.on_selection(lambda trace, points, state, n=number: self._frame(n, points.point_inds))
            trace.on_deselect(lambda trace, points, n=number: self._frame(n, []))
        super().__init__([self.top, self.said, self.figure, self.about, self.cells])

    # ------------------------------------------------------------------ the data and the drawing
    def extend(self, archs: Iterable[Arch], estimates: Iterable[float], truths: Iterable[float]) -> None:
        """Add architectures, and draw once. ValueError if the lengths differ, or a truth is not an accuracy."""
        new = list(zip(archs, estimates, truths, strict=True))
        for arch, _, truth in new:
            if not (truth != truth or 0 <= truth <= 1):
                raise ValueError(f"the truth is an accuracy, 0 to 1, got {truth} for {self.space.to_text(arch)}")
        for arch, estimate, truth in new:
            self._add(arch, estimate, truth)
        self.draw()

    def follow(
        self, evaluations: Iterable[Evaluation], truth: Callable[[Arch], float], score: str | None = None
    ) -> Iterator[Evaluation]:
        """Yield evaluations, and draw them as they come: at most four times a second, and once at the end.

        Parameters
        ----------
        evaluations : iterable of Evaluation
            The estimates, such as ``estimate.many(archs)``.
        truth : callable
            Function from an architecture to its true accuracy, such as ``table.judge``.
        score : str, optional
            Name of the score that is the estimate; may be left out if there is only one.
        """
        last = 0.0
        try:
            for evaluation in evaluations:
                name = score or next(iter(evaluation.scores))
                if score is None and len(evaluation.scores) > 1:
                    raise ValueError(f"which score is the estimate? There are {', '.join(evaluation.scores)}")
                self._add(evaluation.arch, evaluation.scores[name], truth(evaluation.arch))
                if (now := time.monotonic()) - last > PAUSE:
                    self.draw()
                    last = now
                yield evaluation
        finally:
            self.draw()

    def _add(self, arch: Arch, estimate: float, truth: float) -> None:
        self.archs.append(tuple(arch))
        self.estimates.append(float(estimate))
        self.truths.append(float(truth))

    def draw(self) -> None:
        """Update the chart."""
        x, y = np.array(self.estimates), np.array(self.truths)
        share, count = self.top.value / 100, len(self.archs)
        k = max(1, round(share * count))
        best = [stats.among(stats.ranks(v), k) >= 0.5 if count else np.zeros(0, bool) for v in (x, y)]
        self.shown = [np.flatnonzero((best[0] == a) & (best[1] == b)) for (a, b), *_ in GROUPS]
        self.tau = stats.tau_interval(x, y, resamples=300)
        self.framed = {}
        with self.figure.batch_update():
            for trace, members in zip(self.figure.data, self.shown, strict=True):
                trace.x, trace.y, trace.selectedpoints = x[members], 100 * y[members], None
        self.text = self._sentence(x, y, share, k)
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"

    def _sentence(self, x, y, share: float, k: int) -> str:
        if len(x) < 3:
            return f"{len(x)} architectures so far: a ranking needs more."
        lost, found = 100 * stats.regret(x, y), k * stats.precision(x, y, share)
        worse = "its training failed" if np.isinf(lost) else f"{lost:.1f} points below the best"
        return (
            f"{self.names[0]} against {self.names[1]}, {len(x):,} architectures: Kendall's τ = {self.tau}. "
            f"Of the best {k}, {found:.3g} are among the estimated best {k}. The estimated winner: {worse}."
        )

    # ------------------------------------------------------------------ clicks and frames
    def _clicked(self, group: int, points: list[int]) -> None:
        if points:
            self.tell(int(self.shown[group][points[0]]))

    def tell(self, index: int) -> None:
        """Show the cell and the numbers of the ``index``-th architecture."""
        arch = self.archs[index]
        places = [int((np.array(v) > v[index]).sum()) + 1 for v in (self.estimates, self.truths)]
        self.about.value = (
            f"<b>{escape(self.space.to_text(arch))}</b><br>{escape(self.names[0])} {self.estimates[index]:.4g} "
            f"(place {places[0]:,} of {len(self.archs):,}), {escape(self.names[1])} "
            f"{100 * self.truths[index]:.1f} % (place {places[1]:,})"
        )
        self.cells.children = [show(arch, self.space)]

    def _frame(self, group: int, points: list[int]) -> None:
        self.framed[group] = self.shown[group][points]
        self.frame(np.concatenate(list(self.framed.values())))

    def frame(self, indices) -> None:
        """Show τ among some of the architectures, chosen by their indices."""
        indices = np.asarray(indices, int)
        if len(indices) < 3:
            self.about.value = "Click a dot, or frame some."
            return
        x, y = np.array(self.estimates)[indices], np.array(self.truths)[indices]
        found = stats.tau_interval(x, y, resamples=300)
        self.about.value = (
            f"The {len(indices):,} in the frame: τ = {found}, {escape(self.names[1])} "
            f"{100 * np.nanmin(y):.1f} to {100 * np.nanmax(y):.1f} %"
        )

    def still(self) -> bytes:
        """Draw the dots as PNG."""

        def draw(pen):
            x, y = np.array(self.estimates), 100 * np.array(self.truths)
            names = self.names[0], f"{self.names[1]}, %"
            spans = [good_range(v, low_fence=False, high_fence=False) for v in (x, y)]
            axes = Axes(pen, (0, 22, 700, 400), *spans, *names)
            for (_, _, color, symbol, size), members in zip(GROUPS, self.shown, strict=True):
                for i in members[np.isfinite(x[members]) & np.isfinite(y[members])]:
                    pen.sign(symbol, axes.X(x[i]), axes.Y(y[i]), size / 2, mixed(color, 0.6), color, 0.8)
            left = 60
            for _, name, color, symbol, _ in GROUPS:
                pen.sign(symbol, left, 14, 4, color)
                pen.text(left + 10, 14, name, 11, anchor="lm")
                left += 30 + pen.wide(name, 11)
            if len(x) > 2:
                pen.text(690, 14, f"τ = {self.tau}", 12, anchor="rm")

        return drawn(700, 430, draw)
