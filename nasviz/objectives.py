"""What a search maximises: functions of an `Evaluation`."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from .ranges import REQUIRED, check_fields, ranged
from .step import Evaluation

__all__ = [
    "Bounded",
    "CubedBest",
    "Less",
    "Penalised",
    "Score",
    "Weighted",
    "Within",
    "accuracy",
]  # those that a record may name


def accuracy(evaluation: Evaluation) -> float:
    """Accuracy, 0 to 1; a failed training (nan, infinite) is −inf and loses every comparison.

    With Python's ``max`` a leading nan would win the tournament: no comparison with it is true.
    """
    value = evaluation.scores.get("accuracy")
    if value is None:
        value = _told(evaluation, "accuracy", "to maximise")
    return value if isfinite(value) else -inf


def _told(evaluation: Evaluation, name: str, why: str) -> float:
    """A score by name; ValueError that lists those there are."""
    if name not in evaluation.scores:
        raise ValueError(f"this evaluation has no score {name!r} {why}; its scores: {sorted(evaluation.scores)!s:.300}")
    return evaluation.scores[name]


def _finite(value: float) -> float:
    return value if isfinite(value) else -inf


@dataclass(frozen=True)
class Score:
    """Any one score, the greater the better: what a search on a proxy maximises. Not finite, it counts as −∞.

    Parameters
    ----------
    name : str
        Of the score: ``"inherited"``, ``"predicted"``, ``"synflow"``.

    Examples
    --------
    >>> Score("synflow")(Evaluation((0,), {"synflow": 12.5}))
    12.5
    """

    name: str

    def __call__(self, evaluation: Evaluation) -> float:
        return _finite(_told(evaluation, self.name, "to maximise"))


@dataclass(frozen=True)
class Less:
    """A cost turned round: minus the score, so that less is better. Not finite, it counts as −∞.

    Parameters
    ----------
    name : str
        Of the score: ``"madds"``, ``"parameters"``, ``"latency_ms"``.

    Examples
    --------
    >>> Less("madds")(Evaluation((0,), {"madds": 1e5}))
    -100000.0
    """

    name: str

    def __call__(self, evaluation: Evaluation) -> float:
        return _finite(-_told(evaluation, self.name, "to keep low"))


@dataclass(frozen=True)
class Bounded:
    """Accuracy under a bound on a cost: what the field searches for, since without one the biggest network wins.

    An architecture over the bound scores minus its relative excess, so that every feasible one beats it and, among
    infeasible ones, the nearer to the bound wins (Deb's rule for constraints: Deb 2000, section 3). A cost that is not
    finite was not measured: it breaks the bound and scores −∞.

    Parameters
    ----------
    score : str
        Name of the cost among an evaluation's scores: ``"madds"``, ``"parameters"``, ``"latency_ms"``.
    limit : float
        Greatest cost allowed, in the score's unit; > 0.
    """

    score: str
    limit: float = ranged(REQUIRED, above=0.0, whole=False, infinite=True)

    def __post_init__(self):
        check_fields(self)

    def allows(self, evaluation: Evaluation) -> bool:
        """Whether the evaluation keeps to the bound."""
        cost = _told(evaluation, self.score, "to bound")
        return cost <= self.limit and isfinite(cost)

    def __call__(self, evaluation: Evaluation) -> float:
        if self.allows(evaluation):
            return accuracy(evaluation)
        return self._excess(evaluation)

    def _excess(self, evaluation: Evaluation) -> float:
        cost = evaluation.scores[self.score]
        return -(cost / self.limit - 1) if isfinite(cost) else -inf


@dataclass(frozen=True)
class Within(Bounded):
    """`Bounded` for another score than accuracy: ``Within("latency_ms", 2.0, of="predicted")``."""

    of: str = "predicted"

    def __call__(self, evaluation: Evaluation) -> float:
        return Score(self.of)(evaluation) if self.allows(evaluation) else self._excess(evaluation)


@dataclass(frozen=True)
class Penalised(Bounded):
    """Accuracy less a penalty in proportion to what is over the bound: accuracy − weight · (cost / limit − 1).

    `Bounded` forgets the accuracy of what is over the bound, and its penalty knows no scale: a policy gradient then
    follows the cost alone. Here ``weight`` says what an excess is worth. At 0.1, a cost of twice the limit takes away
    ten points of accuracy. The greater the weight, the better the bound is kept. Not every architecture within the
    bound beats every other one. TuNAS (Bender et al. 2020) has such a penalty on both sides of its target.

    Parameters
    ----------
    score, limit
        See `Bounded`.
    weight : float
        Accuracy, 0 to 1, that an excess of the whole limit takes away; at least 0.

    Examples
    --------
    >>> dear = Evaluation((0,), {"accuracy": 0.8, "madds": 2e5})
    >>> Bounded("madds", 1e5)(dear), round(Penalised("madds", 1e5)(dear), 3)
    (-1.0, 0.7)
    """

    weight: float = ranged(0.1, 0.0, whole=False)

    def __call__(self, evaluation: Evaluation) -> float:
        if self.allows(evaluation):
            return accuracy(evaluation)
        return _finite(accuracy(evaluation) + self.weight * self._excess(evaluation))


@dataclass(frozen=True)
class Weighted:
    """MnasNet's reward ACC · (LAT / T)^w: Tan et al. 2019, eq. 2 and 3.

    Soft, ``w`` holds on both sides of the target: an architecture twice as slow must be (2^-w − 1) better to be worth
    as much. The paper's −0.07 comes from that: doubling the latency had brought about 5 % relative accuracy, and
    a · (1 + 0.05) · (2T / T)^w = a gives w = −log₂ 1.05 = −0.0704. Hard, only what is over the target pays, by w = −1.

    Parameters
    ----------
    score : str
        Name of the cost among an evaluation's scores: ``"latency_ms"``, ``"madds"``.
    target : float
        T, in the score's unit; > 0.
    below, above : float
        w up to the target (the paper's α) and beyond (β), at most 0. Soft, as here by default: both −0.07. Hard: 0, −1.

    Examples
    --------
    >>> fast, slow = (Evaluation((0,), {"accuracy": a, "latency_ms": t}) for a, t in ((0.8, 10.0), (0.84, 20.0)))
    >>> reward = Weighted("latency_ms", 10.0)
    >>> round(reward(fast), 3), round(reward(slow), 3)
    (0.8, 0.8)
    """

    score: str
    target: float = ranged(REQUIRED, above=0.0, whole=False)
    below: float = ranged(-0.07, most=0.0)
    above: float = ranged(-0.07, most=0.0)

    def __post_init__(self):
        check_fields(self)

    def __call__(self, evaluation: Evaluation) -> float:
        relative = _told(evaluation, self.score, "to weigh") / self.target
        if not 0 < relative < inf:  # nothing costs nothing: such a cost was not measured
            return -inf
        return accuracy(evaluation) * relative ** (self.below if relative <= 1 else self.above)


@dataclass(frozen=True)
class CubedBest:
    """The reward of Zoph & Le 2017 (section 4.1): the best accuracy of the last epochs, cubed.

    The cube pulls good architectures apart: from 0.8 to 0.81 it rises by 0.019, from 0.5 to 0.51 by 0.008.

    Parameters
    ----------
    last : int
        How many epochs count (all, where there were fewer). The paper: 5 of 50.
    bound : Bounded, optional
        What breaks it scores its excess, below 0, as `Bounded` has it.

    Raises
    ------
    ValueError
        If an evaluation has no accuracies by epoch. `Training` and `TableLookup` give them with ``curve=True``.
    """

    last: int = ranged(5, 1)
    bound: Bounded | None = None

    def __post_init__(self):
        check_fields(self)

    @property
    def allows(self):
        """Whether an evaluation keeps to the bound: `Bounded.allows`. AttributeError if there is none."""
        if self.bound is None:
            raise AttributeError("this objective has no bound")
        return self.bound.allows

    def __call__(self, evaluation: Evaluation) -> float:
        if self.bound is not None and not self.bound.allows(evaluation):
            return self.bound(evaluation)
        curve = {
            int(name.removeprefix("accuracy@")): value
            for name, value in evaluation.scores.items()
            if name.startswith("accuracy@")
        }
        if not curve:
            raise ValueError("this evaluation has no accuracies by epoch: ask an estimator with curve=True")
        best = max(_finite(curve[epoch]) for epoch in sorted(curve)[-self.last :])
        return best**3 if isfinite(best) else -inf
