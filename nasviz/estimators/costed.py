"""What an architecture costs, beside what another estimator says of it: for searches under a constraint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..evaluate import Estimator
from ..space import Arch, SearchSpace
from ..step import Evaluation


@dataclass(frozen=True)
class WithCost(Estimator):
    """Another estimator's answers, and in their scores what the architecture costs.

    Single-path one-shot's search (Guo et al. 2020, section 3.4) is evolution on such answers, within a bound:

    Parameters
    ----------
    estimate : Estimator
    cost : callable
        Architecture -> costs by name, such as ``{"parameters": …, "madds": …}``: `Inherited.cost`.

    Examples
    --------
    >>> estimate = WithCost(inherited, inherited.cost)  # doctest: +SKIP
    >>> bound = Within("madds", 2e5, of="inherited")  # of nasviz.specialise  # doctest: +SKIP
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
        told = self.estimate(arch, epochs=epochs, seed=seed)
        return replace(told, scores={**told.scores, **self.cost(arch)})
