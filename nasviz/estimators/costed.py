"""What an architecture costs, beside what another estimator says of it: for searches under a constraint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..estimator import Estimator
from ..space import Arch, SearchSpace
from ..step import Evaluation


@dataclass(frozen=True)
class WithCost(Estimator):
    """Another estimator's answers, and in their scores what the architecture costs.

    On these any search keeps to a bound; `nasviz.strategies.Spos` asks for costs before it evaluates, and needs none.

    Parameters
    ----------
    estimate : Estimator
    cost : callable
        Architecture -> costs by name, such as ``{"parameters": …, "madds": …}``: `Inherited.cost`.

    Examples
    --------
    >>> estimate = WithCost(inherited, inherited.cost)  # doctest: +SKIP
    >>> bound = Within("madds", 2e5, of="inherited")  # of nasviz.objectives  # doctest: +SKIP
    >>> search = RegularizedEvolution(space, estimate, objective=bound)  # doctest: +SKIP
    """

    estimate: Estimator
    cost: Callable[[Arch], Mapping[str, float]]

    @property
    def space(self) -> SearchSpace:
        """The other's."""
        return self.estimate.space

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """The other's answer, and the cost."""
        return self._with_cost(self.estimate(arch, epochs=epochs, seed=seed))

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """As the other answers several: a predictor is asked once for all, trainings run side by side."""
        return map(self._with_cost, self.estimate.many(archs, epochs=epochs, seed=seed))

    def _with_cost(self, told: Evaluation) -> Evaluation:
        return replace(told, scores={**told.scores, **self.cost(told.arch)})
