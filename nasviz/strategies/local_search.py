"""Local search: look at the neighbours, go to the best, start again where nothing is better."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..estimator import Estimator
from ..objectives import accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategy import worth

Known = dict[Arch, tuple[int, float]]  # number and value of what was evaluated, in the order asked
MISSES = 200  # known random starts in a row after which the search ends: hardly anything new is left


@dataclass
class LocalSearch:
    """Hill climbing over one-edit neighbours, with restarts: White, Nolen & Savani 2021, algorithm 1.

    The search starts at a random architecture and evaluates all that differ from it in one choice. It moves to the best
    of them, and repeats this until none is better. Then it starts again elsewhere, until the budget is spent.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates; with ``batch`` > 1 its executor may work in parallel.
    evaluations : int
        Number of evaluations. The search ends earlier if 200 random starts in a row are known already.
    first : bool
        True moves to the first better neighbour, in random order, instead of the best of all ("query until lower" in
        the paper).
    batch : int
        How many neighbours are evaluated at once. If ``first`` is False, this changes only the waiting time. If True,
        the search moves to the best of the first batch that contains a better neighbour.
    objective : callable
        The function of an `Evaluation` that is maximised.
    seed : int

    Raises
    ------
    ValueError
        When iterated with a number out of its range.

    Notes
    -----
    An architecture is evaluated once, as in the paper: its value is remembered. So with noisy evaluations a lucky
    architecture is a peak that the search leaves only by a restart. Two tuples that compute the same function count as
    two architectures. Steps show two numbers of evaluations: ``parent``, of the architecture whose neighbour this is
    (-1: a random start), and ``position``, of the architecture where the search stands after the step.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "parent", "position")

    space: SearchSpace
    estimate: Estimator
    evaluations: int = ranged(300, 1)
    first: bool = False
    batch: int = ranged(1, 1)
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        rng = np.random.default_rng(self.seed)
        known: Known = {}
        while len(known) < self.evaluations and (start := self._unknown(known, rng)) is not None:
            evaluation = self.estimate(start, seed=len(known))
            at = known[start] = len(known), worth(self.objective, evaluation)
            yield Step(evaluation, parent=-1, position=at[0])
            here: Arch | None = None
            while here != start and len(known) < self.evaluations:  # until no neighbour is better
                here = start
                start = yield from self._climb(here, known, rng)

    def _unknown(self, known: Known, rng: np.random.Generator) -> Arch | None:
        """Return a random architecture that is not yet evaluated, or None."""
        for _ in range(MISSES):
            if (arch := self.space.sample(rng)) not in known:
                return arch
        return None

    def _climb(self, here: Arch, known: Known, rng: np.random.Generator) -> Generator[Step, None, Arch]:
        """Evaluate the neighbours that are not known yet. Return the neighbour to move to, or ``here``."""
        around = list(self.space.neighbors(here))
        around = [around[i] for i in rng.permutation(len(around)).tolist()]
        best = max([here, *(arch for arch in around if arch in known)], key=lambda arch: known[arch][1])
        if self.first and best != here:
            return best
        todo = [arch for arch in around if arch not in known][: self.evaluations - len(known)]
        for start in range(0, len(todo), self.batch):
            asked = todo[start : start + self.batch]
            end = start + len(asked) == len(todo)
            for arch, evaluation in zip(asked, self.estimate.many(asked, seed=len(known)), strict=True):
                known[arch] = len(known), worth(self.objective, evaluation)
                if known[arch][1] > known[best][1]:
                    best = arch
                moves = arch == asked[-1] and (end or (self.first and best != here))
                yield Step(evaluation, parent=known[here][0], position=known[best if moves else here][0])
            if self.first and best != here:
                break
        return best
