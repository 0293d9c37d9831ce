"""Regularised evolution in batches: several children are evaluated at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..ranges import checked, ranged
from ..step import Step
from ..strategy import worth
from .evolution import NOBODY, Member, RegularizedEvolution, numbers


@dataclass
class BatchedEvolution(RegularizedEvolution):
    """Regularised evolution that breeds a batch of children before the first of them is evaluated.

    The estimator gets the whole batch, and its executor may work on it in parallel. This changes algorithm 1:

    - All parents of a batch are drawn from the population before it. A child can breed only after its batch, so that
      information comes up to ``batch`` - 1 evaluations late, and a parent may be dead before its child is born.
    - Births and deaths stay one by one, in order.
    - A batch holds random architectures or children, never both: the first children come after the whole first
      population.

    With ``batch=1`` it is `RegularizedEvolution`. The paper's workers run asynchronously, so there, too, a parent may
    be dead before its child is born. Here everything follows from the seed, whatever the number of workers.

    Parameters
    ----------
    space, estimate, population, tournament, evaluations, aging, mutation, objective, seed
        See `RegularizedEvolution`.
    batch : int
        How many architectures are evaluated at once, 1 or more.

    Raises
    ------
    ValueError
        When iterated with a number out of its range.
    """

    batch: int = ranged(8, 1)

    @checked
    def __iter__(self) -> Iterator[Step]:
        rng, mutate = np.random.default_rng(self.seed), self.mutation or self.space.mutate
        alive: deque[Member] = deque()  # the oldest on the left
        number = 0
        while number < self.evaluations:
            size = min(self.batch, self.evaluations - number)
            missing = self.population - len(alive)
            if missing > 0:
                size = min(size, missing)
                parents, archs = [NOBODY] * size, [self.space.sample(rng) for _ in range(size)]
            else:
                parents, archs = [], []
                for _ in range(size):
                    parents.append(self.select(alive, rng))
                    archs.append(mutate(parents[-1].arch, rng))
            for parent, evaluation in zip(parents, self.estimate.many(archs, seed=number), strict=True):
                alive.append(Member(worth(self.objective, evaluation), number, evaluation.arch))
                self.remove(alive)
                number += 1
                yield Step(evaluation, parent=parent.number, population=numbers(alive))
