"""How good is an estimator? One function for any estimator on any sample; it judges the baselines too.

A rank correlation says nothing by itself. Counting convolutions ranks NAS-Bench-201 with τ ≈ 0.6, so an estimator is
worth its seconds only above that. Among architectures of equal size this baseline says little: the correlation there
shows what an estimator knows beyond size. Noise between seeds limits every correlation, that of full trainings too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import nan

import numpy as np

from ..analysis.stats import RESAMPLES, Interval, bands, bootstrap, precision, regret, rho, tau, tau_interval
from ..step import Evaluation

SIZE, CEILING = "size", "another seed"


@dataclass(frozen=True)
class Band:
    """A group of architectures of about equal size, and Kendall's τ within it.

    Attributes
    ----------
    low, high : float
        Smallest and largest size in the band.
    count : int
        Number of architectures in the band.
    tau : float
    """

    low: float
    high: float
    count: int
    tau: float


@dataclass(frozen=True)
class Quality:
    """Measures of an estimator's ranking of a sample. Intervals are 95 % bootstrap intervals over architectures.

    Attributes
    ----------
    name : str
    count : int
        Number of architectures in the sample.
    seconds : float
        Mean cost of an estimate.
    tau, rho, precision, regret : Interval
        Kendall's τ-b and Spearman's ρ. Precision: of the best share ``top`` by estimate, the part that is also in the
        best share by truth. Regret: how much worse the estimated winner truly is than the best of the sample, in the
        unit of the truth.
    within : Interval
        τ over pairs of the same size band only. nan without sizes.
    bands : tuple of Band
    top : float
    baselines : mapping from str to Quality
        The quality of each baseline on the same sample, by name: first ``"size"``, then those that were passed, last
        the ceiling ``"another seed"``. Size and ceiling are there if they were given. Each has no baselines itself.
    """

    name: str
    count: int
    seconds: float
    tau: Interval
    rho: Interval
    precision: Interval
    regret: Interval
    within: Interval
    bands: tuple[Band, ...]
    top: float
    baselines: Mapping[str, Quality] = field(default_factory=dict)

    def table(self) -> list[tuple[str, ...]]:
        """Return rows of text: the names of the columns, the estimator, then its baselines and ceiling."""
        head = ("", "s each", "τ", "τ, equal size", "ρ", f"best {100 * self.top:g} % found", "regret of its winner")
        lines: list[tuple[str, ...]] = [head]
        for one in (self, *self.baselines.values()):
            numbers = (one.tau, one.within, one.rho, one.precision)
            lost = one.regret
            words = "–" if np.isinf(lost.value) else f"{lost.value:.2g} ({lost.low:.2g} to {lost.high:.2g})"
            lines.append((one.name, f"{one.seconds:.2g}", *map(str, numbers), words))
        return lines

    def _repr_markdown_(self) -> str:
        head, *lines = ("| " + " | ".join(line) + " |" for line in self.table())
        return "\n".join([head, "| --- |" + " ---: |" * 6, *lines, "", f"{self.count:,} architectures"])


def quality(
    estimated,
    truth,
    *,
    cost=0.0,
    size=None,
    ceiling=None,
    baselines: Mapping[str, object] | None = None,
    name: str = "estimator",
    top: float = 0.05,
    parts: int = 4,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Quality:
    """Judge an estimator's scores of a sample by the true values.

    Parameters
    ----------
    estimated : array of shape (n,), or evaluations
        Scores, where higher is better (negate a loss). Evaluations must have one score, see `scores_of`; their seconds
        are the cost.
    truth : array of shape (n,)
        True values that the estimator has not seen: `nasviz.estimators.Table.truth`. A nan is a failed training, which
        ranks last; leave out architectures whose value is missing.
    cost : float or array of shape (n,)
        Seconds an estimate.
    size : array of shape (n,), optional
        Parameters, multiply-adds, or a count of convolutions: a baseline of its own, which also defines the bands.
    ceiling : array of shape (n,), optional
        Scores of a full training with another seed, ``table.column("accuracy")``: only an
        estimator that has less noise than one training is expected to do better.
    baselines : mapping from str to array, optional
        More baselines, by name.
    name : str
    top : float
        Share of the sample that counts as the best, 0 to 1.
    parts : int
        Greatest number of size bands.
    resamples, seed : int
        Number of resamples and seed of the bootstrap.

    Returns
    -------
    Quality
        Deterministic. In a notebook it shows as a table.

    Raises
    ------
    ValueError
        If the lengths differ, or there are fewer than three architectures.

    Examples
    --------
    >>> found = quality([1, 2, 3, 4], [0.1, 0.2, 0.4, 0.3], size=[5, 5, 7, 7], name="guess")
    >>> round(found.tau.value, 2), found.within.value, round(found.baselines["size"].tau.value, 2)
    (0.67, 0.0, 0.82)
    """
    if len(estimated) and isinstance(estimated[0], Evaluation):
        estimated, cost = scores_of(estimated)
    truth = _column("truth", truth, None)
    if len(truth) < 3:
        raise ValueError(f"a ranking of {len(truth)} architectures says nothing: judge at least 3")
    size = None if size is None else _column("size", size, truth)
    groups = None if size is None else bands(size, parts)
    bootstrapping = {"resamples": resamples, "seed": seed}

    def one(name: str, values, cost, others: Mapping) -> Quality:
        values = _column(name, values, truth)
        return Quality(
            name,
            len(truth),
            float(np.mean(cost)),
            tau_interval(values, truth, **bootstrapping),
            bootstrap(rho, values, truth, **bootstrapping),
            bootstrap(lambda x, y: precision(x, y, top), values, truth, **bootstrapping),
            bootstrap(regret, values, truth, **bootstrapping),
            Interval(nan) if groups is None else tau_interval(values, truth, groups, **bootstrapping),
            () if groups is None else tuple(_bands(values, truth, size, groups)),
            top,
            others,
        )

    others = dict(baselines or {})
    if size is not None:
        others = {SIZE: size, **others}
    if ceiling is not None:
        others[CEILING] = ceiling
    return one(name, estimated, cost, {label: one(label, values, 0.0, {}) for label, values in others.items()})


def _bands(values, truth, size, groups) -> Iterable[Band]:
    for group in np.unique(groups):
        here = groups == group
        yield Band(float(size[here].min()), float(size[here].max()), int(here.sum()), tau(values[here], truth[here]))


def scores_of(evaluations: Iterable[Evaluation], score: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return one score of many evaluations, and their seconds: two arrays of shape (n,).

    ``score`` may be left out if there is only one. ValueError if there are several, or ``score`` is missing.
    """
    evaluations = list(evaluations)
    for evaluation in evaluations:
        names = list(evaluation.scores)
        if score is None and len(names) != 1 or score is not None and score not in names:
            raise ValueError(f"which score? {evaluation.arch} has {names}, asked for was {score!r}")
    values = [evaluation.scores[score or next(iter(evaluation.scores))] for evaluation in evaluations]
    return np.array(values, float), np.array([evaluation.seconds for evaluation in evaluations])


def _column(name: str, values, truth) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 1 or (truth is not None and values.shape != truth.shape):
        expected = "one number an architecture" if truth is None else f"{len(truth)} numbers, as many as the truth"
        raise ValueError(f"{name} must have {expected}, got the shape {values.shape}")
    return values
