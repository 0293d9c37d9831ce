"""Lab 12: two bills of one search, factor by factor; searches beside a designer's rule; spaces; cells of one size.

All searches look results up in `nasviz.estimators.nasbench201_table`. They see validation accuracies of one seed; the
test accuracy of the other seeds judges them. The bound is `LIMIT` multiply-adds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from math import nan

import numpy as np

from ..analysis import cost
from ..estimators import Table, TableLookup, nasbench201_table
from ..objectives import Bounded
from ..paths import labs_dir
from ..run import Run
from ..step import Evaluation
from ..strategies import LocalSearch, RandomSearch, RegularizedEvolution

LIMIT = 200_000  # multiply-adds of an allowed cell
SEARCHES: dict[str, Callable] = {
    "random search": RandomSearch,
    "evolution": lambda *args, **more: RegularizedEvolution(*args, population=5, tournament=3, **more),
    "local search": LocalSearch,
}


# ------------------------------------------------------------------------------------------------------------ the bill
def factors() -> dict[str, float]:
    """Return by what the first bill of the Evolved Transformer's search exceeds the second, factor by factor.

    The factors multiply to the ratio of the two bills. Steps of the search cost less than was assumed for two reasons
    (Patterson et al. 2021, appendix C): the model was smaller, and so was the batch. The device was another one, with
    another power, in another data centre on another grid (their appendix D).
    """
    first, second = cost.HEADLINES[:2]
    batch = 32_768 / 4_096  # words of a batch: assumed, and used
    return {
        "a smaller model in the search": first.days * 24 / cost.PROXY_HOURS / batch,
        "a smaller batch in the search": batch,
        "TPU v2 in place of P100: hours": cost.PROXY_HOURS / 24 / second.days,
        "TPU v2 in place of P100: watts": first.assume.watts / second.assume.watts,
        "the data centre (PUE)": first.assume.pue / second.assume.pue,
        "the grid": first.assume.intensity / second.assume.intensity,
    }


def seconds_of_labs() -> dict[str, float]:
    """Read the seconds that each lab of this course computes, as its notebook states them."""
    books = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(labs_dir().glob("[01]*.ipynb"))}
    return {name: book["metadata"]["nasviz"]["seconds"] for name, book in books.items()}


# ------------------------------------------------------------------------------------------------------------- the bets
def allowed(table: Table) -> np.ndarray:
    """Mark the functions of a table within `LIMIT`: bool (rows,)."""
    return table.column("madds") <= LIMIT


def largest(table: Table) -> np.ndarray:
    """Mark the functions that the designer's rule allows: as many multiply-adds as `LIMIT` lets them: bool (rows,)."""
    madds = table.column("madds")
    return madds == madds[allowed(table)].max()


@cache
def leads(name: str, trainings: int, seeds: int = 20) -> np.ndarray:
    """Search from each seed, and return by how many points each find is better than the designer's rule, (seeds,).

    ``name`` is one of `SEARCHES`. Search number i sees the i-th training of each cell, counted round. The same other
    trainings judge its find and the rule, whose accuracy is the mean over all cells that it allows. nan where a search
    found no cell within `LIMIT`.
    """
    table = nasbench201_table()
    known, rule = table.known(), largest(table)
    found = np.full(seeds, nan)
    for seed in range(seeds):
        settings = {"evaluations": trainings, "objective": Bounded("madds", LIMIT), "seed": seed}
        best = _best(SEARCHES[name](known, TableLookup(table, seed=seed), **settings))
        if best.scores["madds"] <= LIMIT:
            found[seed] = 100 * (table.judge(best.arch, seed) - table.truth(seed)[rule].mean())
    return found


def finds(seen: np.ndarray, truth: np.ndarray, inside: np.ndarray, trainings: int, repeats: int = 2000) -> np.ndarray:
    """Search ``repeats`` times at random among the rows ``inside``, and return the truth of each find, (repeats,).

    A search draws different rows, ``trainings`` of them, and keeps the one with the highest ``seen``. ValueError if
    there are fewer rows.
    """
    rows = np.flatnonzero(inside)
    if not 1 <= trainings <= len(rows):
        raise ValueError(f"a search among {len(rows)} cells can train 1 to {len(rows)} of them, not {trainings}")
    rng = np.random.default_rng(0)
    drawn = rng.random((repeats, len(rows))).argsort(1)[:, :trainings]
    return truth[rows[drawn[np.arange(repeats), seen[rows][drawn].argmax(1)]]]


def narrowed(table: Table) -> dict[str, np.ndarray]:
    """Mark three spaces within `LIMIT`: everything, an expert's, a beginner's: bool (rows,) each.

    The expert wants a 3×3 convolution and at most one zero; the beginner excludes the 3×3 convolution.
    """
    used = np.array(table.archs)
    convolutions, zeros, within = (used == 3).sum(1), (used == 0).sum(1), allowed(table)
    expert = within & (convolutions >= 1) & (zeros <= 1)
    return {"everything": within, "an expert's": expert, "a beginner's": within & (convolutions == 0)}


def of_one_size(table: Table) -> np.ndarray:
    """Return the rows of the most frequent number of multiply-adds within `LIMIT`."""
    madds = table.column("madds")
    values, many = np.unique(madds[allowed(table)], return_counts=True)
    return np.flatnonzero(madds == values[many.argmax()])


def spread_out(truth: np.ndarray, rows: np.ndarray, count: int = 4, seed: int = 2) -> np.ndarray:
    """Pick ``count`` rows evenly from the worst to the best, in random order."""
    ranked = rows[truth[rows].argsort()]
    picked = ranked[np.linspace(0, len(ranked) - 1, count).round().astype(int)]
    rng = np.random.default_rng(seed)
    return rng.permutation(picked)


def readers(table: Table) -> dict[str, np.ndarray]:
    """Return what can be read off a cell, and one training for comparison: a score for each row, higher is better."""
    used = np.array(table.archs)
    return {
        "3×3 convolutions, counted": (used == 3).sum(1),
        "poolings, counted (fewer is better)": -(used == 4).sum(1),
        "MAdds": table.column("madds"),
        "one training": table.column("accuracy", 0),
    }


def again(seeds: int, trainings: int) -> list[Evaluation]:
    """Run evolution from each seed, under the bound `LIMIT`, and return the best evaluation of each run."""
    table = nasbench201_table()
    known, found = table.known(), []
    for seed in range(seeds):
        settings = {"population": 8, "tournament": 3, "evaluations": trainings, "objective": Bounded("madds", LIMIT)}
        found.append(_best(RegularizedEvolution(known, TableLookup(table, seed=seed), seed=seed, **settings)))
    return found


def _best(strategy) -> Evaluation:
    """Run a strategy to its end, and return its best evaluation."""
    run = Run(strategy)
    for _ in run:
        pass
    if run.best is None:
        raise ValueError(f"{type(strategy).__name__} evaluated nothing: give it 1 or more evaluations")
    return run.best
