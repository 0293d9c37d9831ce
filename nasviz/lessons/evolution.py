"""Lab 04: what searches return in truth, who descends from whom, a world with fresh noise, and three rivals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import lcm
from pathlib import Path
from typing import cast

import numpy as np

from ..analysis.stats import Interval, mean_band, mean_of, seed_noise
from ..course import as_table
from ..estimator import Estimator
from ..estimators import TableLookup, nasbench201_table
from ..estimators.known import KnownSpace
from ..estimators.table import Table
from ..objectives import Bounded
from ..paths import data_dir
from ..ranges import check_number
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategies import RegularizedEvolution
from ..views import cell
from ..views.charts.chart import Chart, drawn, figure, live, stroke
from ..views.colors import strategy
from ..views.raster import Axes, mixed

LIMIT = 200_000  # multiply-adds of a cell
UNIT = 20_000  # accuracies in the record are counted in 1/20,000: exact for the mean of two tests of 10,000 images
RECORD = "lab04-rivals.npz"


def cheap(table: Table, limit: float = LIMIT) -> KnownSpace:
    """Return the cells of at most ``limit`` multiply-adds: this cost is known before any training."""
    return table.known(Bounded("madds", limit))


# ------------------------------------------------------------------------------------------ what a search finds
Judge = Callable[[Sequence[Evaluation]], np.ndarray]


def shift(space: KnownSpace) -> float:
    """Return how much easier the test images are than the validation images: points, mean over the cells of a space."""
    table = cast(Table, space.table)
    _, rows = table.members()
    rows = rows[[space.rule(table.archs[row]) is None for row in rows]]
    return 100 * float((table.column("test_accuracy", None) - table.column("accuracy", None))[rows].mean())


def judge_of(space: KnownSpace) -> Judge:
    """Return the function that judges evaluations by what their search could not see: float array (n,), in %.

    It takes the test accuracy of the *other* trainings of the same cell (`Table.truth`), less the `shift` of the
    images. A report that owes nothing to luck is thus equal to its judgement, on average.
    """
    table = cast(Table, space.table)
    turns = lcm(*np.unique(table.there.sum(1)).tolist())
    judged = 100 * np.stack([table.truth(seed) for seed in range(turns)]) - shift(space)

    def judge(evaluations: Sequence[Evaluation]) -> np.ndarray:
        rows = table.rows([one.arch for one in evaluations])
        return judged[[one.seed % turns for one in evaluations], rows]

    return judge


@dataclass(frozen=True)
class Outcome:
    """What searches found, in %: float arrays of shape (searches,).

    Attributes
    ----------
    bred : array
        True accuracy of the last hundred cells, their mean.
    returned, reported : array
        True accuracy, and reported accuracy, of the cell with the best report.
    luck : array
        Reported less true accuracy of the population that lives at the end, in points; of a search without a
        population, of its last hundred.
    """

    bred: np.ndarray
    returned: np.ndarray
    reported: np.ndarray
    luck: np.ndarray


def outcomes(searches: Iterable[Iterable[Step]], judge: Judge) -> Outcome:
    """Run searches and judge what they found; ``judge`` returns the true accuracies of evaluations, in %."""
    return Outcome(*np.transpose([_outcome(list(search), judge) for search in searches]))


def _outcome(steps: Sequence[Step], judge: Judge) -> tuple[float, ...]:
    evaluations = [cast(Evaluation, step.evaluation) for step in steps]  # these searches evaluate at each step
    reported = np.array([100 * one.scores["accuracy"] for one in evaluations])
    true = judge(evaluations)
    last = np.arange(len(steps))[-100:]
    alive, best = steps[-1].shows.get("population", last), reported.argmax()
    return true[last].mean(), true[best], reported[best], (reported - true)[alive].mean()


def difference(first, second) -> Interval:
    """Return the mean difference of pairs, ``first`` less ``second``, with its 95 % bootstrap interval.

    The arrays have shape (n,), one entry a seed; at least three seeds make an interval.
    """
    return mean_of(np.asarray(first) - np.asarray(second))


def gains(population: int, tournament: int, seeds: int = 30) -> np.ndarray:
    """Return what a population and a tournament gain over P = 50 and S = 10: float array (seeds,), points.

    Each search has 300 evaluations. The gain of a seed is the true accuracy of the returned cell less that of the other
    search with this seed. ValueError for sizes below 1.
    """
    check_number("population", population, 1)
    check_number("tournament", tournament, 1)
    return _returned(population, tournament, seeds) - _returned(50, 10, seeds)


@lru_cache(maxsize=16)
def _returned(population: int, tournament: int, seeds: int) -> np.ndarray:
    """Return the true accuracies of what evolutions return, in %: float array (seeds,)."""
    table = nasbench201_table()
    space, estimate = cheap(table), TableLookup(table)
    searches = (RegularizedEvolution(space, estimate, population, tournament, 300, seed=seed) for seed in range(seeds))
    return outcomes(searches, judge_of(space)).returned


# ------------------------------------------------------------------------------------------ who descends from whom
def families(steps: Sequence[Step]) -> list[int]:
    """Return from how many founders the living descend, after each step of an evolution."""
    founder: dict[int, int] = {}
    for number, step in enumerate(steps):
        founder[number] = founder.get(step.shows["parent"], number)
    return [len({founder[one] for one in step.shows["population"].tolist()}) for step in steps]


def ancestors(steps: Sequence[Step], number: int) -> list[int]:
    """Return the numbers of an individual's ancestors, its parent first, its founder last."""
    line = []
    while (number := steps[number].shows["parent"]) >= 0:
        line.append(number)
    return line


def roll(people: Sequence[Evaluation], space: SearchSpace):
    """Return a population as a table to display: number, operations, accuracy. The oldest comes first."""
    short = cell.labels(space.choices[0])
    lines = [
        (f"#{one.seed}: " + ", ".join(short[option] for option in one.arch), f"{100 * one.scores['accuracy']:.2f} %")
        for one in people
    ]
    return as_table(["number: edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3", "accuracy"], lines)


# ------------------------------------------------------------------------------------------ a world of fresh noise
class Simulated(Estimator):
    """Trainings that are simulated: the mean accuracy of a cell in the table, and normal noise of the measured size.

    Parameters
    ----------
    table : Table
    fresh : bool
        True draws new noise at each training. False draws it once for each cell and repeats it.
    seed : int
        Seed of the noise.
    """

    def __init__(self, table: Table, fresh: bool, seed: int):
        self.table, self.fresh, self.means = table, fresh, table.column("accuracy", None)
        self.noise, self.rng = seed_noise(table.columns["accuracy"]), np.random.default_rng([seed, 4])
        self.once = self.rng.normal(0, self.noise, len(self.means))

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Simulate one training."""
        row = self.table.row(arch)
        noise = self.rng.normal(0, self.noise) if self.fresh else self.once[row]
        return Evaluation(tuple(arch), {"accuracy": float(self.means[row] + noise)}, seed=seed)

    def judge(self, evaluations: Sequence[Evaluation]) -> np.ndarray:
        """Return the accuracies without noise, in %: float array (n,)."""
        return 100 * self.means[self.table.rows([one.arch for one in evaluations])]


def simulated(space: KnownSpace, fresh: bool, aging: bool, seeds: int = 40, evaluations: int = 300) -> Outcome:
    """Return what evolution (P = 50, S = 10) finds where trainings are `Simulated`, one simulation a seed."""
    found = []
    for seed in range(seeds):
        world = Simulated(cast(Table, space.table), fresh, seed)
        steps = list(RegularizedEvolution(space, world, 50, 10, evaluations, aging, seed=seed))
        found.append(_outcome(steps, world.judge))
    return Outcome(*np.transpose(found))


# ------------------------------------------------------------------------------------------ three rivals
@dataclass(frozen=True)
class Rivals:
    """Recorded searches of equal budgets, in %: arrays of shape (searches, evaluations) by strategy.

    Attributes
    ----------
    reported, true : mapping from str to array
        What each evaluation reported, and what the other trainings say of its cell (see `judge_of`).
    tried : mapping from str to mapping from str to float
        By strategy: each setting that was tried on other seeds, and the mean of all its reports there, in %. The
        setting with the greatest mean was recorded.
    """

    reported: dict[str, np.ndarray]
    true: dict[str, np.ndarray]
    tried: dict[str, dict[str, float]]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Rivals:
        """Read what ``data/scripts/record_lab04.py`` wrote."""
        with np.load(path or data_dir() / RECORD, allow_pickle=False) as file:
            names = file["names"].tolist()
            reported, true = (100 * file[key].astype(float) / UNIT for key in ("reported", "true"))
            tried: dict[str, dict[str, float]] = {name: {} for name in names}
            for said, mean in zip(file["tried"].tolist(), file["means"].tolist(), strict=True):
                name, _, setting = said.partition(": ")
                tried[name][setting] = 100 * mean
        return cls(dict(zip(names, reported, strict=True)), dict(zip(names, true, strict=True)), tried)

    def returned(self, name: str) -> np.ndarray:
        """Return the true accuracy of the cell with the best report: array (searches,)."""
        best = self.reported[name].argmax(1)
        return self.true[name][np.arange(len(best)), best]

    def during(self, name: str, start: int, stop: int) -> np.ndarray:
        """Return the mean true accuracy of the evaluations from ``start`` up to ``stop``: array (searches,)."""
        return self.true[name][:, start:stop].mean(1)

    def less(self, first: str, second: str) -> dict[str, Interval]:
        """Return the true accuracy of ``first`` less that of ``second`` on paired seeds, in points.

        Of the first hundred evaluations, of the last hundred, and of what is returned.
        """
        count = self.true[first].shape[1]
        parts = {"first hundred": (0, 100), "last hundred": (max(0, count - 100), count)}
        found = {part: difference(self.during(first, *at), self.during(second, *at)) for part, at in parts.items()}
        return found | {"returned": difference(self.returned(first), self.returned(second))}


class Courses(Chart):
    """A chart of curves with bands: the true accuracy of what each strategy evaluates, in blocks of evaluations.

    Parameters
    ----------
    rivals : Rivals
    block : int
        Evaluations that are averaged; each point stands at the middle of its block. Bands: 95 % of the mean.
    """

    def __init__(self, rivals: Rivals, block: int = 25):
        self.bands = {name: mean_band(_blocks(true, block)) for name, true in rivals.true.items()}
        count = len(next(iter(self.bands.values()))[0])
        self.at = (np.arange(count) + 0.5) * block
        seeds = len(next(iter(rivals.true.values())))
        ends = ", ".join(f"{name} {band[0, -1]:.2f} %" for name, band in self.bands.items())
        self.text = f"True accuracy of what is evaluated, mean of {seeds} seeds; the last {block} evaluations: {ends}"
        chart = figure(height=380, xaxis={"title": "evaluations"}, yaxis={"title": "true accuracy, %"})
        for name, (mean, low, high) in self.bands.items():
            look = strategy(name)
            edge = {"x": self.at, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            chart.add_scatter(y=low, **edge)
            r, g, b = (int(look.color[i : i + 2], 16) for i in (1, 3, 5))
            chart.add_scatter(y=high, fill="tonexty", fillcolor=f"rgba({r},{g},{b},.16)", **edge)
            line = {"color": look.color, "width": 2, "dash": stroke(look.dash)}
            chart.add_scatter(x=self.at, y=mean, mode="lines", line=line, name=look.label)
        super().__init__([live(chart)])

    def still(self) -> bytes:
        """Draw the curves as PNG, their names at the right."""

        def draw(pen):
            ends = [edge for band in self.bands.values() for edge in (band[1].min(), band[2].max())]
            axes = Axes(pen, (8, 8, 640, 340), (0, self.at[-1] + self.at[0]), (min(ends), max(ends)),
                        "evaluations", "true accuracy, %")  # fmt: skip
            for name, (_, low, high) in self.bands.items():
                edge = [*zip(self.at, high, strict=True), *list(zip(self.at, low, strict=True))[::-1]]
                pen.area([(axes.X(x), axes.Y(y)) for x, y in edge], mixed(strategy(name).color, 0.16))
            for n, (name, band) in enumerate(self.bands.items()):
                look = strategy(name)
                axes.line(self.at, band[0], look.color, 2, look.dash)
                pen.line([(660, 40 + 22 * n), (690, 40 + 22 * n)], look.color, 2.5, look.dash)
                pen.text(698, 40 + 22 * n, look.label, 12, anchor="lm")

        return drawn(860, 350, draw)


def _blocks(values: np.ndarray, block: int) -> np.ndarray:
    """Return the means of whole blocks of the last axis."""
    count = values.shape[1] // block
    return values[:, : count * block].reshape(len(values), count, block).mean(2)
