"""Successive halving and Hyperband: train many architectures a little, then train the better ones further."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import ClassVar, cast

import numpy as np

from ..estimator import Estimator
from ..estimators.curve import survivors
from ..objectives import accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategy import worth


@dataclass
class SuccessiveHalving:
    """Successive halving: Jamieson & Talwalkar 2016, figure 3, on epochs, in the form of Hyperband's inner loop.

    A bracket begins with random architectures and few epochs. After each rung the best 1/η continue to η times as many
    epochs, until the last ones have the full training. Then the next bracket begins, until the budget is spent.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates: it must accept ``estimate(arch, epochs=e)``.
    evaluations : int
        Number of evaluations in all, the short trainings included: less work than as many full trainings.
    eta : int
        η, 2 or more: one architecture of so many continues. The paper: 2.
    epochs : int
        R, the epochs of a full training: those of the recipe or of the table.
    least : int
        r, the epochs of a bracket's first rung, 1 to R.
    architectures : int
        n, the architectures of its first rung. η to the power of the number of rungs less one leaves one at the end.
    continued : bool
        False: each rung trains again from the beginning, with a seed of its own, in one call to the estimator, and
        costs all its epochs. True: each rung continues *the same* training, so the estimator is called with the same
        seed, one architecture at a time, and the rung costs only the further epochs. True is right for a table
        (`TableLookup` gives the state of one training after e epochs), and wrong for `Training`, which keeps no weights
        between two calls.
    objective : callable
        The function of an `Evaluation` that is maximised. It ranks within a rung only.
    seed : int

    Raises
    ------
    ValueError
        When iterated with a number that is out of range.

    Notes
    -----
    A short training here is the full recipe *stopped early*. Its learning rate, a cosine over all R epochs, is still
    high then, and the accuracies are noisier and lower than those of a recipe made for so few epochs. Only so can a
    training be continued. Architectures are drawn as in random search, duplicates included, as in the paper. Steps show
    ``bracket`` and ``rung``, from 0, and ``trained``, the epochs that the step cost; ``seconds`` is its cost likewise.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "bracket", "rung", "trained")

    space: SearchSpace
    estimate: Estimator
    evaluations: int = ranged(300, 1)
    eta: int = ranged(2, 2)
    epochs: int = ranged(8, 1)
    least: int = ranged(1, 1)
    architectures: int = ranged(8, 1)
    continued: bool = False
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def brackets(self) -> list[list[tuple[int, int]]]:
        """Return the brackets that take turns, each as its rungs: (number of architectures, epochs)."""
        return [rungs(self.architectures, self.least, self.epochs, self.eta)]

    @checked
    def __iter__(self) -> Iterator[Step]:
        rng, number = np.random.default_rng(self.seed), 0
        told: list[Evaluation] = []
        for turn, bracket in enumerate(cycle(self.brackets())):
            alive: list[tuple[Arch, int, Evaluation | None]] = []  # (architecture, seed, last evaluation)
            for rung, (count, epochs) in enumerate(bracket):
                if rung == 0:
                    alive = [(arch, number + i, None) for i, arch in enumerate(self.propose(count, told, rng))]
                else:
                    stay = survivors(
                        [(worth(self.objective, cast("Evaluation", said)),) for _, _, said in alive], count
                    )
                    alive = [alive[i] for i in stay]
                alive, answers = alive[: self.evaluations - number], []
                for said, before in zip(self._answers(alive, epochs, number), alive, strict=True):
                    answers.append(said)
                    told.append(said)
                    number += 1
                    cost = said
                    if self.continued and before[2]:
                        cost = replace(said, seconds=max(0.0, said.seconds - before[2].seconds))
                    trained = epochs - (before[2].epochs if self.continued and before[2] else 0)
                    yield Step(cost, bracket=turn, rung=rung, trained=trained)
                if number == self.evaluations:
                    return
                alive = [(arch, seed, said) for (arch, seed, _), said in zip(alive, answers, strict=True)]

    def propose(self, count: int, told: Sequence[Evaluation], rng: np.random.Generator) -> list[Arch]:
        """Draw ``count`` architectures for a bracket's first rung, at random. ``told``: all evaluations before it."""
        return [self.space.sample(rng) for _ in range(count)]

    def _answers(self, alive: list[tuple], epochs: int, number: int) -> Iterator[Evaluation]:
        if self.continued:
            return (self.estimate(arch, epochs=epochs, seed=seed) for arch, seed, _ in alive)
        return self.estimate.many([arch for arch, _, _ in alive], epochs=epochs, seed=number)


@dataclass
class Hyperband(SuccessiveHalving):
    """Hyperband: Li, Jamieson, DeSalvo, Rostamizadeh & Talwalkar 2018, algorithm 1.

    The number of epochs that is enough to rank architectures is not known beforehand. So brackets of successive halving
    take turns, each with fewer architectures and more epochs in its first rung. The last bracket trains a few
    architectures fully at once. With R and η, bracket s, from ⌊log_η R⌋ to 0, begins with ⌈(s_max + 1)/(s + 1) · η^s⌉
    architectures at R·η^−s epochs, so that all cost about the same.

    Parameters
    ----------
    space, estimate, evaluations, eta, epochs, continued, objective, seed
        See `SuccessiveHalving`. The paper: η = 3. ``least`` is the least number of epochs in any bracket;
        ``architectures`` is not used.
    """

    @checked
    def brackets(self) -> list[list[tuple[int, int]]]:
        """Return all brackets of algorithm 1, the one with the shortest first rung first."""
        most = len(rungs(1, self.least, self.epochs, self.eta)) - 1
        return [
            rungs(-(-(most + 1) * self.eta**s // (s + 1)), self.epochs / self.eta**s, self.epochs, self.eta)
            for s in range(most, -1, -1)
        ]


def rungs(architectures: int, least: float, epochs: int, eta: int) -> list[tuple[int, int]]:
    """Return one bracket: ``[(architectures, epochs), …]``, from ``least`` epochs to at most ``epochs``, times ``eta``.

    Epochs are rounded to whole numbers. Architectures are rounded down, but at least to one. ValueError for numbers out
    of range.

    Examples
    --------
    >>> rungs(8, 1, 8, 2)
    [(8, 1), (4, 2), (2, 4), (1, 8)]
    """
    if eta < 2 or architectures < 1 or not 0 < least <= epochs:
        raise ValueError(
            f"needs eta from 2, architectures from 1 and least from 1 to epochs, got eta {eta}, architectures "
            f"{architectures}, least {least} and epochs {epochs}"
        )
    out, power = [], 1
    while least * power <= epochs * (1 + 1e-9):
        out.append((max(1, architectures // power), max(1, round(least * power))))
        power *= eta
    return out
