"""Regularised evolution, with and without aging."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import ClassVar

import numpy as np

from ..estimator import Estimator
from ..knobs import knob
from ..objectives import accuracy
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step

Member = tuple[float, int, Arch]  # fitness, number, architecture
_fitness, _number = itemgetter(0), itemgetter(1)  # of a member of the population


@dataclass
class RegularizedEvolution:
    """Regularised (aging) evolution: Real, Aggarwal, Huang & Le 2019, algorithm 1.

    A population of evaluated architectures is a queue. At each step a tournament picks a parent, one random mutation
    makes a child, the child is evaluated and joins on the right, and the *oldest* leaves on the left, however good it
    was: a lucky evaluation cannot live for ever.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates; with ``batch`` > 1 its executor may work in parallel.
    population : int
        P, the size of the population. The paper: 100 with 20,000 evaluations; here scaled down.
    tournament : int
        S, the number of members drawn, with replacement; the best of them becomes the parent. The paper: 25. With S = 1
        there is no selection, and evolution is a random walk.
    evaluations : int
        C, the number of architectures evaluated, the random first population included.
    aging : bool
        False removes the *worst* instead of the oldest: tournament selection without aging (Goldberg & Deb 1991),
        the paper's comparison.
    batch : int
        How many children are bred before the first of them is evaluated. 1 is algorithm 1 as printed. A larger batch
        changes the algorithm: all its parents are drawn from the population before it. A child can breed only after its
        batch, and information comes up to ``batch`` - 1 evaluations late; births and deaths stay one by one, in order.
        (The paper's workers run asynchronously: there, too, a parent may be dead before its child is born. Here
        everything follows from the seed, whatever the number of workers.)
    mutation : str
        The name of the space's method that mutates, ``(arch, rng) -> arch``. `SearchSpace.mutate` changes one choice at
        random; ``"mutate_as_published"`` is the paper's on its own space, `NasNetSpace.mutate_as_published`.
    objective : callable
        The function of an `Evaluation` that is maximised.
    seed : int

    Raises
    ------
    ValueError
        When iterated with a ``batch`` below 1, or a ``mutation`` that the space does not have.

    Notes
    -----
    Duplicates are evaluated again, as in the paper: under noisy evaluations, aging works through such repetitions.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "parent", "population")

    space: SearchSpace
    estimate: Estimator
    population: int = knob(50, 2, 200, help="How many architectures live at once: P in the paper")
    tournament: int = knob(10, 1, 50, help="Of how many the best becomes the parent: S in the paper")
    evaluations: int = 500
    aging: bool = True
    batch: int = 1
    mutation: str = "mutate"
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = 0

    def __len__(self) -> int:
        return self.evaluations

    def __iter__(self) -> Iterator[Step]:
        if self.batch < 1:
            raise ValueError(f"batch is how many children are bred at once, 1 or more: got {self.batch}")
        if not hasattr(self.space, self.mutation):
            raise ValueError(f"the space {self.space.name} has no mutation {self.mutation!r}; every space has 'mutate'")
        rng, number = np.random.default_rng(self.seed), 0
        alive: list[Member] = []  # oldest first
        answers: Iterable[Evaluation]
        while number < self.evaluations:
            born = [self._breed(alive, rng) for _ in range(self._litter(len(alive), number))]
            if len(born) == 1:
                answers = (self.estimate(born[0][1], seed=number),)
            else:
                answers = self.estimate.many([arch for _, arch in born], seed=number)
            for (parent, _), evaluation in zip(born, answers, strict=True):
                alive.append((self.objective(evaluation), number, evaluation.arch))
                while len(alive) > self.population:  # more than one where the slider was moved down
                    del alive[0 if self.aging else alive.index(min(alive, key=_fitness))]
                number += 1
                yield Step(evaluation, parent=parent, population=np.fromiter(map(_number, alive), "<i4", len(alive)))

    def _litter(self, alive: int, number: int) -> int:
        """Return how many to breed now: a batch, but never random architectures and children together."""
        missing = self.population - alive
        return min(self.batch, self.evaluations - number, missing if missing > 0 else self.batch)

    def _breed(self, alive: list[Member], rng: np.random.Generator) -> tuple[int, Arch]:
        """Return the number of a parent (-1: none) and an architecture to evaluate."""
        if len(alive) < self.population:
            return -1, self.space.sample(rng)
        drawn = rng.integers(len(alive), size=self.tournament).tolist()
        _, parent, arch = max([alive[i] for i in drawn], key=_fitness)
        return parent, getattr(self.space, self.mutation)(arch, rng)
