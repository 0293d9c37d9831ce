"""The search of Single path one-shot: evolution with crossover among architectures that keep to limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ..estimator import Estimator
from ..knobs import knob
from ..objectives import accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategy import worth
from .breeding import crossed, mutated

Found = tuple[float, int, Arch]  # fitness, number, architecture
TRIES = 100  # tries to breed a new child within the limits, before an architecture is drawn instead
DRAWS = 10_000  # architectures drawn for one within the limits, before the search gives up


@dataclass
class Spos:
    """Evolution within limits: Guo et al. 2020 ("Single path one-shot"), section 3.4 and algorithm 1.

    The best architectures so far breed. One half of a generation are children of two of them, each choice from either
    parent; the other half are mutations of one. A child outside the limits is bred again *before* it is evaluated:
    parameters, multiply-adds and a latency from a table are known without asking the supernet.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates: in the paper this is `nasviz.estimators.Inherited` with
        re-calibrated batch-norms. It gets a generation in one call.
    cost : callable, optional
        Function from an architecture to its costs by name, such as `Inherited.cost`, or ``cost`` of a
        `nasviz.hardware.Target`.
    limits : mapping of str to float
        The greatest value allowed of each cost, such as ``{"madds": 2e5, "parameters": 2e4}``.
    population : int
        P, the size of each generation. The paper: 50, for 20 generations.
    top : int
        k, the number of best architectures so far that breed; each architecture is among them once.
    mutation : float
        The chance of each choice to become another option.
    evaluations : int
        Number of evaluations, the random first generation included.
    objective : callable
        The function of an `Evaluation` that is maximised, such as ``Score("inherited")``.
    seed : int

    Raises
    ------
    ValueError
        When iterated, if ``cost`` does not give a limited cost, none of 10,000 drawn architectures is within limits, or
        a number is out of its range.

    Notes
    -----
    A child that equals a parent, or breaks a rule of the space, is bred again too; after 100 tries an architecture is
    drawn. An architecture may come again in a later generation: it is evaluated again, which on shared weights gives
    the same result. Steps show ``parents`` (-1: none; twice the same: a mutation) and ``population``, the numbers of
    the best so far.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "parents", "population")

    space: SearchSpace
    estimate: Estimator
    cost: Callable[[Arch], Mapping[str, float]] | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    population: int = knob(50, 2, 200, least=1, most=1_000_000, help="Architectures of a generation: P in the paper")
    top: int = knob(10, 1, 50, help="How many of the best breed: k in the paper")
    mutation: float = knob(0.1, 0.0, 1.0, most=1.0, help="Chance of each choice of a mutation to change")
    evaluations: int = ranged(1000, 1)
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        rng, number = np.random.default_rng(self.seed), 0
        best: list[Found] = []  # best first
        while number < self.evaluations:
            size = min(self.population, self.evaluations - number)
            born = [self._bred(best, 2 if i < size // 2 else 1, rng) for i in range(size)]
            answers = self.estimate.many([arch for _, arch in born], seed=number)
            for (parents, arch), evaluation in zip(born, answers, strict=True):
                best = self._best([*best, (worth(self.objective, evaluation), number, arch)])
                number += 1
                alive = np.array(sorted(n for _, n, _ in best), "<i4")
                yield Step(evaluation, parents=np.array(parents, "<i4"), population=alive)

    def allows(self, arch: Arch) -> bool:
        """Return whether an architecture keeps to the limits."""
        if not self.limits:
            return True
        costs = self.cost(arch) if self.cost else {}
        if unknown := sorted(set(self.limits) - set(costs)):
            raise ValueError(f"there are limits on {unknown}, but cost tells of {sorted(costs)} only")
        return all(costs[name] <= limit for name, limit in self.limits.items())

    def _best(self, found: list[Found]) -> list[Found]:
        """Return the best `top` of ``found``, each architecture once; of equally good ones the first."""
        kept: dict[Arch, Found] = {}
        for one in sorted(found, key=lambda one: (-one[0], one[1])):
            kept.setdefault(one[2], one)
        return list(kept.values())[: self.top]

    def _bred(self, best: list[Found], parents: int, rng: np.random.Generator) -> tuple[tuple[int, int], Arch]:
        """Breed a child of 1 or 2 of the best; return their numbers too. If this fails, draw one, with numbers -1."""
        for _ in range(TRIES if len(best) >= parents else 0):
            chosen = rng.choice(len(best), parents, replace=False).tolist()
            (_, a, one), (_, b, other) = best[chosen[0]], best[chosen[-1]]
            child = crossed(one, other, rng) if parents == 2 else mutated(self.space, one, rng, self.mutation)
            if child not in (one, other) and self.space.why_invalid(child) is None and self.allows(child):
                return (a, b), child
        for _ in range(DRAWS):
            if self.allows(drawn := self.space.sample(rng)):
                return (-1, -1), drawn
        raise ValueError(f"none of {DRAWS:,} architectures drawn from {self.space.name} keeps to {dict(self.limits)}")
