"""Lab 02: estimators judged on one sample of cells, beside counting and beside one training of each cell."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np

from ..analysis.stats import Interval, tau, tau_difference
from ..analysis.stats import mean_of as mean_of  # the lab reports with it
from ..course import as_table
from ..datasets import Dataset
from ..estimators import Baselines, ForestPredictor, TableLookup, Training, nasbench201_table, proxy_cost, proxy_recipe
from ..estimators.quality import Quality, quality
from ..estimators.table import Table
from ..paths import data_dir
from ..ranges import check_number
from ..space import Arch
from ..spaces import NasBench201
from ..step import Evaluation

T = TypeVar("T")
RECORD = "lab02-proxies.npz"
SEEDS = range(3)  # of the table
EPOCHS = 8
STRANGERS = 1000  # cells that a predictor is asked about
SIMILAR = 50  # places in the order of the means within which deviations are taken to be alike


# ------------------------------------------------------------------------------------------ the judge
@dataclass
class Judge:
    """A judge of estimators: each ranks the same cells, and the test accuracy of other trainings says who is right.

    Parameters
    ----------
    archs : list of n Arch
    size : array of shape (n,)
        Nine times the number of 3×3 convolutions plus the number of 1×1 convolutions.
    trained, truths : list of arrays of shape (n,)
        For each seed of the table: the validation accuracy of that training, and the mean test accuracy of the others.

    Attributes
    ----------
    found : dict from str to Quality
        What was judged, by the truth of seed 0.
    answers : dict from str to array of shape (n,)
        What each estimator said.
    """

    archs: list[Arch]
    size: np.ndarray
    trained: list[np.ndarray]
    truths: list[np.ndarray]
    found: dict[str, Quality] = field(default_factory=dict)
    answers: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Judge:
        """Return the judge of the hundred cells for which cheaper trainings were recorded."""
        table, count = nasbench201_table(), Baselines(NasBench201())
        archs = [arch for arch in Table.load(data_dir() / RECORD).archs if arch in table]
        rows = table.rows(archs)
        return cls(
            archs,
            np.array([count(arch).scores["size"] for arch in archs]),
            [table.column("accuracy", seed)[rows] for seed in SEEDS],
            [table.truth(seed)[rows] for seed in SEEDS],
        )

    @property
    def typical(self) -> Arch:
        """The cell of middling size: its training gives the price in seconds."""
        return self.archs[np.argsort(self.size, kind="stable")[len(self.size) // 2]]

    def __call__(self, name: str, answers, seconds: float) -> Quality:
        """Judge answers, array of shape (n,), that cost so many seconds a cell."""
        self.answers[name] = np.asarray(answers, float)
        first = next(iter(self.found.values()), None)  # its baselines are those of all: once
        ceiling = None if first else self.trained[0]
        one = quality(answers, self.truths[0], cost=seconds, size=self.size, ceiling=ceiling, name=name, top=0.1)
        self.found[name] = replace(one, baselines=first.baselines) if first else one
        return self.found[name]

    def less(self, first: str, second: str) -> list[Interval]:
        """Return τ of one estimator less τ of another on the same cells, for each seed's truth; "size" is counting."""
        x, y = (self.size if name == "size" else self.answers[name] for name in (first, second))
        return [tau_difference(x, y, truth) for truth in self.truths]

    def tau(self, name: str) -> float:
        """Return τ of what was judged; "counting" is by size."""
        return (self._counting if name == "counting" else self.found[name]).tau.value

    def table(self, *names: str):
        """Return what was judged as a table to display, counting in the last line."""
        lines = [(one.name, f"{one.seconds:.2g}", one.tau, one.within) for one in (self.found[name] for name in names)]
        counting = ("*counting*", "0", self._counting.tau, self._counting.within)
        return as_table(["estimator", "s each", "τ", "τ, equal size"], [*lines, counting])

    @property
    def _counting(self) -> Quality:
        return next(iter(self.found.values())).baselines["size"]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what a function returns, and the seconds of computing that it took in this process."""
    start = time.process_time()  # the clock on the wall counts what else the machine does
    return work(), time.process_time() - start


# ------------------------------------------------------------------------------------------ proxies and curves
def proxies(judge: Judge, savings: Mapping[str, Mapping[str, int]], price: float, data: str | Dataset = "fashion16"):
    """Judge recorded proxy trainings and return a table to display: their share of the work and of the seconds.

    Parameters
    ----------
    judge : Judge
    savings : mapping
        What each proxy reduces, by its name in the record: ``{"2 epochs": {"epochs": 2}}``.
    price : float
        Seconds of a full training of ``judge.typical``, which is trained here once by each proxy.
    data : str or Dataset
        Images that are averaged down to each proxy's size.
    """
    recorded, space, lines = Table.load(data_dir() / RECORD), NasBench201(), []
    for name, less in savings.items():
        recipe = proxy_recipe(**less)
        _, seconds = timed(partial(Training(space, recipe, data), judge.typical, seed=100))
        work = proxy_cost(space, recipe, [judge.typical], dataset=data)
        one = judge(name, recorded.column(name)[recorded.rows(judge.archs)], seconds)
        lines.append((name, f"{work:.1%}", f"{seconds / price:.0%}", one.tau, one.within))
    return as_table(["proxy", "of the work", "of the seconds", "τ", "τ, equal size"], lines)


def by_epoch(table: Table) -> np.ndarray:
    """Return τ of the accuracy after each epoch with the truth of the other seeds: array (seeds, epochs), all cells."""
    return np.array(
        [
            [tau(table.column(f"accuracy@{epoch}", seed), table.truth(seed)) for epoch in range(1, EPOCHS + 1)]
            for seed in SEEDS
        ]
    )


def by_counting(table: Table) -> np.ndarray:
    """Return τ of counting convolutions with the truth of each seed: array (seeds,), all cells."""
    count = Baselines(table.space)
    size = [count(arch).scores["size"] for arch in table.archs]
    return np.array([tau(size, table.truth(seed)) for seed in SEEDS])


def gains(early: int, late: int, cells: int = 200, samples: int = 30) -> np.ndarray:
    """Return what training longer gains among cells of equal size: τ after ``late`` epochs less τ after ``early``.

    Each sample draws other cells at random. Only pairs of cells with equal counts of convolutions are compared. The
    accuracies are those of one seed, in turn; the test accuracy of the other seeds judges.

    Parameters
    ----------
    early, late : int
        Epochs, 1 to 8.
    cells : int
        Cells of a sample, from 50.

    Returns
    -------
    array of shape (samples,)
    """
    for name, epoch in (("early", early), ("late", late)):
        check_number(name, epoch, 1, EPOCHS)
    table = nasbench201_table()
    check_number("cells", cells, 50, len(table.archs))
    count, found = Baselines(table.space), []
    for sample in range(samples):
        seed = sample % len(SEEDS)
        rng = np.random.default_rng([sample, 2])
        rows = rng.choice(len(table.archs), cells, replace=False)
        sizes = np.array([count(table.archs[row]).scores["size"] for row in rows])
        one, other = (
            tau(table.column(f"accuracy@{epoch}", seed)[rows], table.truth(seed)[rows], sizes)
            for epoch in (late, early)
        )
        found.append(one - other)
    return np.array(found)


# ------------------------------------------------------------------------------------------ learning from trainings
def forests(amounts: Sequence[int], draws: int = 3) -> dict[int, list[Interval]]:
    """Return how much better forests rank a thousand other cells than one training of each of those does.

    Parameters
    ----------
    amounts : sequence of int
        From how many trained cells a forest learns.
    draws : int
        Random choices of the trained cells and of those asked about.

    Returns
    -------
    dict
        For each amount, τ of the forest less τ of one training, an interval for each draw.
    """
    table = nasbench201_table()
    look, truth = TableLookup(table), table.truth(0)
    found: dict[int, list[Interval]] = {amount: [] for amount in amounts}
    for amount in amounts:
        for draw in range(draws):
            rng = np.random.default_rng(draw)  # the same cells for each amount, and more of them
            order = rng.permutation(len(table.archs))
            forest, asked = ForestPredictor(table.space, encoding="weisfeiler-lehman"), order[-STRANGERS:]
            forest.fit([look(table.archs[row]) for row in order[:amount]])
            said, _ = forest.predict([table.archs[row] for row in asked])
            found[amount].append(tau_difference(said, table.column("accuracy")[asked], truth[asked], resamples=200))
    return found


def strangers(judge: Judge, amount: int, seed: int = 0) -> list[Evaluation]:
    """Return evaluations of cells that are not in the judge's sample, read from the table, drawn by ``seed``."""
    table, known = nasbench201_table(), set(judge.archs)
    look, rng = TableLookup(table), np.random.default_rng(seed)
    others = (table.archs[row] for row in rng.permutation(len(table.archs)))
    return [look(arch) for arch in islice((arch for arch in others if arch not in known), amount)]


def limit(scores, judges: int = 2, seed: int = 0) -> tuple[float, float]:
    """Simulate which τ one training reaches, and which τ the exact mean of each architecture would reach.

    The simulated means are the measured means, drawn together until their variance is that of the means without noise.
    A simulated training adds a deviation that was measured on an architecture of similar mean. The mean of ``judges``
    simulated trainings is the truth.

    Parameters
    ----------
    scores : array of shape (n, seeds)
        Scores of at least two seeds; nan where a training is missing.

    Returns
    -------
    (float, float)
        τ of one more training with this truth, and τ of the exact means with it.
    """
    scores, rng = np.asarray(scores, float), np.random.default_rng([seed, 5])
    there = (~np.isnan(scores)).sum(1)
    scores, there = scores[there > 1], there[there > 1]
    order = np.argsort(np.nanmean(scores, axis=1), kind="stable")
    scores, there = scores[order], there[order]
    means = np.nanmean(scores, axis=1)
    deviations = (scores - means[:, None]) * np.sqrt(there / (there - 1))[:, None]
    noise = np.nanmean(deviations**2, axis=1)
    kept = 1 - (noise / there).mean() / means.var()
    exact = means.mean() + np.sqrt(max(0, kept)) * (means - means.mean())
    place = np.argsort(np.isnan(deviations), axis=1, kind="stable")
    deviations = np.take_along_axis(deviations, place, axis=1)  # those that are there come first

    def training() -> np.ndarray:
        near = np.arange(len(exact)) + rng.integers(-SIMILAR, SIMILAR + 1, len(exact))
        near = near.clip(0, len(exact) - 1)
        return exact + deviations[near, rng.integers(there[near])]

    truth = np.mean([training() for _ in range(judges)], axis=0)
    return tau(training(), truth), tau(exact, truth)
