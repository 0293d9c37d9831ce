"""Regularised evolution, and its twin that lets the best live for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..evaluate import Estimator
from ..objectives import accuracy
from ..search import knob
from ..space import SearchSpace
from ..step import Evaluation, Step


@dataclass
class RegularizedEvolution:
    """Regularised (aging) evolution: Real, Aggarwal, Huang & Le 2019, algorithm 1.

    A population of evaluated architectures is a queue. At each step a tournament picks a parent, one random mutation
    makes a child, the child is evaluated and joins on the right, and the *oldest* leaves on the left, however good it
    was: a lucky evaluation cannot live for ever.

    Parameters
    ----------
    space, estimate
        Where to search, and who answers.
    population : int
        P. The paper: 100 with 20,000 evaluations; here scaled down.
    tournament : int
        S, the sample of which the best becomes the parent: drawn with replacement. The paper: 25. With S = 1 there is
        no selection, and evolution is a random walk.
    evaluations : int
        C, the number of architectures evaluated, the random first population included.
    aging : bool
        False removes the *worst* instead of the oldest: tournament selection without aging (Goldberg & Deb 1991),
        the paper's comparison.
    objective : callable
        What is maximised: a function of an `Evaluation`.
    seed : int

    Notes
    -----
    Duplicates are evaluated again, as in the paper: under noisy evaluations that is what aging is about.
    """

    shows: ClassVar = ("evaluation", "parent", "population")

    space: SearchSpace
    estimate: Estimator
    population: int = knob(50, 2, 200, help="How many architectures live at once: P in the paper")
    tournament: int = knob(10, 1, 50, help="Of how many the best becomes the parent: S in the paper")
    evaluations: int = 500
    aging: bool = True
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = 0

    def __len__(self) -> int:
        return self.evaluations

    def __iter__(self) -> Iterator[Step]:
        rng, alive = np.random.default_rng(self.seed), deque()       # alive: (number, evaluation), oldest first
        for number in range(self.evaluations):
            if len(alive) < self.population:
                parent, arch = -1, self.space.sample(rng)
            else:
                drawn = rng.integers(len(alive), size=self.tournament).tolist()
                parent, best = max((alive[i] for i in drawn), key=self._fitness)
                arch = self.space.mutate(best.arch, rng)
            evaluation = self.estimate(arch, seed=number)
            alive.append((number, evaluation))
            while len(alive) > self.population:                       # more than once where the slider was moved down
                if self.aging:
                    alive.popleft()
                else:
                    alive.remove(min(alive, key=self._fitness))
            yield Step(evaluation, parent=parent, population=np.array([n for n, _ in alive], "<i4"))

    def _fitness(self, individual: tuple[int, Evaluation]) -> float:
        return self.objective(individual[1])
