"""The page of refreshers: Kendall's τ, the bootstrap, paired tests, several comparisons; pictures that move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import nan
from typing import cast

import ipywidgets as widgets
import numpy as np

from ..analysis.stats import holm, mean_band, paired_permutation, tau
from ..views.charts.chart import Chart, drawn, figure, live
from ..views.colors import BLUE, GREY, MAGENTA, TEAL
from ..views.raster import DIM, Axes

SEEDS, BETTER, REPEATS = 15, 0.3, 2000  # pairs; points that the second search is better; repetitions
MOST = 20  # comparisons


@dataclass(frozen=True)
class Marks:
    """Dots, lines or bars of one colour; nan in ``y`` breaks a line."""

    kind: str
    name: str
    color: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Picture:
    """What one position of the slider shows: marks in the ranges ``across`` and ``up``, and a sentence."""

    said: str
    marks: tuple[Marks, ...]
    across: tuple[float, float]
    up: tuple[float, float]
    labels: tuple[str, str]


class Moving(Chart):
    """A chart that a slider changes.

    Parameters
    ----------
    picture : callable
        From the slider's value to the `Picture`; always the same number of marks.
    slider : widget
        An ipywidgets slider.
    """

    def __init__(self, picture: Callable[[float], Picture], slider):
        self.picture, self.slider, self.told = picture, slider, widgets.HTML()
        self.now = picture(slider.value)
        chart = figure(height=340, xaxis={"title": self.now.labels[0]}, yaxis={"title": self.now.labels[1]})
        for marks in self.now.marks:
            if marks.kind == "bars":
                chart.add_bar(name=marks.name, marker={"color": marks.color})
            elif marks.kind == "dots":
                chart.add_scatter(name=marks.name, mode="markers", marker={"color": marks.color, "size": 9})
            else:
                chart.add_scatter(name=marks.name, mode="lines", line={"color": marks.color, "width": 2})
        self.figure = chart
        self._draw()
        self.figure = live(chart)
        slider.observe(lambda change: self._draw(), "value")
        super().__init__([slider, self.told, self.figure])

    def _draw(self) -> None:
        self.now = now = self.picture(self.slider.value)
        self.text = now.said
        self.told.value = f"<p style='margin:2px 0'>{now.said}</p>"
        with self.figure.batch_update():
            for trace, marks in zip(self.figure.data, now.marks, strict=True):
                trace.x, trace.y = list(marks.x), list(marks.y)
            self.figure.layout.xaxis.range, self.figure.layout.yaxis.range = list(now.across), list(now.up)

    def still(self) -> bytes:
        """Draw the picture as PNG: the names of the marks stand at the right."""
        now = self.now

        def draw(pen):
            pen.text(8, 14, now.said, 12, anchor="lm")
            axes = Axes(pen, (8, 30, 620, 300), now.across, now.up, *now.labels)
            for marks in now.marks:
                if marks.kind == "line":
                    axes.line(marks.x, marks.y, marks.color, 1.5)
                    continue
                wide = 0.8 * (axes.X(marks.x[1]) - axes.X(marks.x[0])) if marks.kind == "bars" else 0
                for x, y in zip(marks.x, marks.y, strict=True):
                    if marks.kind == "dots":
                        pen.dot(axes.X(x), axes.Y(y), 4.5, marks.color)
                    elif y > 0:
                        pen.box(axes.X(x) - wide / 2, axes.Y(y), wide, axes.Y(0) - axes.Y(y), marks.color)
            for n, marks in enumerate(now.marks):
                pen.box(636, 46 + 22 * n, 14, 8, marks.color)
                pen.text(658, 50 + 22 * n, marks.name, 11, DIM, "lm")

        return drawn(860, 340, draw)


def slider(description: str, value: float, low: float, high: float, step: float = 1):
    """Return a slider: of whole numbers where ``step`` is one."""
    kind = widgets.IntSlider if isinstance(step, int) else widgets.FloatSlider
    wide = {"layout": {"width": "460px"}, "style": {"description_width": "170px"}}
    return kind(value, min=low, max=high, step=step, description=description, **wide)


# ------------------------------------------------------------------------------------------------ Kendall's τ
def agreement(noise: float) -> Picture:
    """Show twelve architectures: their true accuracy, and an estimate that is off by some points (standard deviation).

    Lines join the pairs that the estimate puts in the wrong order.
    """
    rng = np.random.default_rng(3)
    true, off = 70 + np.sort(12 * rng.random(12)), rng.normal(size=12)
    estimate = true + noise * off
    pairs = list(combinations(range(12), 2))
    wrong = [(a, b) for a, b in pairs if estimate[a] > estimate[b]]
    said = (
        f"{len(pairs)} pairs: {len(pairs) - len(wrong)} in the right order, {len(wrong)} in the wrong order. "
        f"τ = ({len(pairs) - len(wrong)} − {len(wrong)}) / {len(pairs)} = {tau(estimate, true):.2f}"
    )
    x, y = ([value for a, b in wrong for value in (v[a], v[b], nan)] for v in (true, estimate))
    return Picture(
        said,
        (
            Marks("line", "a pair in the wrong order", MAGENTA, x or [nan], y or [nan]),
            Marks("dots", "an architecture", BLUE, true.tolist(), estimate.tolist()),
        ),
        (69, 83),
        (58, 94),
        ("true accuracy, %", "estimated accuracy, %"),
    )


# ------------------------------------------------------------------------------------------------ the bootstrap
def resampled(seeds: float) -> Picture:
    """Show the means of 999 resamples of the differences on some seeds, and the interval that holds 95 % of them.

    The differences are drawn from a normal distribution with mean 0.3 and standard deviation 0.6 points.
    """
    seeds = int(seeds)
    rng, again = np.random.default_rng(9), np.random.default_rng(0)
    differences = rng.normal(BETTER, 0.6, 100)[:seeds]
    means = differences[again.integers(seeds, size=(999, seeds))].mean(1)
    mean, low, high = mean_band(differences)
    counts, edges = np.histogram(means, bins=60, range=(-0.7, 1.3))
    top = 1.1 * float(counts.max())
    said = f"{seeds} seeds: mean {mean:.2f} points, 95 % interval {low:.2f} to {high:.2f}"
    middles = (edges[:-1] + edges[1:]) / 2
    return Picture(
        said,
        (
            Marks("bars", "means of resamples", GREY, middles.tolist(), counts.tolist()),
            Marks("line", "ends of the interval", MAGENTA, [low, low, nan, high, high], [0, top, nan, 0, top]),
            Marks("line", "the truth, 0.3", TEAL, [BETTER, BETTER], [0, top]),
        ),
        (-0.7, 1.3),
        (0, top),
        ("mean difference, points", "resamples"),
    )


# ------------------------------------------------------------------------------------------------ paired tests
def pairs(shared: float) -> Picture:
    """Show two searches on the same seeds, whose luck has a part that both share: standard deviation ``shared`` points.

    The second search is 0.3 points better; each has luck of its own, 0.3 points.
    """
    rng = np.random.default_rng(11)
    common, own = rng.normal(size=SEEDS), rng.normal(0, 0.3, (2, SEEDS))
    first, second = 80 + shared * common + own[0], 80 + BETTER + shared * common + own[1]
    _, low, high = mean_band(second - first)
    alone = 1.96 * float(np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / SEEDS))
    mean = float((second - first).mean())
    p = paired_permutation(second, first)
    said = (
        f"Paired: {mean:.2f} points, {low:.2f} to {high:.2f}, p {f'= {p:.3f}' if p >= 0.001 else '< 0.001'}. "
        f"As if not paired: {mean - alone:.2f} to {mean + alone:.2f}"
    )
    x, y = ([value for a, b in zip(*ends, strict=True) for value in (a, b, nan)] for ends in (
        ([0.0] * SEEDS, [1.0] * SEEDS), (first, second)
    ))  # fmt: skip
    return Picture(
        said,
        (
            Marks("line", "one seed", GREY, x, y),
            Marks("dots", "first search", BLUE, [0.0] * SEEDS, first.tolist()),
            Marks("dots", "second search", MAGENTA, [1.0] * SEEDS, second.tolist()),
        ),
        (-0.5, 1.5),
        (74, 86),
        ("first search (0) and second search (1)", "accuracy, %"),
    )


# ------------------------------------------------------------------------------------------------ several comparisons
def several(count: float) -> Picture:
    """Show how often one of ``count`` comparisons of equal searches has p < 0.05, before and after correction."""
    plain, corrected = found()
    count = int(count)
    here = [plain[count - 1], corrected[count - 1]]
    said = (
        f"{count} comparison{'s' * (count > 1)} of equal searches, {REPEATS:,} times: at least one p < 0.05 in "
        f"{here[0]:.0f} % of the repetitions; after Holm's correction in {here[1]:.0f} %"
    )
    numbers = list(range(1, MOST + 1))
    return Picture(
        said,
        (
            Marks("line", "not corrected", MAGENTA, numbers, plain),
            Marks("line", "after Holm", TEAL, numbers, corrected),
            Marks("dots", "the slider's number", BLUE, [count, count], here),
        ),
        (0, MOST + 1),
        (0, 70),
        ("comparisons", "repetitions with a false discovery, %"),
    )


@lru_cache
def found() -> tuple[list[float], list[float]]:
    """Return how often the smallest of 1 to 20 p-values of equal searches is below 0.05: %, not corrected and by Holm.

    Where two searches are equal, a p-value is as likely anywhere from 0 to 1.
    """
    rng = np.random.default_rng(8)
    p = rng.random((REPEATS, MOST))
    counts = range(1, MOST + 1)
    plain = [100 * float((p[:, :m].min(1) < 0.05).mean()) for m in counts]
    return plain, [100 * float(np.mean([holm(row[:m]).min() < 0.05 for row in p])) for m in counts]


def show(name: str) -> Moving:
    """Return the picture of a refresher with its slider: ``tau``, ``bootstrap``, ``paired`` or ``several``."""
    made = {
        "tau": (agreement, slider("noise, points", 2.0, 0.0, 10.0, 0.5)),
        "bootstrap": (resampled, slider("seeds", 10, 3, 100)),
        "paired": (pairs, slider("shared luck, points", 1.0, 0.0, 2.0, 0.1)),
        "several": (several, slider("comparisons", 5, 1, MOST)),
    }
    if name not in made:
        raise ValueError(f"there is no refresher {name!r}; there are {', '.join(made)}")
    return Moving(cast("Callable[[float], Picture]", made[name][0]), made[name][1])
