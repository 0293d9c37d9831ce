"""Statistics of rankings from a sample: rank correlations with intervals, the top, the winner, bands of equal size; and
statistics of the noise between seeds: contradictions, power.

In all functions higher is better, both for estimates and for true values; what is not finite (a failed training, a
failed estimate) is below every number. Arrays have one entry for each architecture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

from ..ranges import check_number

RESAMPLES = 999
CHUNK = 512  # rows of the matrix of pairs that are in memory at once


@dataclass(frozen=True)
class Interval:
    """A number from a sample, and its 95 % confidence interval (percentile bootstrap)."""

    value: float
    low: float = nan
    high: float = nan

    def __str__(self):
        return f"{self.value:.2f}" if self.low != self.low else f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


# ------------------------------------------------------------------------------------------------ rank correlations
def ranks(values) -> np.ndarray:
    """Return ranks from 1 along the last axis; ties share their mean rank. What is not finite shares the lowest."""
    from scipy.stats import rankdata

    values = np.asarray(values, float)
    return rankdata(np.where(np.isfinite(values), values, -np.inf), axis=-1)


def tau(estimated, truth, groups=None) -> float:
    """Compute Kendall's τ-b (Kendall 1945): share of pairs in the right order minus share in the wrong, −1 to 1.

    A pair that is tied in one array counts in the denominator only for the other array. An estimator that does not tell
    architectures apart thus gains nothing.

    Parameters
    ----------
    estimated, truth : array of shape (n,)
    groups : array of int, shape (n,), optional
        If given, only pairs within a group count: see `bands`.

    Returns
    -------
    float
        nan if one of the arrays has no pair of different values (within a group).
    """
    x, y = _pair(estimated, truth)
    if groups is None:
        from scipy.stats import kendalltau

        return float(kendalltau(x, y).statistic) if len(x) > 1 and np.ptp(x) and np.ptp(y) else nan
    return float(_taus(x, y, np.asarray(groups), np.ones((1, len(x)), np.float32))[0])


def tau_interval(estimated, truth, groups=None, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Compute `tau` and its bootstrap interval.

    A resample is a vector w: how often each architecture was drawn. The number of pairs in the right order minus the
    number in the wrong order is wᵀSw, where S holds the signs of all pairs of the sample: one matrix serves all
    resamples. An architecture that was drawn twice makes no pair with itself.
    """
    x, y = _pair(estimated, truth)
    value = tau(x, y, groups)
    if len(x) < 3:
        return Interval(value)
    n, rng = len(x), _generator(resamples, seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)
    groups = np.zeros(n, int) if groups is None else np.asarray(groups)
    return _interval(value, _taus(x, y, groups, weights))


def tau_difference(first, second, truth, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Compute τ of ``first`` minus τ of ``second`` for the same truth and the same architectures.

    Both are resampled together: a resample that is easy to rank is easy for both, and this effect cancels. The interval
    is therefore narrower than two separate intervals suggest. If it includes 0, the sample does not show which of the
    two ranks better.

    Parameters
    ----------
    first, second, truth : array of shape (n,)
    """
    (x, y), (z, _) = _pair(first, truth), _pair(second, truth)
    value = tau(x, y) - tau(z, y)
    if len(x) < 3:
        return Interval(value)
    n, one, rng = len(x), np.zeros(len(x), int), _generator(resamples, seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)
    return _interval(value, _taus(x, y, one, weights) - _taus(z, y, one, weights))


def _taus(x, y, groups, weights) -> np.ndarray:
    """Compute τ-b for each row of weights (resamples, n)."""
    right, x_pairs, y_pairs = (np.zeros(len(weights)) for _ in range(3))
    for group in np.unique(groups):
        here = groups == group
        a, b, w = x[here], y[here], weights[:, here]
        for start in range(0, len(a), CHUNK):
            rows = slice(start, start + CHUNK)
            signs = np.sign(a[rows, None] - a).astype(np.float32) * np.sign(b[rows, None] - b).astype(np.float32)
            right += np.einsum("bi,bi->b", w[:, rows] @ signs, w, dtype=float)
        x_pairs += _untied(a, w)
        y_pairs += _untied(b, w)
    with np.errstate(invalid="ignore", divide="ignore"):
        return right / np.sqrt(x_pairs * y_pairs)


def _untied(values, weights) -> np.ndarray:
    """Return twice the number of pairs of different values, for each row of weights."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    together = np.add.reduceat(weights[:, order].astype(float), starts, axis=1)
    return together.sum(1) ** 2 - (together**2).sum(1)


def rho(estimated, truth):
    """Compute Spearman's ρ: the correlation of the ranks, −1 to 1; nan if one of the two arrays is constant.

    Arrays of shape (..., n) give (...): see `bootstrap`.
    """
    x, y = (r - r.mean(-1, keepdims=True) for r in (ranks(estimated), ranks(truth)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return ((x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1)))[()]


# ------------------------------------------------------------------------------------------------ the top of a ranking
def precision(estimated, truth, top: float = 0.05):
    """Return the share of the estimated best ``top`` (0 to 1, at least one) that is also among the true best ``top``.

    Ties at the edge are broken at random, and the expected value is returned: the order of the sample has no effect.
    Arrays of shape (..., n) give (...).
    """
    if not 0 < top <= 1:
        raise ValueError(f"top must be a share of the architectures, above 0 and up to 1, got {top!r}")
    estimated, truth = ranks(estimated), ranks(truth)
    k = max(1, round(top * estimated.shape[-1]))
    return ((among(estimated, k) * among(truth, k)).sum(-1) / k)[()]


def among(values, k: int) -> np.ndarray:
    """Return each entry's probability to be among the best k of the last axis: 0 or 1, except for ties at the edge."""
    edge = np.partition(values, -k, axis=-1)[..., -k, None]
    above, level = values > edge, values == edge
    return above + level * (k - above.sum(-1, keepdims=True)) / level.sum(-1, keepdims=True)


def regret(estimated, truth):
    """Return the true best value minus the estimated winner's true value, in the unit of ``truth``.

    Tied winners are averaged. Arrays of shape (..., n) give (...). Infinite if the winner's training failed.
    """
    truth = np.asarray(truth, float)
    truth = np.where(np.isfinite(truth), truth, -np.inf)
    winners = among(ranks(estimated), 1)
    return (truth.max(-1) - (winners * np.where(winners > 0, truth, 0)).sum(-1))[()]


# ------------------------------------------------------------------------------------------------ samples
def bootstrap(statistic: Callable, estimated, truth, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Compute ``statistic(estimated, truth)`` and its 95 % percentile interval over resamples of the architectures.

    Efron 1979. The statistic takes arrays of shape (resamples, n). For a statistic with a maximum (`regret`), each
    resample is compared with its own best. The interval is nan for fewer than three architectures.
    """
    estimated, truth = np.asarray(estimated, float), np.asarray(truth, float)
    n, rng = len(estimated), _generator(resamples, seed)
    value = float(statistic(estimated, truth)) if n else nan
    if n < 3:
        return Interval(value)
    values = []
    for start in range(0, resamples, 100):
        drawn = rng.integers(n, size=(min(100, resamples - start), n))
        values.append(statistic(estimated[drawn], truth[drawn]))
    return _interval(value, np.concatenate(values))


def _interval(value: float, resampled: np.ndarray) -> Interval:
    resampled = resampled[~np.isnan(resampled)]
    if not len(resampled):
        return Interval(value)
    return Interval(value, *np.quantile(resampled, (0.025, 0.975), method="nearest").tolist())


def bands(size, count: int = 4) -> np.ndarray:
    """Divide architectures by size into at most ``count`` bands of about equal numbers; number 0 is the smallest.

    The result is an int array of shape (n,). Equal sizes stay together, so that there may be fewer bands than asked.
    """
    _, place, many = np.unique(np.asarray(size, float), return_inverse=True, return_counts=True)
    middle = (np.cumsum(many) - many / 2) / max(1, many.sum())
    return np.unique((middle * count).astype(int), return_inverse=True)[1][place]


def seed_ceiling(scores) -> float:
    """Compute τ between one seed and the mean of the others, averaged over seeds: the τ of a full training.

    An estimator of the truth is not expected to be better, unless it has less noise than a training.

    Parameters
    ----------
    scores : array of shape (n, seeds)
        Scores of at least two seeds. Architectures without a number for each seed are left out.
    """
    scores = np.asarray(scores, float)
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f"a ceiling needs scores of shape (architectures, seeds) with two seeds, got {scores.shape}")
    scores = scores[np.isfinite(scores).all(1)]
    return float(np.mean([tau(scores[:, s], np.delete(scores, s, 1).mean(1)) for s in range(scores.shape[1])]))


def seed_noise(scores) -> float:
    """Return the standard deviation between seeds, pooled over architectures, in the unit of ``scores``.

    ``scores`` as for `seed_ceiling`; here all architectures with at least two numbers count.
    """
    scores = np.asarray(scores, float)
    scores = np.where(np.isfinite(scores), scores, nan)
    scores = scores[(~np.isnan(scores)).sum(1) > 1]
    if not len(scores):
        return nan
    return float(np.sqrt(np.nanvar(scores, axis=1, ddof=1).mean()))


def contradicted(
    first, second, low: float = 0.0, high: float = inf, *, resamples: int = 300, seed: int = 0
) -> Interval:
    """Return the share of pairs of architectures that a second training puts in the opposite order.

    Only pairs count whose scores in ``first`` differ by more than ``low`` and at most ``high``; a tie in ``second``
    counts half. This is not how often the first training was wrong, because the second may also be wrong: see
    `wrong`.

    Parameters
    ----------
    first, second : array of shape (n,)
        The same score from two seeds. Architectures without both are left out.
    low, high : float
        Limits of the difference, in the unit of the scores, 0 ≤ low < high.

    Returns
    -------
    Interval
        Share from 0 to 1, over resamples of the architectures; nan if no pair has such a difference.
    """
    if not 0 <= low < high:
        raise ValueError(f"a range of differences needs 0 <= low < high, got {low!r} and {high!r}")
    x, y = np.asarray(first, float), np.asarray(second, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"two arrays with one number an architecture are needed, got shapes {x.shape} and {y.shape}")
    there = np.isfinite(x) & np.isfinite(y)
    x, y = x[there], y[there]
    n, rng = len(x), _generator(resamples, seed)
    weights = np.ones((1, n))
    if n > 2:
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
        weights = np.concatenate([weights, drawn])
    weights, claims, against = weights.astype(np.float32), 0.0, 0.0
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        apart = x[rows, None] - x
        claimed = ((apart > low) & (apart <= high)).astype(np.float32)
        opposite = claimed * (1 - np.sign(y[rows, None] - y).astype(np.float32)) / 2
        claims = claims + np.einsum("bi,bi->b", weights[:, rows] @ claimed, weights, dtype=float)
        against = against + np.einsum("bi,bi->b", weights[:, rows] @ opposite, weights, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.atleast_1d(np.divide(against, claims))
    return _interval(float(shares[0]), shares[1:])


def wrong(contradicted: float) -> tuple[float, float]:
    """Return the least and the largest share of wrong claims from one seed, given the share that a second contradicts.

    If a training puts a pair of architectures in the wrong order with probability p, two trainings contradict each
    other with probability c = 2p(1 − p). One training is more often right than wrong, p ≤ 1/2, so that p ≤ c. For pairs
    of different p, the mean of 2p(1 − p) is at most its value at the mean p (Jensen), so that the mean of p is at least
    (1 − √(1 − 2c)) / 2.

    Parameters
    ----------
    contradicted : float
        Share, 0 to 1/2, of all pairs, not only of the pairs in one range of differences.
    """
    if not 0 <= contradicted <= 0.5:
        raise ValueError(f"equal trainings contradict each other in 0 to half of the cases, not {contradicted}")
    return (1 - sqrt(1 - 2 * contradicted)) / 2, contradicted


def power(difference: float, noise: float, seeds, level: float = 0.05):
    """Return the probability that a t-test finds the better one of two architectures, each trained ``seeds`` times.

    The test is Student's for two samples with equal variance, two-sided. It does not count as found if the *worse* one
    is significantly better.

    Parameters
    ----------
    difference : float
        True difference of the two architectures.
    noise : float
        Standard deviation between seeds of one architecture, in the same unit, > 0: `seed_noise`.
    seeds : int or array of int
        Number of trainings of each architecture, at least 2.
    level : float
        Level of significance, 0 to 1: how often two equal architectures are called different.

    Returns
    -------
    float or array of float

    Examples
    --------
    >>> round(float(power(0.5, noise=0.6, seeds=5)), 2)
    0.21
    """
    from scipy.stats import nct, t

    seeds = np.asarray(seeds)
    if not (noise > 0 and 0 < level < 1 and (seeds >= 2).all()):
        raise ValueError(f"needs noise > 0, 0 < level < 1 and at least 2 seeds, got {noise!r}, {level!r} and {seeds}")
    freedom = 2 * seeds - 2
    return nct.sf(t.isf(level / 2, freedom), freedom, difference / noise * np.sqrt(seeds / 2))[()]


def seeds_needed(difference: float, noise: float, chance: float = 0.8, level: float = 0.05) -> int:
    """Return the least number of seeds of each of two architectures for which `power` reaches ``chance``.

    ValueError for a difference that is not greater than 0: equal architectures cannot be told apart.
    """
    if not (difference > 0 and level < chance < 1):
        raise ValueError(f"needs difference > 0 and level < chance < 1, got {difference!r} and {chance!r}")
    few, enough = 1, 2
    while power(difference, noise, enough, level) < chance:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if power(difference, noise, middle, level) >= chance else (middle, enough)
    return enough


def _pair(estimated, truth) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(estimated, float), np.asarray(truth, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"two arrays with one number an architecture are needed, got shapes {x.shape} and {y.shape}")
    return ranks(x), ranks(y)


# ------------------------------------------------------------------------------------------------ several searches
def mean_band(values, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Compute the mean over the first axis and its 95 % percentile bootstrap interval: array (3, ...): mean, low, high.

    Whole runs (the first axis) are resampled; for curves this gives a band. A place is nan if any run has nan there;
    low and high are nan for fewer than three runs.
    """
    values = np.asarray(values, float)
    n, mean = len(values), values.mean(0)
    if n < 3:
        return np.stack([mean, np.full_like(mean, nan), np.full_like(mean, nan)])
    rng = _generator(resamples, seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    low, high = np.quantile(np.tensordot(weights, values, 1), (0.025, 0.975), axis=0, method="nearest")
    return np.stack([mean, low, high])


def mean_of(values, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Compute the mean of ``values``, array of shape (n,), and its interval: `mean_band` of single numbers."""
    return Interval(*mean_band(values, resamples=resamples, seed=seed).tolist())


def paired_permutation(first, second, *, resamples: int = 9999, seed: int = 0) -> float:
    """Return the two-sided p-value of the mean difference of pairs, if the sign of each difference were random.

    This is Fisher's test. It is exact, over all 2ⁿ signs, if these are at most ``resamples`` + 1; otherwise over drawn
    signs and the observed ones, so that p is never 0. Arrays have shape (n,), one entry a pair. Pairs that have nothing
    in common are no mistake: the test then keeps its level, but gains nothing.
    """
    d = np.asarray(first, float) - np.asarray(second, float)
    if d.ndim != 1 or not len(d) or np.isnan(d).any():
        raise ValueError(f"pairs of numbers are needed, one after the other, none of them nan: got shape {d.shape}")
    exact, rng = 2 ** len(d) <= resamples + 1, _generator(resamples, seed)
    if exact:
        signs = 1.0 - 2 * (np.arange(2 ** len(d))[:, None] >> np.arange(len(d)) & 1)
    else:
        signs = 1.0 - 2 * rng.integers(2, size=(resamples, len(d)))
    as_far = (np.abs(signs @ d) >= np.abs(d.sum()) * (1 - 1e-9) - 1e-300).sum()
    return float(as_far / len(signs) if exact else (1 + as_far) / (1 + resamples))


def holm(p) -> np.ndarray:
    """Correct p-values for their number (Holm 1979): a level then bounds the probability of any false discovery at all.

    The smallest p is multiplied by m, the next by m − 1, …; results never decrease in this order, nor exceed 1.
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    out = np.empty(len(p))
    out[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return out


def _generator(resamples: int, seed: int) -> np.random.Generator:
    """Return the source of the resamples, after a check of both numbers."""
    check_number("resamples", resamples, 1)
    return np.random.default_rng(check_number("seed", seed, 0))
