"""Inherited accuracy against accuracy alone, over all costs and within a band of about the same cost."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets
import numpy as np

from ...analysis import stats
from ...space import Arch, SearchSpace
from ..colors import COSTS, MAGENTA, between
from ..raster import Axes, good_range, mixed
from ..stage import panel
from .chart import Chart, drawn, figure, live, near, short

NAMES = ("architectures", "inherited accuracies", "accuracies alone", "costs")
FEW = 8  # children: with fewer, a band's τ may be anything
BINS = 30
RESAMPLES = 300


class WithinBudget(Chart):
    """A chart of children by inherited accuracy and accuracy alone, and a budget that moves along their costs.

    Children within the band around the budget are lit, the others pale: a search under a bound has to rank those that
    cost about the same. The text says how well inherited accuracies rank all children and those in the band, and
    how well a count of multiply-adds ranks these. The strip above shows how many children there are of each cost.

    Parameters
    ----------
    space : SearchSpace
    archs : sequence of n Arch
    inherited, alone : array of shape (n,)
        Validation accuracies, 0 to 1, on the shared weights and after a training of one's own.
    costs : array of shape (n,)
        Multiply-adds, above 0.
    band : float
        Share, above 0 and below 1: a child is in the band if its cost differs from the budget by at most this share.

    Attributes
    ----------
    budget : FloatLogSlider
    tau : Interval
        Kendall's τ of inherited accuracy and accuracy alone, over all children.
    inside : array of int
        Numbers of the children in the band.
    tau_inside, tau_counted : Interval or None
        τ in the band: of inherited accuracy, and of counting multiply-adds. None for fewer than eight children.

    Raises
    ------
    ValueError
        For lengths that do not agree, numbers out of range or nan, an architecture that is not in the space, or a band
        that is no share.

    Examples
    --------
    >>> view = WithinBudget(space, archs, inherited, alone, [space.madds(arch) for arch in archs])  # doctest: +SKIP
    >>> view.set(400_000)                                                                             # doctest: +SKIP
    """

    def __init__(self, space: SearchSpace, archs: Sequence[Arch], inherited, alone, costs, band: float = 0.07):
        self.space, self.band = space, band
        self.archs = [space.check(arch) for arch in archs]
        self.inherited, self.alone, self.costs = (np.asarray(one, float) for one in (inherited, alone, costs))
        self._check()
        logs = np.log10(self.costs)
        self.ends = float(logs.min()), float(logs.max())
        self.tau = stats.tau_interval(self.inherited, self.alone, resamples=RESAMPLES)
        self.budget = widgets.FloatLogSlider(
            float(np.median(self.costs)), base=10, min=self.ends[0], max=self.ends[1], step=0.01, readout=False,
            description="budget", layout={"width": "100%"}, style={"description_width": "58px"},
            tooltip="Multiply-adds around which children are compared",
        )  # fmt: skip
        self.said = widgets.HTML()
        same = self.ends[0] == self.ends[1]
        self.edges = logs[0] + np.array([-0.1, 0.1]) if same else np.linspace(*self.ends, BINS + 1)
        self.figure = self._filled()
        self.draw()
        self.figure = live(self.figure)
        self.budget.observe(lambda change: self.draw(), "value")
        super().__init__([self.budget, self.said, self.figure, panel.Names()])
        self.add_class("nasviz-player")

    def _check(self) -> None:
        lengths = [len(self.archs), *(one.size for one in (self.inherited, self.alone, self.costs))]
        if len(set(lengths)) > 1 or lengths[0] < 3:
            told = ", ".join(f"{n} {name}" for n, name in zip(lengths, NAMES, strict=True))
            raise ValueError(f"a number of each kind is needed for each of three children or more: got {told}")
        for name, values in zip(NAMES[1:3], (self.inherited, self.alone), strict=True):
            if len(wrong := np.flatnonzero(~((values >= 0) & (values <= 1)))):
                child = self.space.to_text(self.archs[wrong[0]])
                raise ValueError(f"{name} are 0 to 1, got {values[wrong[0]]} for child {wrong[0]}, {child}")
        if len(wrong := np.flatnonzero(~((self.costs > 0) & np.isfinite(self.costs)))):
            child = self.space.to_text(self.archs[wrong[0]])
            raise ValueError(f"costs are above 0, got {self.costs[wrong[0]]} for child {wrong[0]}, {child}")
        if not 0 < self.band < 1:
            raise ValueError(f"the band is a share of the budget, above 0 and below 1, got {self.band!r}")

    def set(self, budget: float) -> None:
        """Move the budget, in multiply-adds; beyond the least and the greatest cost it stays at that end."""
        self.budget.value = min(max(budget, 10 ** self.ends[0]), 10 ** self.ends[1])

    # ------------------------------------------------------------------ the drawing
    def _shade(self, log: float) -> str:
        return between(COSTS, (log - self.ends[0]) / ((self.ends[1] - self.ends[0]) or 1))

    def _bars(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the middles of the strip's bars, in log10 of multiply-adds, and their heights in children."""
        heights, _ = np.histogram(np.log10(self.costs), self.edges)
        return (self.edges[1:] + self.edges[:-1]) / 2, heights

    def _called(self, number: int) -> str:
        return f"{self.space.to_text(self.archs[number])}<br>{short(self.costs[number])} multiply-adds"

    def _marks(self) -> list[tuple[float, str]]:
        """Return ticks of cost: log10 and text."""
        powers = range(int(np.floor(self.ends[0])), int(np.ceil(self.ends[1])) + 1)
        every = [times * 10.0**power for power in powers for times in (1, 2, 5)]
        inside = [cost for cost in every if self.ends[0] <= np.log10(cost) <= self.ends[1]]
        return [(float(np.log10(cost)), short(cost)) for cost in inside]

    def _reach(self) -> tuple[float, float]:
        """Return the ends of the band, in log10 of multiply-adds."""
        middle = np.log10(self.budget.value)
        return float(middle + np.log10(1 - self.band)), float(middle + np.log10(1 + self.band))

    def _filled(self):
        marks, (middles, heights) = self._marks(), self._bars()
        out = figure(
            height=560, showlegend=False, hovermode="closest", bargap=0.08,
            margin={"l": 60, "r": 20, "t": 10, "b": 50},
            xaxis={"title": "inherited accuracy, %", "anchor": "y"},
            yaxis={"title": "accuracy alone, %", "domain": [0.0, 0.75]},
            xaxis2={"anchor": "y2", "tickvals": [at for at, _ in marks], "ticktext": [word for _, word in marks],
                    "title": {"text": "multiply-adds", "standoff": 4}, "showgrid": False},
            yaxis2={"domain": [0.88, 1.0], "anchor": "x2", "title": "children", "nticks": 3, "rangemode": "tozero"},
        )  # fmt: skip
        for size, opacity, line in ((7, 0.35, {"width": 0}), (10, 1.0, {"width": 2, "color": MAGENTA})):
            out.add_scatter(
                mode="markers", marker={"size": size, "opacity": opacity, "line": line},
                hovertemplate="%{text}<br>inherits %{x:.1f} %, alone %{y:.1f} %<extra></extra>",
            )  # fmt: skip
        out.add_bar(
            x=middles, y=heights, xaxis="x2", yaxis="y2", marker={"color": [self._shade(at) for at in middles]},
            hovertemplate="%{y} children<extra></extra>",
        )  # fmt: skip
        return out

    def draw(self) -> None:
        """Update the chart to the budget."""
        lit = near(self.costs, self.budget.value, self.band)
        self.inside = np.flatnonzero(lit)
        enough = len(self.inside) >= FEW
        truth = self.alone[lit]
        self.tau_inside, self.tau_counted = (
            stats.tau_interval(one[lit], truth, resamples=RESAMPLES) if enough else None
            for one in (self.inherited, self.costs)
        )
        low, high = self._reach()
        with self.figure.batch_update():
            for trace, members in zip(self.figure.data, (np.flatnonzero(~lit), self.inside), strict=False):
                trace.x, trace.y = 100 * self.inherited[members], 100 * self.alone[members]
                trace.marker.color = [self._shade(log) for log in np.log10(self.costs[members])]
                trace.text = [self._called(i) for i in members.tolist()]
            self.figure.layout.shapes = [
                {"type": "rect", "xref": "x2", "yref": "y2 domain", "x0": low, "x1": high, "y0": 0, "y1": 1,
                 "line": {"color": MAGENTA, "width": 2}, "fillcolor": "rgba(214, 36, 110, 0.2)"}
            ]  # fmt: skip
        self.text = self._sentence()
        self.said.value = f"<p style='margin:2px 0; line-height:1.5'>{escape(self.text)}</p>"

    def _sentence(self) -> str:
        count = len(self.inside)
        what = f"±{100 * self.band:g} % of {short(self.budget.value)} multiply-adds"
        every = (
            f"Kendall's τ of inherited accuracy and accuracy alone over all {len(self.archs):,} children: {self.tau}."
        )
        if self.tau_inside is None:
            holds = f"{count} child{'' if count == 1 else 'ren'}" if count else "no child"
            return f"{every} Within {what}: {holds}, too few to say how well they are ranked (at least {FEW})."
        return (
            f"{every} Over the {count} within {what}: {self.tau_inside}; "
            f"of counting multiply-adds there: {self.tau_counted}."
        )

    def still(self) -> bytes:
        """Draw the strip and the dots as PNG."""
        x, y, logs = 100 * self.inherited, 100 * self.alone, np.log10(self.costs)
        middles, heights = self._bars()

        def draw(pen):
            first, second = self.text.split(". ", 1)
            pen.text(8, 10, f"{first}.", 11, anchor="lm")
            pen.text(8, 26, second, 11, anchor="lm")
            room = 0.02 * (self.ends[1] - self.ends[0])
            axes = Axes(pen, (0, 40, 700, 130), (self.edges[0] - room, self.edges[-1] + room),
                        (0, float(heights.max())), "multiply-adds", "children", self._marks())  # fmt: skip
            wide = 0.9 * (axes.X(middles[1]) - axes.X(middles[0])) if len(middles) > 1 else 20
            for at, high in zip(middles, heights.tolist(), strict=True):
                pen.box(axes.X(at) - wide / 2, axes.Y(high), wide, axes.y + axes.h - axes.Y(high), self._shade(at))
            low, high = (axes.X(end) for end in self._reach())
            pen.box(low, axes.y, high - low, axes.h, None, MAGENTA, 2)
            spans = [good_range(v, low_fence=False, high_fence=False) for v in (x, y)]
            axes = Axes(pen, (0, 176, 700, 344), *spans, "inherited accuracy, %", "accuracy alone, %")
            lit = set(self.inside.tolist())
            for i in sorted(range(len(x)), key=lit.__contains__):  # the lit ones last, on top
                color = self._shade(logs[i])
                if i in lit:
                    pen.dot(axes.X(x[i]), axes.Y(y[i]), 5, color, MAGENTA, 1.6)
                else:
                    pen.dot(axes.X(x[i]), axes.Y(y[i]), 3.5, mixed(color, 0.25))

        return drawn(720, 530, draw)
