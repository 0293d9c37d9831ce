"""Bayesian optimisation: a model chooses which architectures to evaluate next. The shared loop, and BANANAS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import ClassVar, cast

import numpy as np

from ..estimator import Estimator
from ..estimators.predictor import EnsemblePredictor
from ..knobs import knob
from ..objectives import Bounded, accuracy
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, Step
from ..strategy import worth

PARENTS = 5  # candidates are mutations of this many best architectures, as in BANANAS's published code
TRIES = 1000  # draws for an architecture that is new and keeps to the bound, before any other is accepted


@dataclass
class ModelBased:
    """The loop that Bayesian searches share: random architectures, then rounds of model, candidates and a batch.

    Subclasses write ``acquisition(told, candidates, rng)``. Candidates are found as in White, Neiswanger & Savani 2021,
    algorithm 1: they are mutations of the best architectures so far. (Their published code makes 100 mutations of the
    best, then of the next best, up to the fifth, until there are 100 new ones.) Where a round finds too few, as inside
    a table that knows few neighbours, random architectures are added. The ``batch`` candidates with the highest
    acquisition are evaluated, then the model is fitted again.

    Parameters
    ----------
    space, estimate
        The space to search, and the estimator that evaluates; its executor may evaluate a batch in parallel.
    evaluations : int
        Number of architectures evaluated, the random ones included.
    initial : int
        Number of random architectures that are evaluated before the first model.
    batch : int
        Number of candidates evaluated before the model is fitted again: those with the highest acquisition, chosen
        independently of each other.
    candidates : int
        Number of candidates sought in each round.
    encoding : str, optional
        How an architecture is encoded for the model: see `nasviz.encodings`. The default is the subclass's.
    cost : callable, optional
        ``cost(arch)``, in the unit of the bound, for an ``objective`` with a ``limit`` (`nasviz.objectives.Bounded`):
        a cost that can be counted before anything is trained. Architectures over the limit are then never evaluated,
        and the model learns accuracy alone.
    objective : callable
        The function of an `Evaluation` that is maximised and modelled. A bound without ``cost`` is modelled too: as
        minus the relative excess, with a jump at the bound. The model can learn this jump only roughly.
    seed : int

    Raises
    ------
    ValueError
        When iterated, if a ``cost`` comes with an objective that has no limit, or a number is out of its range.

    Notes
    -----
    Duplicates: as in the published code, an architecture is no candidate, not even at random, if it computes the same
    function as one already evaluated (`SearchSpace.canonical`). Only when 1,000 draws find nothing new is a known one
    evaluated again. Failed trainings are not learned. Each step shows all candidates of its round, and which one it
    evaluated.
    """

    shows: ClassVar[tuple[str, ...]] = ("evaluation", "candidates", "predicted", "uncertainty", "acquisition", "chosen")

    space: SearchSpace
    estimate: Estimator
    evaluations: int = ranged(150, 1)
    initial: int = ranged(10, 0)
    batch: int = knob(10, 1, 50, help="How many are evaluated before the model learns again: k in the paper")
    candidates: int = knob(100, 10, 1000, least=1, help="How many mutations of the best are looked at in each round")
    encoding: str | None = None
    cost: Callable[[Arch], float] | None = None
    objective: Callable[[Evaluation], float] = accuracy
    seed: int = ranged(0, 0)

    @checked
    def __len__(self) -> int:
        return self.evaluations

    @checked
    def __iter__(self) -> Iterator[Step]:
        if self.cost and not hasattr(self.objective, "limit"):
            raise ValueError("a cost bounds nothing unless the objective has a limit: give objective=Bounded(...)")
        rng = np.random.default_rng(self.seed)
        told: list[Evaluation] = []
        key = cache(self.space.canonical)
        while len(told) < self.evaluations:
            usable = sum(isfinite(worth(self.objective, e)) for e in told) > 2
            known = {key(e.arch) for e in told}
            count = min(self.batch, self.evaluations - len(told))
            if len(told) < self.initial or not usable:
                count = min(count, max(self.initial - len(told), 3))
                archs, shown = self._fill([], count, count, known, key, rng), self._show((), (), (), ())
                chosen = [-1] * count
            else:
                found = self._mutations(told, known, key, rng)
                found = self._fill(found, count, self.candidates, known, key, rng)
                mean, deviation, value = self.acquisition(told, found, rng)
                chosen = np.argsort(-value, kind="stable")[:count].tolist()
                archs, shown = [found[i] for i in chosen], self._show(found, mean, deviation, value)
            for place, evaluation in zip(chosen, self.estimate.many(archs, seed=len(told)), strict=True):
                told.append(evaluation)
                yield Step(evaluation, chosen=place, **shown)

    def acquisition(
        self, told: Sequence[Evaluation], candidates: Sequence[Arch], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each candidate's predicted objective, its uncertainty and its acquisition value (greatest is best)."""
        raise NotImplementedError(f"{type(self).__name__} has no model: write acquisition(told, candidates, rng)")

    def targets(self, told: Sequence[Evaluation]) -> list[Evaluation]:
        """Return the data on which a predictor with ``score="objective"`` is fitted."""
        return [Evaluation(e.arch, {"objective": value}) for e in told if isfinite(value := worth(self.objective, e))]

    def _mutations(self, told, known, key, rng) -> list[Arch]:
        found: dict[str, Arch] = {}
        for parent in sorted(told, key=lambda e: worth(self.objective, e), reverse=True)[:PARENTS]:
            for _ in range(self.candidates):
                arch = self.space.mutate(parent.arch, rng)
                if key(arch) not in known and self._allows(arch):
                    found.setdefault(key(arch), arch)
            if len(found) >= self.candidates:
                break
        return list(found.values())

    def _fill(self, found, least, most, known, key, rng) -> list[Arch]:
        """Add random architectures to ``found``: up to ``most`` while new ones turn up, but at least to ``least``."""
        taken, exhausted = known | {key(arch) for arch in found}, False
        while len(found) < (least if exhausted else most):
            arch = self.space.sample(rng)
            for _ in range(TRIES):
                other = self.space.sample(rng)
                if self._allows(other):
                    arch = other
                    if exhausted or key(arch) not in taken:
                        break
            else:
                exhausted = True
                continue
            taken.add(key(arch))
            found.append(arch)
        return found

    def _allows(self, arch: Arch) -> bool:
        return self.cost is None or self.cost(arch) <= cast("Bounded", self.objective).limit

    def _show(self, archs, mean, deviation, value) -> dict:
        numbers = {"predicted": mean, "uncertainty": deviation, "acquisition": value}
        table = np.array(archs, "<i2").reshape(len(archs), len(self.space.choices))
        return {"candidates": table} | {name: np.asarray(column, "<f4") for name, column in numbers.items()}


@dataclass
class Bananas(ModelBased):
    """BANANAS: White, Neiswanger & Savani 2021, "BANANAS: Bayesian optimization with neural architectures", alg. 1.

    The model is an ensemble of perceptrons on path encodings. Independent Thompson sampling turns its predictions into
    a choice: for each candidate one number is drawn from the normal distribution with the ensemble's mean and standard
    deviation, independently of the other candidates, and the highest numbers win. In this way uncertain candidates win
    now and then.

    Scale: 10 random architectures, batches of 10, 100 candidates, 5 members and 150 evaluations are the published
    code's defaults. Its members have ten layers of 20 units and minimise a relative error; ours are those of
    `nasviz.estimators.EnsemblePredictor`, two layers of 64 units and squared error, and paths are not truncated.

    Parameters
    ----------
    encoding : str, optional
        A name in `nasviz.encodings.ENCODINGS`. By default paths, or one-hot where the space has no graph.
    members : int
        Number of ensemble members, 2 or more.
    epochs : int
        Training epochs of the ensemble; each round starts from new weights.

    See `ModelBased` for the other parameters.
    """

    members: int = ranged(5, 2)
    epochs: int = ranged(100, 1)

    def acquisition(self, told, candidates, rng):
        """Return the ensemble's mean and standard deviation, and one draw for each candidate."""
        encoding = self.encoding or ("paths" if _has_graph(self.space, candidates[0]) else "one-hot")
        seed = int(rng.integers(2**31))
        model = EnsemblePredictor(self.space, "objective", seed, encoding, self.members, self.epochs)
        mean, deviation = model.fit(self.targets(told)).predict(candidates)
        return mean, deviation, thompson(mean, deviation, rng)


def thompson(mean: np.ndarray, deviation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one number from Normal(mean, deviation²) for each candidate: independent Thompson sampling.

    White et al. 2021, algorithm 1. (Thompson sampling proper draws one *function* from the posterior, so that similar
    candidates rise and fall together.)
    """
    return rng.normal(mean, deviation)


def _has_graph(space: SearchSpace, arch: Arch) -> bool:
    try:
        return bool(space.cells(arch))
    except NotImplementedError:
        return False
