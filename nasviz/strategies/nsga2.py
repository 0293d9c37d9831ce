"""NSGA-II: a population that spreads along the front of two objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..estimator import Estimator
from ..knobs import knob
from ..objectives import Less, accuracy
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from .breeding import crossed, mutated


def nondominated_sort(values) -> np.ndarray:
    """The front of each point: 0 for those that none dominates, 1 for those that only front 0 dominates, and so on.

    One point dominates another if it is nowhere worse and somewhere better (Deb et al. 2002, section III-A, whose
    bookkeeping this is: how many dominate a point, less those of the fronts already named).

    Parameters
    ----------
    values : array of shape (n, objectives)
        Greater is better; no nan.

    Returns
    -------
    int array of shape (n,)
    """
    values = np.asarray(values, float)
    no_worse = (values[:, None] >= values[None]).all(2)
    dominates = no_worse & ~no_worse.T
    left, ranks, rank = dominates.sum(0), np.full(len(values), -1), 0
    while (front := (left == 0) & (ranks < 0)).any():
        ranks[front] = rank
        left = left - dominates[front].sum(0)
        rank += 1
    return ranks


def crowding(values) -> np.ndarray:
    """The crowding distance of each point of one front: how much room its neighbours leave (Deb et al. 2002, III-B).

    Per objective, the gap between the neighbours on either side as a share of the front's range, summed over the
    objectives; infinite for a first and a last one.

    Parameters
    ----------
    values : array of shape (n, objectives)
        Infinite ones count as no gap.

    Returns
    -------
    float array of shape (n,)
    """
    values = np.asarray(values, float)
    out = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        ranked = np.where(np.isfinite(column[order]), column[order], 0.0)
        span = ranked[-1] - ranked[0]
        if span > 0:
            out[order[1:-1]] += (ranked[2:] - ranked[:-2]) / span
        out[order[[0, -1]]] = np.inf
    return out


@dataclass
class Nsga2:
    """NSGA-II: Deb, Pratap, Agarwal & Meyarivan 2002; on architectures: Lu et al. 2019 (NSGA-Net).

    A generation of children is bred by binary tournaments, crossover and mutation; of parents and children together
    the best live on: front by front, and within the front that does not fit whole, those with the most room around
    them. What is found is not one architecture but the front: `nondominated_sort` of all evaluations.

    Parameters
    ----------
    space, estimate
        Where to search, and who answers: the children of a generation in one call, so that its executor may evaluate
        several at once.
    objectives : sequence of two (or more) callables
        Functions of an `Evaluation`, all maximised; `nasviz.objectives.Less` turns a cost round.
    population : int
        N. The paper: 100 for 25,000 evaluations.
    batch : int
        Children a generation. The paper: N. 1 is the steady-state variant: each child can breed at once.
    crossover : float
        The chance that a child has two parents: each choice is then one of either parent's, at random (uniform
        crossover; the paper's is for numbers or bits, where neighbours matter). The paper: 0.9.
    evaluations : int
        The random first population included.
    seed : int

    Raises
    ------
    ValueError
        When iterated with fewer than two objectives or a ``batch`` below 1.

    Notes
    -----
    Mutation: each active choice with a chance of one in their number becomes another option, the paper's rate. A child
    that breaks a rule of the space is bred again; after 100 tries it is a single mutation of its first parent.
    Duplicates are evaluated again, as in the paper; of equals on a front all but the outer ones have no room, so
    they die first. Steps show ``parents`` (-1: none), ``population`` and ``rank``, the front of each of it: within a
    generation, the survivors of the last and the children so far.
    """

    shows: ClassVar = ("evaluation", "parents", "population", "rank")

    space: SearchSpace
    estimate: Estimator
    objectives: Sequence[Callable[[Evaluation], float]] = (accuracy, Less("madds"))
    population: int = knob(40, 4, 200, help="How many live on after each generation: N in the paper")
    batch: int = 40
    crossover: float = knob(0.9, 0.0, 1.0, help="Chance that a child has two parents")
    evaluations: int = 400
    seed: int = 0

    def __len__(self) -> int:
        return self.evaluations

    def __iter__(self) -> Iterator[Step]:
        if len(self.objectives) < 2 or self.batch < 1:
            raise ValueError(f"two objectives and a batch of 1: got {len(self.objectives)} and {self.batch}")
        rng, number = np.random.default_rng(self.seed), 0
        alive: list[tuple[int, Arch]] = []                    # (number of the evaluation, architecture), oldest first
        values: dict[int, list[float]] = {}                   # of each living one, by its number
        while number < self.evaluations:
            room = self.evaluations - number
            if not alive:
                born = [((-1, -1), self.space.sample(rng)) for _ in range(min(self.population, room))]
            else:
                fitness = self._fitness([values[n] for n, _ in alive])
                born = [self._breed(alive, fitness, rng) for _ in range(min(self.batch, room))]
            answers = self.estimate.many([arch for _, arch in born], seed=number)
            for count, (((first, second), arch), evaluation) in enumerate(zip(born, answers, strict=True), 1):
                alive.append((number, arch))
                values[number] = [objective(evaluation) for objective in self.objectives]
                if count == len(born):
                    alive = self._survivors(alive, values)
                    values = {n: values[n] for n, _ in alive}
                number += 1
                yield Step(
                    evaluation,
                    parents=np.array([first, second], "<i4"),
                    population=np.array([n for n, _ in alive], "<i4"),
                    rank=nondominated_sort([values[n] for n, _ in alive]).astype("<i4"),
                )

    def _fitness(self, values: list[list[float]]) -> list[tuple[int, float]]:
        """Of each: minus its front, then the room around it. The greater wins (the crowded-comparison operator)."""
        points = np.array(values)
        ranks, space = nondominated_sort(points), np.zeros(len(points))
        for rank in range(ranks.max() + 1):
            space[ranks == rank] = crowding(points[ranks == rank])
        return list(zip((-ranks).tolist(), space.tolist(), strict=True))

    def _survivors(self, alive: list[tuple[int, Arch]], values: dict) -> list[tuple[int, Arch]]:
        fitness = self._fitness([values[n] for n, _ in alive])
        best = sorted(range(len(alive)), key=lambda i: fitness[i], reverse=True)[: self.population]
        return [alive[i] for i in sorted(best)]

    def _breed(self, alive: list, fitness: list, rng: np.random.Generator) -> tuple[tuple[int, int], Arch]:
        """A child and its parents, each the better of two drawn at random."""
        first, second = (max(rng.integers(len(alive), size=2).tolist(), key=lambda i: fitness[i]) for _ in range(2))
        if rng.random() >= self.crossover:
            second = first
        (a, one), (b, other) = alive[first], alive[second]
        for _ in range(100):
            child = mutated(self.space, crossed(one, other, rng), rng)
            if self.space.why_invalid(child) is None:
                return (a, b), child
        return (a, a), self.space.mutate(one, rng)
