"""NSGA-II: evolution of a population that spreads along the Pareto front of two objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from ..estimator import Estimator
from ..knobs import knob
from ..objectives import Less, accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategy import worth
from .breeding import crossed, mutated


def nondominated_sort(values) -> np.ndarray:
    """Return each point's front: 0 for points that no other dominates, 1 for those that only front 0 dominates, etc.

    One point dominates another if it is nowhere worse and somewhere better. The method is that of Deb et al. 2002,
    section III-A: count how many points dominate each point, then subtract those of the fronts already found.

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
    """Return the crowding distance of each point of one front: the gap between its neighbours (Deb et al. 2002, III-B).

    For each objective, the gap between the neighbours on either side is a share of the front's range. The distance is
    the sum of these shares; it is infinite for the first and the last point of an objective.

    Parameters
    ----------
    values : array of shape (n, objectives)
        A gap to an infinite value counts as no gap.

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

    A generation of children is bred by binary tournaments, crossover and mutation. Then the best of parents and
    children together survive, front by front. Where a front does not fit as a whole, its points with the greatest
    crowding distance survive. The result is not one architecture but a front: `nondominated_sort` of all evaluations.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates. It gets the children of a generation in one call, so that
        its executor may evaluate several in parallel.
    objectives : sequence of two (or more) callables
        Functions of an `Evaluation`, all maximised; `nasviz.objectives.Less` reverses the sign of a cost.
    population : int
        N, the size of the population. The paper: 100 for 25,000 evaluations.
    batch : int
        Number of children in a generation. The paper: N. 1 is the steady-state variant: each child can breed at once.
    crossover : float
        The chance that a child has two parents: each choice is then one of either parent's, at random (uniform
        crossover; the paper's is for numbers or bits, where neighbours matter). The paper: 0.9.
    evaluations : int
        Number of evaluations, the random first population included.
    seed : int

    Raises
    ------
    ValueError
        When iterated with fewer than two objectives, or a number out of its range.

    Notes
    -----
    Mutation changes each active choice to another option with a chance of one in the number of such choices, the
    paper's rate. A child that breaks a rule of the space is bred again; after 100 tries it is a single mutation of its
    first parent. Duplicates are evaluated again, as in the paper. Of equal points on a front all but the outer ones
    have crowding distance 0, so they die first. Steps show ``parents`` (-1: none), ``population`` (within a generation:
    the survivors of the last one and the children so far) and ``rank``, the front of each member.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "parents", "population", "rank")

    space: SearchSpace
    estimate: Estimator
    objectives: Sequence[Callable[[Evaluation], float]] = (accuracy, Less("madds"))
    population: int = knob(
        40, 4, 200, least=1, most=1_000_000, help="How many live on after each generation: N in the paper"
    )
    batch: int = ranged(40, 1)
    crossover: float = knob(0.9, 0.0, 1.0, most=1.0, help="Chance that a child has two parents")
    evaluations: int = ranged(400, 1)
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        if len(self.objectives) < 2:
            raise ValueError(f"Nsga2 needs two objectives or more: got {len(self.objectives)}")
        rng, number = np.random.default_rng(self.seed), 0
        alive: list[tuple[int, Arch]] = []  # (number of the evaluation, architecture), oldest first
        values: dict[int, list[float]] = {}  # of each member of the population, by its number
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
                values[number] = self._worth(evaluation)
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

    def _worth(self, evaluation: Evaluation) -> list[float]:
        """Return all objectives. Where one failed, all are −∞: else a failure of little cost would lead the front."""
        values = [worth(objective, evaluation) for objective in self.objectives]
        return values if -inf not in values else [-inf] * len(values)

    def _fitness(self, values: list[list[float]]) -> list[tuple[int, float]]:
        """Return each one's minus front, then crowding distance. The greater wins (the crowded-comparison operator)."""
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
        """Breed a child; return its parents too, each of them the better of two drawn at random."""
        first, second = (max(rng.integers(len(alive), size=2).tolist(), key=lambda i: fitness[i]) for _ in range(2))
        if rng.random() >= self.crossover:
            second = first
        (a, one), (b, other) = alive[first], alive[second]
        for _ in range(100):
            child = mutated(self.space, crossed(one, other, rng), rng)
            if self.space.why_invalid(child) is None:
                return (a, b), child
        return (a, a), self.space.mutate(one, rng)
