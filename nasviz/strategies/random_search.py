"""Random search: the baseline that every claim of a search must beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..estimator import Estimator
from ..objectives import accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step


@dataclass
class RandomSearch:
    """Random search: sample, evaluate, keep the best (Bergstra & Bengio 2012; for NAS: Li & Talwalkar 2019).

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates; its executor may evaluate several in parallel.
    evaluations : int
        Number of architectures evaluated.
    replacement : bool
        True draws each architecture anew, so that the same function may come twice. False never evaluates two
        architectures with the same canonical form, and ends early when the space has no further one.
    objective : callable
        The function by which `Run` names the best; random search itself does not use it.
    seed : int
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation",)

    space: SearchSpace
    estimate: Estimator
    evaluations: int = ranged(100, 1)
    replacement: bool = True
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        archs = list(self._draw(np.random.default_rng(self.seed)))
        for evaluation in self.estimate.many(archs, seed=0):
            yield Step(evaluation)

    def _draw(self, rng: np.random.Generator) -> Iterator[Arch]:
        seen: set[int | str] = set()
        misses = 0
        while len(seen) < self.evaluations and misses < 1000:  # 1,000 known ones in a row: nothing is left
            arch = self.space.sample(rng)
            key: int | str = len(seen) if self.replacement else self.space.canonical(arch)
            if key in seen:
                misses += 1
            else:
                misses = 0
                seen.add(key)
                yield arch
