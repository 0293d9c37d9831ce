"""The records of a search: an `Evaluation` is an estimator's answer, a `Step` is one step of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from .space import Arch

SHOWS = MappingProxyType(
    {
        "parent": "number of the evaluation whose architecture was mutated, -1 for none",
        "parents": "int32 (2): numbers of the evaluations that were crossed, -1 for none",
        "position": "number of the evaluation where a local search stands, after this step",
        "rank": "int32, one for each of the population: its front, 0 for the ones that none dominates",
        "population": "numbers of the evaluations alive, oldest first",
        "alphas": "float32 (choices, options): architecture weights after the softmax, rows sum to 1; after "
        "FairDARTS's sigmoids, 0 to 1 each",
        "policy": "float32 (choices, options): probabilities of all options when this one was drawn, each given the "
        "choices before; 0 in rows of inactive choices",
        "marginals": "float32 (choices, options): the mean of `policy` over a batch",
        "entropy": "of the policy: the mean over a batch of the sum over choices, nats",
        "reward": "what the policy is told of this evaluation",
        "baseline": "what is subtracted from the reward, nan before there is one",
        "loss": "training loss of this step, nats",
        "losses": "float32 (4): training losses of the sub-networks of this step, nats, nan beyond the last",
        "stage": "which stage of a training with several this is, from 0",
        "children": "float32 (n,): validation accuracies of the largest sub-network, the smallest and some that were "
        "drawn, with re-calibrated batch-norms, 0 to 1; nan but at the end of an epoch",
        "valid_loss": "validation loss of this step, nats",
        "valid_accuracy": "validation accuracy of this step, 0 to 1",
        "epoch": "epoch of the search to which this step belongs, from 0",
        "eigenvalue": "dominant eigenvalue of the validation loss's Hessian in alpha, at the end of an epoch",
        "discrete_accuracy": "validation accuracy of the supernet with each edge's strongest operation alone, 0 to 1, "
        "at the end of an epoch",
        "candidates": "int16 (n, choices): the architectures that were looked at in this round, none before a model",
        "predicted": "float32 (n,): what the model expects of each candidate, in the unit of the objective",
        "uncertainty": "float32 (n,): standard deviation of what it expects",
        "acquisition": "float32 (n,): value by which candidates were chosen, the greatest first",
        "bracket": "which bracket of successive halving this is, from 0",
        "rung": "which rung of the bracket, from 0",
        "trained": "epochs that this evaluation cost: fewer than it has, where an earlier training went on",
        "chosen": "which candidate this step evaluated, -1 for a random architecture",
    }
)


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
        Measured time of the evaluation. It differs between runs, so equality ignores it.
    epochs, seed : int
        Epochs and seed of the training that gave the scores.
    """

    arch: Arch
    scores: Mapping[str, float]
    seconds: float = field(default=0.0, compare=False)
    epochs: int = 0
    seed: int = 0

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
        if unknown := shows.keys() - SHOWS.keys():
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


def same(a, b) -> bool:
    """Return whether numbers or arrays are equal. NaN equals NaN: a replay repeats a failed training exactly."""
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)
