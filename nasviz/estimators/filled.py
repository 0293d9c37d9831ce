"""A table with nothing missing, for lessons on how searches behave: what was trained is kept, the rest is made up.

A search that walks from neighbour to neighbour needs the neighbours. While a ground truth is being made, few of them
are there; what stands in for them is a regression on those that are, plus noise of the measured size. As the table
grows there is less of it, and none in the end. What a search does on such a landscape says something about the search,
and about the landscape only as far as it is trained.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..space import Arch
from .table import Table

PENALTY = 1.0  # of the regression, for options counted as 0 and 1


def stand_in(table: Table, seeds: int = 8, seed: int = 0) -> Table:
    """``table`` with a row for each function of its space and a training for each seed.

    Parameters
    ----------
    table : Table
        Of a space with a method ``distinct``, which lists one architecture for each function; at least 20 rows, some
        with two seeds, with the columns "accuracy" and "test_accuracy". Costs ("madds", "parameters") must be sums over
        operations.
    seeds : int
        Trainings in each row, at least as many as the table's. Those beyond what was trained are made up.
    seed : int
        Of what is drawn.

    Returns
    -------
    Table
        ``about``: how many ``rows`` were ``trained``, and the two noises in units of accuracy: ``seed_noise``, from
        seed to seed, pooled over the trained rows, and ``misfit``, of the regression.

    Raises
    ------
    ValueError
        If the table does not suffice.

    Notes
    -----
    The mean of a missing row is a ridge regression on its options and on how often each operation occurs, plus a draw
    of the size of the leave-one-out error less the part that seed noise explains: without it the landscape would be
    smoother than the true one. A missing training is its row's mean plus a draw of the size of the seed noise (normal).
    """
    rng, space = np.random.default_rng(seed), table.space
    trained = np.isfinite(table.columns["accuracy"]) & table.there
    if len(table.archs) < 20 or trained.sum(1).max() < 2 or seeds < trained.shape[1]:
        raise ValueError(
            f"a stand-in needs 20 rows, some with two seeds, and seeds={seeds} no fewer than the table's: this table "
            f"has {table.coverage}"
        )
    archs: list[Arch] = sorted({*table.archs, *_missing(table)})
    place = {arch: row for row, arch in enumerate(archs)}
    mine = [place[arch] for arch in table.archs]
    columns, about = {}, {"rows": len(archs), "trained": len(mine)}
    features, drawn = _features(np.array(archs), len(space.choices[0].options)), rng.normal(size=len(archs))
    for name in ("accuracy", "test_accuracy"):
        known = np.where(trained, table.columns[name], np.nan)
        mean = np.nanmean(known, 1)
        noise = float(np.sqrt(np.nanvar(known[trained.sum(1) > 1], 1, ddof=1).mean()))
        fitted, error = _ridge(features, mine, mean)
        misfit = float(np.sqrt(max(0.0, error - noise**2 / trained.sum(1).mean())))
        middle = np.clip(fitted + misfit * drawn, mean.min(), mean.max() + noise)
        middle[mine] = mean
        columns[name] = middle[:, None] + noise * rng.normal(size=(len(archs), seeds))
        rows, ours = np.nonzero(trained)
        columns[name][np.array(mine)[rows], ours] = known[rows, ours]
        if name == "accuracy":
            about |= {"seed_noise": noise, "misfit": misfit}
    for name in ("madds", "parameters"):
        if name in table.columns:
            columns[name] = np.repeat(_sums(np.array(archs), mine, table.column(name), name)[:, None], seeds, 1)
    there = np.ones((len(archs), seeds), bool)
    spent = np.full(there.shape, float(np.nanmean(table.seconds)))
    digest = hashlib.sha256(f"{table.digest}, {seeds} seeds, drawn with {seed}".encode()).hexdigest()
    return Table(space, digest, tuple(archs), columns, there, spent, len(archs), about)


def _missing(table: Table) -> list[Arch]:
    return [arch for arch in table.space.distinct() if arch not in table]


def _features(archs: np.ndarray, options: int) -> np.ndarray:
    one_hot = np.eye(options)[archs].reshape(len(archs), -1)
    counts = np.stack([(archs == option).sum(1) for option in range(options)], 1)
    return np.concatenate([one_hot, counts**2 / archs.shape[1]], 1)


def _ridge(features: np.ndarray, rows: list[int], values: np.ndarray) -> tuple[np.ndarray, float]:
    """Predictions for all, and the mean square of the leave-one-out errors, of a ridge regression on some rows.

    Cells that compute next to nothing are far below the rest, and would bend it: it sees them no lower than five
    median distances under the median.
    """
    middle = np.median(values)
    values = np.maximum(values, middle - 5 * np.median(abs(values - middle)))
    x, center = features[rows], values.mean()
    weights = np.linalg.inv(x.T @ x + PENALTY * np.eye(x.shape[1])) @ x.T
    fit = weights @ (values - center)
    left_out = (values - center - x @ fit) / (1 - np.einsum("ij,ji->i", x, weights))
    return features @ fit + center, float((left_out**2).mean())


def _sums(archs: np.ndarray, rows: list[int], values: np.ndarray, name: str) -> np.ndarray:
    """A cost of all from the costs of some: so much for each operation."""
    options = np.arange(archs.max() + 1)
    counts = np.concatenate([np.ones((len(archs), 1)), (archs[:, :, None] == options).sum(1)[:, 1:]], 1)
    weights = np.linalg.lstsq(counts[rows], values, rcond=None)[0]
    if abs(counts[rows] @ weights - values).max() > 1e-6 * values.max():
        raise ValueError(f"{name} is no sum over operations in this space: what is missing cannot be worked out")
    return np.round(counts @ weights)
