"""Regularised evolution, with and without aging."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import ClassVar, NamedTuple

import numpy as np

from ..estimator import Estimator
from ..identity import Retired
from ..knobs import knob
from ..objectives import accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategy import worth


class Member(NamedTuple):
    """An architecture that lives in the population."""

    fitness: float
    number: int  # of its evaluation
    arch: Arch


class _Count(int):
    """A number of draws that says itself how many that is: NumPy asks, and needs longer to find out than to draw."""

    def prod(self, axis=None, out=None):
        """Return itself, as `numpy.prod` expects."""
        return self


_fitness, _number = itemgetter(0), itemgetter(1)  # of a member: by place, the faster way
NOBODY = Member(float("nan"), -1, ())  # the parent of an architecture drawn at random


@dataclass
class RegularizedEvolution:
    """Regularised (aging) evolution: Real, Aggarwal, Huang & Le 2019, algorithm 1.

    A population of evaluated architectures is a queue. At each step a tournament picks a parent, one random mutation
    makes a child, the child is evaluated and joins on the right, and the *oldest* leaves on the left, however good it
    was: a lucky evaluation cannot live for ever.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates.
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
    mutation : callable, optional
        The function ``(arch, rng) -> arch`` that makes a child. None: ``space.mutate``, which changes one choice at
        random. `NasNetSpace.mutate_as_published` is the paper's, on the paper's space.
    objective : callable
        The function of an `Evaluation` that is maximised.
    seed : int

    Notes
    -----
    Duplicates are evaluated again, as in the paper: under noisy evaluations, aging works through such repetitions.
    `BatchedEvolution` evaluates several children at once.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "parent", "population")
    retired: ClassVar[dict[str, Retired]] = {"batch": Retired(1, instead="BatchedEvolution")}

    space: SearchSpace
    estimate: Estimator
    population: int = knob(
        50, 2, 200, least=1, most=1_000_000, help="How many architectures live at once: P in the paper"
    )
    tournament: int = knob(10, 1, 50, most=1_000_000, help="Of how many the best becomes the parent: S in the paper")
    evaluations: int = ranged(500, 1)
    aging: bool = True
    mutation: Callable[[Arch, np.random.Generator], Arch] | None = field(default=None, metadata={"formerly": "mutate"})
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        rng, mutate, estimate = np.random.default_rng(self.seed), self.mutation or self.space.mutate, self.estimate
        alive: deque[Member] = deque()  # the oldest on the left
        consecutive = Consecutive()
        for number in range(self.evaluations):
            if len(alive) < self.population:  # at first, and again where the slider was moved up
                parent, arch = NOBODY, self.space.sample(rng)
            else:
                parent = self.select(alive, rng)
                arch = mutate(parent.arch, rng)
            evaluation = estimate(arch, seed=number)
            alive.append(Member(worth(self.objective, evaluation), number, evaluation.arch))
            self.remove(alive)
            # Who lives has consecutive numbers, if the oldest leaves
            living = consecutive(alive[0].number, number + 1) if self.aging else numbers(alive)
            yield Step(evaluation, parent=parent.number, population=living)

    def select(self, alive: deque[Member], rng: np.random.Generator) -> Member:
        """Return the parent: the best of a tournament."""
        drawn = rng.integers(len(alive), size=_Count(self.tournament)).tolist()
        # One call takes all that were drawn out of the queue; of one alone it would make no tuple
        return max(itemgetter(*drawn)(alive), key=_fitness) if len(drawn) > 1 else alive[drawn[0]]

    def remove(self, alive: deque[Member]) -> None:
        """Remove the oldest, or without aging the worst, while there are more than P."""
        while len(alive) > self.population:  # more than one where the slider was moved down
            if self.aging:
                alive.popleft()
            else:
                alive.remove(min(alive, key=_fitness))


class Consecutive:
    """Arrays of consecutive numbers, int32, read-only: parts of one array, which grows. A new one costs three times.

    Examples
    --------
    >>> Consecutive()(3, 6)
    array([3, 4, 5], dtype=int32)
    """

    def __init__(self) -> None:
        self._all = np.empty(0, "<i4")

    def __call__(self, first: int, end: int) -> np.ndarray:
        """Return the numbers from ``first``, at least 0, up to ``end``, which is left out."""
        if end > len(self._all):
            self._all = np.arange(max(1024, 2 * end), dtype="<i4")
            self._all.flags.writeable = False  # a step's numbers are also those of others
        return self._all[first:end]


def numbers(alive: deque[Member]) -> np.ndarray:
    """Return who lives, for a step to show: the numbers of their evaluations, int32 (members,)."""
    return np.fromiter(map(_number, alive), "<i4", len(alive))
