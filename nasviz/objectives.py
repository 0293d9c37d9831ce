"""What a search maximises: functions of an `Evaluation`."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

from .step import Evaluation


def accuracy(evaluation: Evaluation) -> float:
    """Accuracy, 0 to 1; a failed training (nan) is −inf and loses every comparison.

    With Python's ``max`` a leading nan would win the tournament: no comparison with it is true.
    """
    value = evaluation.scores["accuracy"]
    return -inf if isnan(value) else value


@dataclass(frozen=True)
class Score:
    """Any one score, the greater the better: what a search on a proxy maximises. nan counts as −∞.

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
        if self.name not in evaluation.scores:
            known = sorted(evaluation.scores)
            raise ValueError(f"this evaluation has no score {self.name!r} to maximise; its scores: {known}")
        value = evaluation.scores[self.name]
        return -inf if isnan(value) else value


@dataclass(frozen=True)
class Bounded:
    """Accuracy under a bound on a cost: what the field searches for, since without one the biggest network wins.

    An architecture over the bound scores minus its relative excess, so that every feasible one beats it and, among
    infeasible ones, the nearer to the bound wins (Deb's rule for constraints: Deb 2000, section 3).

    Parameters
    ----------
    score : str
        Name of the cost among an evaluation's scores: ``"madds"``, ``"parameters"``, ``"latency_ms"``.
    limit : float
        Greatest cost allowed, in the score's unit; > 0.
    """

    score: str
    limit: float

    def __post_init__(self):
        if not self.limit > 0:
            raise ValueError(f"the bound on {self.score} must be greater than 0, got {self.limit}")

    def allows(self, evaluation: Evaluation) -> bool:
        """Whether the evaluation keeps to the bound."""
        if self.score not in evaluation.scores:
            known = sorted(evaluation.scores)
            raise ValueError(f"this evaluation has no score {self.score!r} to bound; its scores: {known}")
        return evaluation.scores[self.score] <= self.limit

    def __call__(self, evaluation: Evaluation) -> float:
        if self.allows(evaluation):
            return accuracy(evaluation)
        return -(evaluation.scores[self.score] / self.limit - 1)
