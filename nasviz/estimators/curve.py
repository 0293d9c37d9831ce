"""Where will a learning curve end? Extrapolation of its first epochs, and rules that stop a training early.

Domhan, Springenberg & Hutter 2015 ("Speeding up automatic hyperparameter optimization of deep neural networks by
extrapolation of learning curves") fit parametric families to the first epochs. They compute the probability that the
final accuracy beats the best known one, by Markov chain Monte Carlo. Here the same posterior is a sum over a grid,
because the final accuracy is itself a parameter of the families. The result is deterministic, takes milliseconds, and
nothing has to converge.

With φ falling from its value at epoch 1, every curve is

    y(x) = y₁·w(x) + yₙ·(1 − w(x)),    w(x) = (φ(x) − φ(n)) / (φ(1) − φ(n)),

which starts at y₁ and reaches yₙ, the final accuracy, at epoch n. Given a shape φ, y is linear in y₁ and yₙ.

A caution. The families describe training at a constant learning rate; under a cosine schedule the last epochs settle.
On a hundred cells of NAS-Bench-201 trained by the full recipe, a forecast from four of eight epochs predicts the
*level* of the end better than the fourth accuracy does (off by 2.6 to 3.8 points on average, seed by seed, where the
fourth is off by 4.2 to 4.7). But the forecast *ranks* worse (τ 0.32 against 0.52 with test accuracy): extrapolation
multiplies the noise of early epochs. Lab 02 shows both; compare them before you trust either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan
from types import MappingProxyType

import numpy as np
from scipy.special import log_ndtr

from ..estimator import Estimator
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation

Shape = Callable[[np.ndarray | float], np.ndarray]


# ------------------------------------------------------------------------------------------------------------ families
def _pow3(x, decay):
    return x**-decay


def _exp3(x, rate):
    return np.exp(-rate * x)


def _ilog2(x):
    return 1 / np.log(x + 1)


def _mmf(x, rate, steepness):
    return 1 / (1 + (rate * x) ** steepness)


FAMILIES: Mapping[str, tuple[Shape, ...]] = MappingProxyType(
    {
        "pow3": tuple(partial(_pow3, decay=a) for a in np.geomspace(0.1, 4, 12)),
        "exp3": tuple(partial(_exp3, rate=a) for a in np.geomspace(0.02, 3, 12)),
        "ilog2": (_ilog2,),
        "mmf": tuple(partial(_mmf, rate=k, steepness=d) for k in np.geomspace(0.05, 5, 6) for d in (1.5, 2.5, 4.0)),
    }
)
"""Four families of Domhan et al. 2015, table 1, each as the shapes φ(x) of its falling part, x the epoch from 1:
pow3 x^−α, exp3 e^(−αx), ilog2 1/log(x + 1) (theirs, 1/log x, has no first epoch), mmf 1/(1 + (κx)^δ)."""

NOISE = np.array([0.005, 0.01, 0.02, 0.04])
"""Standard deviations of a measured accuracy around the curve, all equally probable beforehand. 2,000 validation images
alone make 0.009; the wandering of a training at a high learning rate comes on top."""

ENDS = np.linspace(0, 1, 201)  # half a point apart


@dataclass(frozen=True, eq=False)
class Forecast:
    """A probability distribution over a future accuracy.

    Parameters
    ----------
    ends : array of shape (201,)
        Accuracies, 0 to 1.
    probability : array of shape (201,)
        The probability of each accuracy; sums to 1.
    """

    ends: np.ndarray
    probability: np.ndarray

    @property
    def mean(self) -> float:
        """The expected accuracy, 0 to 1."""
        return float(self.probability @ self.ends)

    @property
    def deviation(self) -> float:
        """Standard deviation of the accuracy, 0 to 1."""
        return float(np.sqrt(self.probability @ (self.ends - self.mean) ** 2))

    def above(self, accuracy: float) -> float:
        """Return the probability of more than ``accuracy``: each of `ends` stands for the half point around it."""
        half = (self.ends[1] - self.ends[0]) / 2
        below = np.interp(accuracy, [self.ends[0] - half, *(self.ends + half)], [0, *self.probability.cumsum()])
        return float(max(0, 1 - below))  # rounding


def forecast(curve: Sequence[float], epochs: int, families: Mapping[str, tuple[Shape, ...]] = FAMILIES) -> Forecast:
    """Forecast the accuracy after ``epochs`` epochs from the first ones.

    The forecast is the posterior over yₙ. In the prior the families, the shapes in a family, the noise σ and yₙ in 0…1
    are equally probable, and y₁ is any value up to yₙ, since curves rise. Given shape and noise, y₁ is Gaussian and is
    integrated out; its bound yₙ gives a normal distribution function. The rest is a sum over the grid.

    Parameters
    ----------
    curve : sequence of float
        Accuracies after epoch 1, 2, …, 0 to 1: at least 2, fewer than ``epochs``.
    epochs : int
        n, the epoch to forecast. (The forecasts of all later epochs together can be drawn as a fan.)
    families : mapping
        Maps names to shapes: a part of `FAMILIES`, or your own, where φ(x) falls on x ≥ 1.

    Returns
    -------
    Forecast

    Raises
    ------
    ValueError
        If the curve is too short, too long, or not between 0 and 1 (a failed training holds nan).
    """
    seen = _checked(curve, epochs)
    x = np.arange(1, len(seen) + 1.0)
    share = np.concatenate([_shares(shapes, x, epochs) for shapes in families.values()])  # w: (shapes, epochs seen)
    prior = np.concatenate([np.full(len(shapes), -np.log(len(shapes))) for shapes in families.values()])
    left = seen - ENDS[:, None] * (1 - share[:, None, :])  # the part for y₁·w to explain, for each yₙ
    weight = (share**2).sum(-1)[:, None]
    start = np.einsum("se,sye->sy", share, left) / weight  # the y₁ that explains it best
    misfit = (left**2).sum(-1) - weight * start**2
    sigma = NOISE[:, None, None]
    log = -(len(seen) - 1) * np.log(sigma) - np.log(weight) / 2 - misfit / (2 * sigma**2)
    log = log + log_ndtr((ENDS - start) * np.sqrt(weight) / sigma) + prior[:, None]
    probability = np.exp(log - log.max()).sum((0, 1))
    return Forecast(ENDS, probability / probability.sum())


def _shares(shapes: tuple[Shape, ...], x: np.ndarray, n: int) -> np.ndarray:
    return np.array([(shape(x) - shape(np.float64(n))) / (shape(1.0) - shape(np.float64(n))) for shape in shapes])


def _checked(curve: Sequence[float], epochs: int) -> np.ndarray:
    seen = np.asarray(curve, float)
    if seen.ndim != 1 or not 2 <= len(seen) < epochs:
        raise ValueError(
            f"a curve of 2 or more epochs, fewer than the {epochs} asked for, can be extrapolated; this one has shape "
            f"{seen.shape}"
        )
    if not ((0 <= seen) & (seen <= 1)).all():
        raise ValueError(f"accuracies must be from 0 to 1, got {seen.tolist()}")
    return seen


# ------------------------------------------------------------------------------------------------------- stopping early
def may_win(curve: Sequence[float], best: float, epochs: int, threshold: float = 0.05) -> bool:
    """Return whether to continue a training: its end beats ``best`` with a probability of at least ``threshold``.

    The predictive termination of Domhan et al. 2015 (δ = 0.05). A failed training (nan) may not win.

    Parameters
    ----------
    curve, epochs
        As `forecast` takes them. A single epoch is too little for a forecast, so the result is then True.
    best : float
        Best final accuracy known, 0 to 1.
    threshold : float
        The least probability to continue; 0 stops nothing.
    """
    if np.isnan(curve).any():
        return False
    return len(curve) < 2 or forecast(curve, epochs).above(best) >= threshold


def above_median(curve: Sequence[float], others: Iterable[Sequence[float]]) -> bool:
    """Return whether to continue a training: its best epoch is no worse than the median of the others' means so far.

    This is the median stopping rule of Google Vizier (Golovin et al. 2017), which fits no curve. Curves shorter than
    this one do not count; without any other curve, training goes on. A failed training (nan) stops, and counts as 0
    among the others. The means include the low first epochs, so on steep curves the rule stops few trainings.
    """
    means = [np.nan_to_num(other[: len(curve)]).mean() for other in others if len(other) >= len(curve)]
    if np.isnan(curve).any():
        return False
    return not means or max(curve) >= np.median(means)


def survivors(
    curves: Sequence[Sequence[float]], keep: int, score: Callable[[Sequence[float]], float] | None = None
) -> list[int]:
    """Choose the trainings that continue: a rung of successive halving (Jamieson & Talwalkar 2016).

    Parameters
    ----------
    curves : sequence of curves
        The curves of the present trainings, all of the same length.
    keep : int
        How many continue, at least 1.
    score : callable, optional
        Function of a curve by which trainings are compared, such as ``lambda curve: forecast(curve, 8).mean``; None:
        the last accuracy. A failed training (nan in its curve) is not scored and comes last.

    Returns
    -------
    list of int
        Their indices in ``curves``, ascending; of two equal trainings the earlier one continues.
    """
    if keep < 1:
        raise ValueError(f"at least 1 training must survive, got {keep}")
    if len({len(curve) for curve in curves}) > 1:
        raise ValueError(f"only curves of equal length can be compared, got {[len(curve) for curve in curves]} epochs")
    values = [-np.inf if np.isnan(curve).any() else (score(curve) if score else curve[-1]) for curve in curves]
    return sorted(sorted(range(len(curves)), key=lambda i: -values[i])[:keep])


# ------------------------------------------------------------------------------------------------------------ estimator
@dataclass(frozen=True)
class Extrapolated(Estimator):
    """An estimator that trains the first epochs of the full recipe and predicts the final accuracy.

    Parameters
    ----------
    estimate : Estimator
        The estimator that gives the scores ``"accuracy@1"``, ``"accuracy@2"``, …: ``Training(space, curve=True)``, or
        ``TableLookup(table, curve=True)``.
    after : int
        Number of epochs trained, at least 2, unless a call gives ``epochs``.
    to : int, optional
        The epoch predicted; None: the last of the estimator's recipe or table.

    Notes
    -----
    Scores: ``"predicted"`` and ``"uncertainty"`` (mean and standard deviation of `forecast`, 0 to 1; nan for a failed
    training), and the estimator's other scores, except the accuracy and losses at the end of the short training. The
    name ``"accuracy@4"`` says after which epoch; the name ``"accuracy"`` could be mistaken for the final accuracy.

    Examples
    --------
    >>> from nasviz.estimators import Training
    >>> from nasviz.spaces import NasBench201
    >>> estimate = Extrapolated(Training(NasBench201(), curve=True), after=4)
    """

    estimate: Estimator
    after: int = ranged(4, 2)
    to: int | None = ranged(None, 3, whole=True)

    def __post_init__(self):
        check_fields(self)
        self._after(self.after)

    @property
    def space(self) -> SearchSpace:
        """The space of the estimator."""
        return self.estimate.space

    @property
    def last(self) -> int:
        """The epoch that is predicted."""
        schedule = getattr(self.estimate, "recipe", None) or getattr(self.estimate, "table", None)
        if schedule is None:
            if self.to is None:
                raise ValueError(f"{type(self.estimate).__name__} has no recipe: say to=, the epoch to be predicted")
            return self.to
        return self.to or schedule.epochs

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Train ``epochs`` (None: ``after``) epochs, and predict. ValueError for too few or too many epochs."""
        return self._extrapolate(self.estimate(arch, epochs=self._after(epochs), seed=seed))

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Yield predictions in the order asked; the estimator trains several architectures in its own way."""
        return map(self._extrapolate, self.estimate.many(archs, epochs=self._after(epochs), seed=seed))

    def _after(self, epochs: int | None) -> int:
        epochs = self.after if epochs is None else epochs
        if not isinstance(epochs, int | np.integer) or not 2 <= epochs < self.last:
            raise ValueError(f"train from 2 to {self.last - 1} epochs to predict epoch {self.last}, got {epochs!r}")
        return int(epochs)

    def _extrapolate(self, trained: Evaluation) -> Evaluation:
        names = [f"accuracy@{epoch}" for epoch in range(1, trained.epochs + 1)]
        if missing := [name for name in names if name not in trained.scores]:
            raise ValueError(f"{type(self.estimate).__name__} gave no {missing[0]}: it needs curve=True")
        curve = [trained.scores[name] for name in names]
        predicted, uncertainty = nan, nan
        if not np.isnan(curve).any():
            end = forecast(curve, self.last)
            predicted, uncertainty = end.mean, end.deviation
        said = {k: v for k, v in trained.scores.items() if k not in ("accuracy", "loss", "train_loss", "test_accuracy")}
        scores = {"predicted": predicted, "uncertainty": uncertainty} | said
        return Evaluation(trained.arch, scores, trained.seconds, trained.epochs, trained.seed)
