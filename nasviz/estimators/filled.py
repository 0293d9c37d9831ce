"""A table with nothing missing, for lessons on how searches behave: what was trained is kept, the rest is made up.

A search that walks from neighbour to neighbour needs the neighbours. While a ground truth is being made, some of them
are missing; in their place stand the trainings of others that a regression takes to be as good. As the table grows
there is less of it, and none in the end. What a search does on such a landscape says something about the search, and
about the landscape only as far as it is trained.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..space import Arch
from .table import Table

PENALTY = 10.0  # of the regression, for options counted as 0 and 1
DONORS = 10  # trained rows among which that of a missing one is drawn


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
        ``about``: how many ``rows`` were ``trained``, and ``seed_noise``: standard deviation of the accuracy from seed
        to seed, pooled over the trained rows.

    Raises
    ------
    ValueError
        If the table does not suffice.

    Notes
    -----
    Predictive mean matching (Little 1988, *Missing-Data Adjustments in Large Surveys*): a ridge regression on options
    and pairs of options says what a missing row is worth; it gets all trainings of one of the ten trained rows of which
    the same regression, without having seen them, says most nearly that. So what is filled in is as rough, as noisy and
    as skewed as what was trained, and neither better nor worse. (Prediction plus noise is not: the errors of a
    regression are smaller among the good rows, so that the best of all would be made up.)

    A missing training is the mean of those that are there, off by as much as a mean of so few is, plus a draw of the
    size of the seed noise (normal).
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
    donors = _donors(np.array(archs), mine, table, trained, rng)
    there, count = trained[donors], trained[donors].sum(1, keepdims=True)
    for name in ("accuracy", "test_accuracy"):
        known = np.where(there, table.columns[name][donors], np.nan)
        own = np.where(trained, table.columns[name], np.nan)
        noise = float(np.sqrt(np.nanvar(own[trained.sum(1) > 1], 1, ddof=1).mean()))
        middle = np.nanmean(known, 1, keepdims=True) + noise / np.sqrt(count) * rng.normal(size=(len(archs), 1))
        columns[name] = middle + noise * rng.normal(size=(len(archs), seeds))
        columns[name][:, : there.shape[1]][there] = known[there]
        if name == "accuracy":
            about |= {"seed_noise": noise}
    for name in ("madds", "parameters"):
        if name in table.columns:
            columns[name] = np.repeat(_sums(np.array(archs), mine, table.column(name), name)[:, None], seeds, 1)
    there = np.ones((len(archs), seeds), bool)
    spent = np.full(there.shape, float(np.nanmean(table.seconds)))
    digest = hashlib.sha256(f"{table.digest}, {seeds} seeds, {DONORS} donors, drawn with {seed}".encode()).hexdigest()
    return Table(space, digest, tuple(archs), columns, there, spent, len(archs), about)


def _missing(table: Table) -> list[Arch]:
    return [arch for arch in table.space.distinct() if arch not in table]


def _donors(archs: np.ndarray, mine: list[int], table: Table, trained: np.ndarray, rng) -> np.ndarray:
    """Of each architecture, the row of ``table`` whose trainings it gets: int array (n,); a trained one has its own."""
    mean = np.nanmean(np.where(trained, table.columns["accuracy"], np.nan), 1)
    fitted = _ridge(_features(archs), mine, mean)
    out = np.empty(len(archs), int)
    out[mine] = np.arange(len(mine))
    for row in np.setdiff1d(np.arange(len(archs)), mine):
        out[row] = rng.choice(np.argsort(abs(fitted[mine] - fitted[row]), kind="stable")[:DONORS])
    return out


def _features(archs: np.ndarray) -> np.ndarray:
    """1 where an option is taken, and where two are: float array (n, features)."""
    one_hot = np.eye(archs.max() + 1)[archs].reshape(len(archs), -1)
    first, second = np.triu_indices(one_hot.shape[1], 1)
    return np.concatenate([one_hot, one_hot[:, first] * one_hot[:, second]], 1)


def _ridge(features: np.ndarray, rows: list[int], values: np.ndarray) -> np.ndarray:
    """What a ridge regression on ``rows`` predicts for all; for ``rows`` themselves, what one without them predicts.

    Cells that compute next to nothing are far below the rest, and would bend it: it sees them no lower than five
    median distances under the median.
    """
    middle = np.median(values)
    values = np.maximum(values, middle - 5 * np.median(abs(values - middle)))
    x, center = features[rows], values.mean()
    weights = np.linalg.inv(x.T @ x + PENALTY * np.eye(x.shape[1])) @ x.T
    fitted = features @ (weights @ (values - center)) + center
    leverage = np.einsum("ij,ji->i", x, weights)
    fitted[rows] = values - (values - fitted[rows]) / (1 - leverage)
    return fitted


def _sums(archs: np.ndarray, rows: list[int], values: np.ndarray, name: str) -> np.ndarray:
    """A cost of all from the costs of some: so much for each operation."""
    options = np.arange(archs.max() + 1)
    counts = np.concatenate([np.ones((len(archs), 1)), (archs[:, :, None] == options).sum(1)[:, 1:]], 1)
    weights = np.linalg.lstsq(counts[rows], values, rcond=None)[0]
    if abs(counts[rows] @ weights - values).max() > 1e-6 * values.max():
        raise ValueError(f"{name} is no sum over operations in this space: what is missing cannot be worked out")
    return np.round(counts @ weights)
