"""Lab 00: many searches on the table, what their winners are worth, and how far cells of several runs agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from IPython.display import Markdown

from ..analysis.stats import mean_band
from ..course import as_table
from ..estimators import TableLookup, nasbench201_table
from ..estimators.table import Table
from ..objectives import Bounded
from ..step import Evaluation
from ..strategies import RandomSearch, RegularizedEvolution

LIMIT = 200_000  # multiplications an image: the bound of the lab


def searches(strategy: Callable, table: Table, seeds: int, **settings) -> list[list[Evaluation]]:
    """Run a search on a table from seeds 0, 1, …: the evaluations of each, in their order.

    ``settings`` are those of the strategy: ``evaluations``, ``objective``, ``population``, ….
    """
    estimate = TableLookup(table)
    runs = (strategy(table.space, estimate, **settings, seed=seed) for seed in range(seeds))
    return [[step.evaluation for step in run] for run in runs]


def second_half(runs: Sequence[Sequence[Evaluation]]) -> np.ndarray:
    """Average the reported accuracies of each run's second half: array (runs,), in percent."""
    return np.array([100 * np.mean([e.scores["accuracy"] for e in run[len(run) // 2 :]]) for run in runs])


def winners(runs: Sequence[Sequence[Evaluation]], objective: Callable, table: Table) -> np.ndarray:
    """Judge each run's winner: its test accuracy in trainings that the search did not see, (runs,), in percent."""
    found = [max(run, key=objective) for run in runs]
    return np.array([100 * table.judge(e.arch, e.seed) for e in found])


def evolution_less_random(
    trainings: int, population: int, seeds: int, limit: float = LIMIT
) -> tuple[float, tuple[float, float]]:
    """Compare the winners of evolution and of random search on the table, at equal numbers of trainings.

    Parameters
    ----------
    trainings, population, seeds : int
        Trainings of each search; evolution's population, of which 3 take part in a tournament (fewer, if it is
        smaller); searches of each kind.
    limit : float
        The bound on multiplications an image.

    Returns
    -------
    (float, (float, float))
        Mean difference in test accuracy, in points, and its 95 % interval; above 0, evolution's winners are better.
    """
    table, bounded = nasbench201_table(), Bounded("madds", limit)
    told = {"evaluations": trainings, "objective": bounded}
    drawn = searches(RandomSearch, table, seeds, **told)
    evolved = searches(RegularizedEvolution, table, seeds, population=population, tournament=min(3, population), **told)
    mean, low, high = mean_band(winners(evolved, bounded, table) - winners(drawn, bounded, table)).tolist()
    return mean, (low, high)


def judged(found: Mapping[str, Evaluation], table: Table) -> dict[str, np.ndarray]:
    """Look up test accuracies of winners in the first two full trainings of each: arrays (2,), in percent."""
    rows = table.rows([one.arch for one in found.values()])
    return {name: 100 * table.columns["test_accuracy"][row, :2] for name, row in zip(found, rows, strict=True)}


def reported_and_judged(found: Mapping[str, Evaluation], by: Mapping[str, np.ndarray]) -> Markdown:
    """Show what the search reported of each winner beside the two numbers of `judged`."""
    lines = [
        [name, f"{100 * one.scores['accuracy']:.1f} %", *(f"{value:.1f} %" for value in by[name])]
        for name, one in found.items()
    ]
    return as_table(["cell of", "reported", "judged, first training", "judged, second"], lines)


def agreement(cells: Sequence[Sequence[int]]) -> list[int]:
    """Count the equal choices of each pair of architectures, in the order of `itertools.combinations`."""
    return [sum(a == b for a, b in zip(*pair, strict=True)) for pair in combinations(cells, 2)]
