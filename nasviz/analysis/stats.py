"""What a sample says of a ranking: rank correlations with intervals, the top, the winner, bands of equal size; and what
noise between seeds lets one say: contradictions, power.

Everywhere: higher is better, both in what an estimator says and in what is true; a NaN (a failed training, a failed
estimate) is below every number. Arrays have one entry an architecture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np

RESAMPLES = 999
CHUNK = 512  # rows of the matrix of pairs that are in memory at once


@dataclass(frozen=True)
class Interval:
    """A number from a sample, and the range in which it lies with 95 % confidence (percentile bootstrap)."""

    value: float
    low: float = nan
    high: float = nan

    def __str__(self):
        return f"{self.value:.2f}" if self.low != self.low else f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


# ------------------------------------------------------------------------------------------------ rank correlations
def ranks(values) -> np.ndarray:
    """Ranks from 1 along the last axis, ties sharing their mean; NaN ranks as minus infinity."""
    from scipy.stats import rankdata

    values = np.asarray(values, float)
    return rankdata(np.where(np.isnan(values), -np.inf, values), axis=-1)


def tau(estimated, truth, groups=None) -> float:
    """Kendall's τ-b (Kendall 1945): pairs in the right order less pairs in the wrong one, as a share, −1 to 1.

    A pair that is tied in one of the two counts in the denominator with that one's part only: what does not tell
    architectures apart is not credited for guessing.

    Parameters
    ----------
    estimated, truth : array of shape (n,)
    groups : array of int, shape (n,), optional
        Only pairs within a group count: see `bands`.

    Returns
    -------
    float
        nan if no pair is left that both could tell apart.
    """
    x, y = _pair(estimated, truth)
    if groups is None:
        from scipy.stats import kendalltau

        return float(kendalltau(x, y).statistic) if len(x) > 1 and np.ptp(x) and np.ptp(y) else nan
    return float(_taus(x, y, np.asarray(groups), np.ones((1, len(x)), np.float32))[0])


def tau_interval(estimated, truth, groups=None, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """`tau` and its bootstrap interval.

    A resample is how often each architecture was drawn, w. The pairs in the right order less those in the wrong one
    are wᵀSw, with S the signs of all pairs of the sample, so that one matrix serves all resamples. An architecture
    that was drawn twice makes no pair with itself.
    """
    x, y = _pair(estimated, truth)
    value = tau(x, y, groups)
    if len(x) < 3:
        return Interval(value)
    n, rng = len(x), np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)
    groups = np.zeros(n, int) if groups is None else np.asarray(groups)
    return _interval(value, _taus(x, y, groups, weights))


def tau_difference(first, second, truth, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """τ of ``first`` less τ of ``second`` against the same truth, on the same architectures.

    The two are resampled together: what makes a sample of architectures easy to rank makes it easy for both, and
    cancels. The interval is therefore narrower than what two intervals side by side suggest; where it holds 0, the
    sample does not say which of the two ranks better.

    Parameters
    ----------
    first, second, truth : array of shape (n,)
    """
    (x, y), (z, _) = _pair(first, truth), _pair(second, truth)
    value = tau(x, y) - tau(z, y)
    if len(x) < 3:
        return Interval(value)
    n, one, rng = len(x), np.zeros(len(x), int), np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)
    return _interval(value, _taus(x, y, one, weights) - _taus(z, y, one, weights))


def _taus(x, y, groups, weights) -> np.ndarray:
    """τ-b for each row of weights (resamples, n)."""
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
    """Twice the number of pairs of different values, for each row of weights."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    together = np.add.reduceat(weights[:, order].astype(float), starts, axis=1)
    return together.sum(1) ** 2 - (together**2).sum(1)


def rho(estimated, truth):
    """Spearman's ρ: the correlation of the ranks, −1 to 1; nan where one of the two is constant.

    Arrays of shape (..., n) give (...): see `bootstrap`.
    """
    x, y = (r - r.mean(-1, keepdims=True) for r in (ranks(estimated), ranks(truth)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return ((x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1)))[()]


# ------------------------------------------------------------------------------------------------ the top of a ranking
def precision(estimated, truth, top: float = 0.05):
    """Share of the estimated best ``top`` (0 to 1, at least one architecture) that is among the true best as many.

    Ties at the edge are broken by lot, and the expectation is returned: no order of the sample can help.
    Arrays of shape (..., n) give (...).
    """
    if not 0 < top <= 1:
        raise ValueError(f"top must be a share of the architectures, above 0 and up to 1, got {top!r}")
    estimated, truth = ranks(estimated), ranks(truth)
    k = max(1, round(top * estimated.shape[-1]))
    return ((among(estimated, k) * among(truth, k)).sum(-1) / k)[()]


def among(values, k: int) -> np.ndarray:
    """The chance of each entry to be among the best k of the last axis, 0 or 1 but for ties at the edge."""
    edge = np.partition(values, -k, axis=-1)[..., -k, None]
    above, level = values > edge, values == edge
    return above + level * (k - above.sum(-1, keepdims=True)) / level.sum(-1, keepdims=True)


def regret(estimated, truth):
    """How much worse than the best the estimated winner truly is, in the unit of ``truth``; the mean over tied winners.

    Arrays of shape (..., n) give (...). Infinite if the winner's training failed.
    """
    truth = np.asarray(truth, float)
    truth = np.where(np.isnan(truth), -np.inf, truth)
    winners = among(ranks(estimated), 1)
    return (truth.max(-1) - (winners * np.where(winners > 0, truth, 0)).sum(-1))[()]


# ------------------------------------------------------------------------------------------------ samples
def bootstrap(statistic: Callable, estimated, truth, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """``statistic(estimated, truth)`` and its 95 % percentile interval over resamples of the architectures.

    Efron 1979. The statistic takes arrays of shape (resamples, n). For a maximum (`regret`) the interval says how it
    would be for other samples of this size, each against its own best. nan for fewer than three architectures.
    """
    estimated, truth = np.asarray(estimated, float), np.asarray(truth, float)
    n, rng = len(estimated), np.random.default_rng(seed)
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
    """Number of the band of each architecture, smallest first: at most ``count`` bands of about as many architectures.

    Equal sizes are never parted, so that there may be fewer bands than asked. int array of shape (n,).
    """
    _, place, many = np.unique(np.asarray(size, float), return_inverse=True, return_counts=True)
    middle = (np.cumsum(many) - many / 2) / max(1, many.sum())
    return np.unique((middle * count).astype(int), return_inverse=True)[1][place]


def seed_ceiling(scores) -> float:
    """τ between one seed and the mean of the others, the mean over seeds: what a full training could reach.

    No estimator of the truth can be expected above it, save one that is less noisy than a training.

    Parameters
    ----------
    scores : array of shape (n, seeds)
        Two seeds at least. Architectures without a number for each seed are left out.
    """
    scores = np.asarray(scores, float)
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f"a ceiling needs scores of shape (architectures, seeds) with two seeds, got {scores.shape}")
    scores = scores[~np.isnan(scores).any(1)]
    return float(np.mean([tau(scores[:, s], np.delete(scores, s, 1).mean(1)) for s in range(scores.shape[1])]))


def seed_noise(scores) -> float:
    """Standard deviation between seeds of one architecture, pooled over architectures, in the unit of ``scores``.

    ``scores`` as for `seed_ceiling`; here architectures with two numbers count, others do not.
    """
    scores = np.asarray(scores, float)
    scores = scores[(~np.isnan(scores)).sum(1) > 1]
    if not len(scores):
        return nan
    return float(np.sqrt(np.nanvar(scores, axis=1, ddof=1).mean()))


def contradicted(
    first, second, low: float = 0.0, high: float = inf, *, resamples: int = 300, seed: int = 0
) -> Interval:
    """How often a second training says the opposite of what a first one said, pair of architectures by pair.

    Of all pairs that ``first`` puts more than ``low`` and at most ``high`` apart: the share that ``second`` puts in the
    other order; a tie there counts half. This is not how often the first was wrong, for the second may err as well:
    see `wrong`.

    Parameters
    ----------
    first, second : array of shape (n,)
        The same score from two seeds. Architectures without both are left out.
    low, high : float
        In the unit of the scores, 0 ≤ low < high.

    Returns
    -------
    Interval
        0 to 1, over resamples of the architectures; nan if no pair is so far apart.
    """
    if not 0 <= low < high:
        raise ValueError(f"a range of differences needs 0 <= low < high, got {low!r} and {high!r}")
    x, y = np.asarray(first, float), np.asarray(second, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"two arrays with one number an architecture are needed, got shapes {x.shape} and {y.shape}")
    x, y = (values[~np.isnan(x + y)] for values in (x, y))
    n, rng = len(x), np.random.default_rng(seed)
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
    """Between which shares the claims from one seed are wrong, if so many are contradicted by a second seed.

    For a pair of architectures that a training puts in the wrong order with probability p, two trainings contradict
    each other with probability c = 2p(1 − p). One training is more often right than wrong, p ≤ 1/2, so that p ≤ c; and
    over pairs of different p, the mean of 2p(1 − p) is at most that of the mean p (Jensen), so that the mean of p is at
    least (1 − √(1 − 2c)) / 2.

    Parameters
    ----------
    contradicted : float
        Over all pairs, not over those of one range of differences, 0 to 1/2.
    """
    if not 0 <= contradicted <= 0.5:
        raise ValueError(f"equal trainings contradict each other in 0 to half of the cases, not {contradicted}")
    return (1 - sqrt(1 - 2 * contradicted)) / 2, contradicted


def power(difference: float, noise: float, seeds, level: float = 0.05):
    """The chance that a t-test finds the better one of two architectures, each trained with so many seeds.

    Student's test of two samples with equal variance, two-sided. Finding the *worse* one significantly better does not
    count.

    Parameters
    ----------
    difference : float
        By how much the one is truly better.
    noise : float
        Standard deviation between seeds of one architecture, in the same unit, > 0: `seed_noise`.
    seeds : int or array of int
        Trainings of each, at least 2.
    level : float
        Of significance, 0 to 1: how often two equal architectures are called different.

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
    """The least number of seeds of each of two architectures with which `power` reaches ``chance``.

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
    """The mean over the first axis and its 95 % percentile bootstrap interval: array (3, ...) of mean, low, high.

    What is resampled is the first axis, all that belongs to a run together: the band of a curve. nan as long as one
    run has no number; low and high are nan for fewer than three runs.
    """
    values = np.asarray(values, float)
    n, mean = len(values), values.mean(0)
    if n < 3:
        return np.stack([mean, np.full_like(mean, nan), np.full_like(mean, nan)])
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    low, high = np.quantile(np.tensordot(weights, values, 1), (0.025, 0.975), axis=0, method="nearest")
    return np.stack([mean, low, high])


def paired_permutation(first, second, *, resamples: int = 9999, seed: int = 0) -> float:
    """How surprising the mean difference of pairs is, if which of the two is which were decided by lot: two-sided p.

    Fisher's test: under the hypothesis the sign of each difference is a coin's. Exact, over all 2ⁿ signs, where these
    are no more than ``resamples`` + 1; else over drawn ones and the observed one, so that p is never 0. Arrays of shape
    (n,), pair by pair: to pair what has nothing in common is no mistake, the test keeps its level and gains nothing.
    """
    d = np.asarray(first, float) - np.asarray(second, float)
    if d.ndim != 1 or not len(d) or np.isnan(d).any():
        raise ValueError(f"pairs of numbers are needed, one after the other, none of them nan: got shape {d.shape}")
    exact, rng = 2 ** len(d) <= resamples + 1, np.random.default_rng(seed)
    if exact:
        signs = 1.0 - 2 * (np.arange(2 ** len(d))[:, None] >> np.arange(len(d)) & 1)
    else:
        signs = 1.0 - 2 * rng.integers(2, size=(resamples, len(d)))
    as_far = (np.abs(signs @ d) >= np.abs(d.sum()) * (1 - 1e-9) - 1e-300).sum()
    return float(as_far / len(signs) if exact else (1 + as_far) / (1 + resamples))


def holm(p) -> np.ndarray:
    """p-values corrected for their number: Holm 1979. All that stay below a level are true with that level's error.

    The smallest counts m times, the next m − 1 times, …; none below a smaller one's, none above 1.
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    out = np.empty(len(p))
    out[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return out
