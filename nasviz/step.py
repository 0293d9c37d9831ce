"""The records of a search: an `Evaluation` is an estimator's answer, a `Step` is one step of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf, nan
from numbers import Complex, Real
from operator import index
from types import MappingProxyType

import numpy as np

from .space import Arch

# What a step may show besides its evaluation: the meaning of each name, with shape and unit. A value without a shape
# is one number. Evaluations are numbered from 0, in the order of the search.
SHOWS = MappingProxyType(
    {
        "parent": "number of the evaluation whose architecture was mutated; -1 if there is none",
        "parents": "int32 (2): numbers of the two evaluations whose architectures were crossed; -1 if there is none",
        "position": "number of the evaluation at which a local search stands after this step",
        "place": "number of the choice whose options learn in this step",
        "errors": "float32 (choices, options): the relative error of each option of each choice, 0 for the parent's "
        "own and 1 for nothing; nan before it is known",
        "rank": "int32 (members,): the front of each member of the population; 0 for members that no other dominates",
        "population": "int32 (members,): numbers of the evaluations that are alive after this step, oldest first",
        "alphas": "float32 (choices, options): the architecture weights after the softmax, so that each row sums to 1; "
        "in FairDARTS after the sigmoid, so that each number is between 0 and 1",
        "policy": "float32 (choices, options): the probabilities from which this architecture was drawn, choice by "
        "choice, each given the choices before it; the row of an inactive choice is 0",
        "marginals": "float32 (choices, options): the mean of `policy` over the architectures of a batch",
        "entropy": "entropy of the policy, nats: the sum over the choices, then the mean over a batch",
        "reward": "the reward that the policy learns from for this evaluation",
        "baseline": "the number that is subtracted from the reward; nan before the first one is known",
        "loss": "training loss of this step, nats",
        "losses": "float32 (4,): training loss of each sub-network that this step trained, nats; nan in unused places",
        "stage": "number of the training stage to which this step belongs, from 0",
        "children": "float32 (n,): validation accuracies, 0 to 1, of the largest sub-network, the smallest, and some "
        "that were drawn, each after re-calibration of its batch-norms; nan except at the end of an epoch",
        "valid_loss": "validation loss of this step, nats",
        "valid_accuracy": "validation accuracy of this step, 0 to 1",
        "epoch": "number of the epoch to which this step belongs, from 0",
        "eigenvalue": "dominant eigenvalue of the Hessian of the validation loss in alpha, at the end of an epoch",
        "discrete_accuracy": "validation accuracy of the supernet, 0 to 1, if each edge keeps its strongest operation "
        "only; at the end of an epoch",
        "candidates": "int16 (n, choices): the architectures among which a model chose in this round; n is 0 before "
        "there is a model",
        "predicted": "float32 (n,): the model's prediction for each candidate, in the unit of the objective",
        "uncertainty": "float32 (n,): the standard deviation of each prediction, in the unit of the objective",
        "acquisition": "float32 (n,): the value by which the candidates were ranked; the greatest is evaluated first",
        "bracket": "number of the bracket of successive halving to which this evaluation belongs, from 0",
        "rung": "number of the rung within the bracket, from 0",
        "trained": "epochs that were trained for this evaluation: fewer than its epochs if an earlier training went on",
        "chosen": "number of the candidate that this step evaluated; -1 if the architecture was drawn at random",
    }
)
_SHOWS = frozenset(SHOWS)


@dataclass(frozen=True)
class Evaluation:
    """An estimator's answer about one architecture.

    Parameters
    ----------
    arch : tuple of int
    scores : mapping from str to float
        Scores by name: ``"accuracy"`` (0 to 1, nan for a training that failed), ``"madds"``, ``"latency_ms"``. The
        score of a proxy is never named accuracy.
    seconds : float
        Measured time of the evaluation, nan if nobody knows it. It differs between runs, so equality ignores it.
    epochs, seed : int
        Epochs and seed of the training that gave the scores.
    """

    arch: Arch
    scores: Mapping[str, float]
    seconds: float = field(default=0.0, compare=False)
    epochs: int = 0
    seed: int = 0

    def __init__(
        self, arch: Arch, scores: Mapping[str, float], seconds: float = 0.0, epochs: int = 0, seed: int = 0
    ) -> None:
        kept = self.__dict__  # half the time of what a frozen dataclass writes, which counts at 100,000 a second
        kept["arch"], kept["scores"], kept["seconds"] = arch, scores, seconds
        kept["epochs"], kept["seed"] = epochs, seed

    def __eq__(self, other):
        if not isinstance(other, Evaluation):
            return NotImplemented
        mine, its = (self.arch, self.epochs, self.seed), (other.arch, other.epochs, other.seed)
        return (
            mine == its
            and self.scores.keys() == other.scores.keys()
            and all(same(value, other.scores[name]) for name, value in self.scores.items())
        )

    __hash__ = None  # type: ignore[assignment]  # mypy has no other way to say it


class Step:
    """The record of one step of a search. It leaves out everything that can be derived from earlier steps.

    Parameters
    ----------
    evaluation : Evaluation, optional
        The evaluation of this step. A step of a weight-sharing search has none.
    state : bytes, optional
        Safetensors from which the search can continue after a kill. Equality ignores it.
    **shows
        Numbers and arrays for views, with names from `SHOWS`; any other name raises ValueError. Arrays are small: they
        hold *numbers of evaluations*, not copies of them.
    """

    __slots__ = ("evaluation", "state", "shows")

    def __init__(self, evaluation: Evaluation | None = None, state: bytes | None = None, **shows):
        if not shows.keys() <= _SHOWS:
            unknown = shows.keys() - _SHOWS
            raise ValueError(f"a step cannot show {sorted(unknown)}; what it can: {sorted(SHOWS)} (nasviz/step.py)")
        self.evaluation, self.state, self.shows = evaluation, state, shows

    def __eq__(self, other):
        if not isinstance(other, Step):
            return NotImplemented
        return (
            self.evaluation == other.evaluation
            and self.shows.keys() == other.shows.keys()
            and all(same(value, other.shows[name]) for name, value in self.shows.items())
        )

    __hash__ = None  # type: ignore[assignment]  # mypy has no other way to say it

    def __repr__(self):
        return f"Step({self.evaluation}, {', '.join(self.shows)})"


# ------------------------------------------------------------------------------------------ what others give as numbers
_INT, _FLOAT, _TEXT = {int}, {float}, {str}


def plain(said, asked: Arch | None = None) -> Evaluation:
    """Return an estimator's answer in the types that every file keeps exactly: the place where answers enter.

    Choices, epochs and seed become int, scores and seconds float. Whatever is one number may be given: a number of
    Python, NumPy or torch, an array without dimensions, a bool (1.0 or 0.0), a ``Decimal``, a ``Fraction``. nan and
    the infinities are scores too. Seconds that are None are unknown, which is nan; epochs that are None are 0.

    Parameters
    ----------
    said : Evaluation
    asked : tuple of int, optional
        The architecture that the estimator was asked about.

    Raises
    ------
    ValueError
        If it is no `Evaluation`, is about another architecture than the one that was asked, or has an entry that is not
        one number: the message names it.
    """
    if type(said) is Evaluation:
        arch, scores = said.arch, said.scores
        if (
            type(arch) is tuple
            and type(scores) is dict
            and type(said.seconds) is float
            and type(said.epochs) is type(said.seed) is int
            and _INT.issuperset(map(type, arch))
            and _FLOAT.issuperset(map(type, scores.values()))
            and _TEXT.issuperset(map(type, scores))
            and (asked is None or arch == asked)
        ):
            return said
    elif not isinstance(said, Evaluation):
        raise ValueError(
            f"an estimator answered {said!r:.60} ({type(said).__name__}). "
            "Let it return an Evaluation(arch, {'accuracy': …})"
        )
    arch = choices_of(said.arch)
    if asked is not None and arch != tuple(asked):
        raise ValueError(f"an estimator was asked about {tuple(asked)} and answered about {arch}. Let it return that")
    if not isinstance(said.scores, Mapping):
        raise ValueError(f"the scores of {arch} are {said.scores!r:.60}: they must be a dict, {{'accuracy': …}}")
    scores = {}
    for name, value in said.scores.items():
        if not isinstance(name, str):
            raise ValueError(f"a score of {arch} is named {name!r:.60}: a name must be a text")
        scores[str.__str__(name)] = number(value, f"the score {name!r} of {arch}")
    seconds = unknown_or_number(said.seconds, f"the seconds of {arch}")
    epochs = 0 if said.epochs is None else whole(said.epochs, f"the epochs of {arch}")
    return Evaluation(arch, scores, seconds, epochs, whole(said.seed, f"the seed of {arch}"))


def number(value, what: str) -> float:
    """Return one number as a float. ValueError for anything else, and for what is too large: it begins with ``what``.

    See `plain` for what is one number.
    """
    if type(value) is float:
        return value
    given = value
    try:
        if not isinstance(value, Real) and getattr(value, "shape", None) == () and hasattr(value, "item"):
            value = value.item()  # an array without dimensions, a scalar of torch
        odd = isinstance(value, Complex) and not isinstance(value, Real)
        if odd or len(getattr(value, "shape", ())) or getattr(getattr(given, "dtype", None), "kind", "") in ("m", "M"):
            raise TypeError
        out: float | None = float(value) if hasattr(value, "__float__") else float(index(value))  # no text, no bytes
    except OverflowError:
        out = None
    except Exception:  # whatever somebody else's type raises, it is no number
        shape = f" of shape {tuple(given.shape)}" if getattr(given, "shape", ()) != () else ""
        raise ValueError(
            f"{what} is {given!r:.60} ({type(given).__name__}{shape}), not one number. "
            "Give a float, or float('nan') where there is none, or leave it out"
        ) from None
    if out is None or (isinf(out) and value != out):
        raise ValueError(f"{what} is {str(given)[:30]}…, more than a float can hold. Give it in another unit")
    return out


def unknown_or_number(value, what: str) -> float:
    """Return `number`, and nan for None: what nobody measured."""
    return nan if value is None else number(value, what)


def whole(value, what: str) -> int:
    """Return a whole number as an int. ValueError for anything else: it begins with ``what``."""
    try:
        return int(value) if isinstance(value, float) and value.is_integer() else index(value)
    except Exception:  # as in `number`
        raise ValueError(f"{what} is {value!r:.60} ({type(value).__name__}), not a whole number") from None


def choices_of(arch) -> Arch:
    """Return an architecture as a tuple of plain ints. ValueError if it is none."""
    try:
        return tuple(index(option) for option in arch)
    except Exception:  # as in `number`
        raise ValueError(f"{arch!r:.80} is no architecture: it must be a tuple of whole numbers") from None


def same(a, b) -> bool:
    """Return whether numbers or arrays are equal. NaN equals NaN: a replay repeats a failed training exactly."""
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)
