"""BOHB: Hyperband's brackets, begun with architectures that a model of the good ones proposes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..ranges import ranged
from ..space import Arch
from ..step import Evaluation
from ..strategy import worth
from .successive_halving import Hyperband


@dataclass
class Bohb(Hyperband):
    """BOHB: Falkner, Klein & Hutter 2018, "BOHB: Robust and efficient hyperparameter optimization at scale", alg. 2.

    The brackets are Hyperband's. The model decides only which architectures begin them. It holds two densities over
    architectures, fitted to the evaluations of the largest number of epochs that has enough of them: l to the better
    ones, g to the others. Candidates are drawn around the better ones, and the one with the greatest l/g is proposed.

    Parameters
    ----------
    space, estimate, evaluations, eta, epochs, least, continued, objective, seed
        See `Hyperband`. The paper: η = 3.
    random : float
        ρ, the share of architectures that are drawn at random, 0 to 1. The paper: 1/3.
    share : float
        q, the share of the evaluations that counts as good, 0 to 1. The paper: 0.15. At least one more than the number
        of choices counts as good.
    candidates : int
        N_s, how many candidates are drawn for one proposal. The paper: 64.
    wider : float
        b_w, by which the kernels of l are widened when candidates are drawn, 1 or more. The paper: 3.

    Notes
    -----
    The kernel of a choice with c options is that of Aitchison & Aitken 1976: 1 − λ for the same option, λ/(c − 1) for
    each other one. The kernel of an architecture is the product over its choices. Here λ = (c − 1)/c · n^(−2/(d + 4))
    for n architectures of d choices: it falls from "all options alike" as n grows. (The published code takes a rule
    made for real numbers, and applies it to the options' numbers.) An inactive choice counts as its option 0.

    All architectures of a bracket are proposed before its first training. (The published code proposes each when a
    worker is free.)
    """

    random: float = ranged(1 / 3, 0.0, 1.0)
    share: float = ranged(0.15, 0.0, 1.0)
    candidates: int = ranged(64, 1)
    wider: float = ranged(3.0, 1.0)

    def propose(self, count: int, told: Sequence[Evaluation], rng: np.random.Generator) -> list[Arch]:
        """Return ``count`` architectures: each the candidate with the greatest l/g, or random for a share of them, and
        where there is no model."""
        parts = self.parts(told)
        return [
            self.space.sample(rng) if parts is None or rng.random() < self.random else self._best(*parts, rng)
            for _ in range(count)
        ]

    def _best(self, good: np.ndarray, bad: np.ndarray, rng: np.random.Generator) -> Arch:
        if not (drawn := self._around(good, rng)):
            return self.space.sample(rng)
        table = np.array(drawn)
        ratio = np.log(self.density(good, table)) - np.log(self.density(bad, table))
        return drawn[int(ratio.argmax())]

    def parts(self, told: Sequence[Evaluation]) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the better and the other architectures, int arrays (n, choices), of the most epochs that have enough.

        With N_min one more than the number of choices, "enough" is N_min + 2. Both parts have at least N_min rows, so
        that they overlap while there are few (the paper's equations 2 and 3). None: no number of epochs has enough.
        """
        least, by_epochs = len(self.space.choices) + 1, defaultdict(list)
        for said in told:
            by_epochs[said.epochs].append(said)
        enough = [epochs for epochs, said in by_epochs.items() if len(said) >= least + 2]
        if not enough:
            return None
        ranked = sorted(by_epochs[max(enough)], key=lambda said: -worth(self.objective, said))
        archs = np.array([said.arch for said in ranked])
        good = max(least, int(self.share * len(archs)))
        return archs[:good], archs[-max(least, len(archs) - good) :]

    def density(self, data: np.ndarray, archs: np.ndarray) -> np.ndarray:
        """Return the kernel density of ``archs``, int (m, choices), under ``data``, int (n, choices): floats (m,)."""
        options, width = self._options(), self._width(len(data))
        other = width / np.maximum(options - 1, 1)
        kernels = np.where(archs[:, None] == data[None], 1 - width, other)
        return kernels.prod(-1).mean(-1)

    def _options(self) -> np.ndarray:
        return np.array([len(choice.options) for choice in self.space.choices])

    def _width(self, count: int) -> np.ndarray:
        options = self._options()
        return (options - 1) / options * count ** (-2 / (len(options) + 4))

    def _around(self, good: np.ndarray, rng: np.random.Generator) -> list[Arch]:
        """Draw candidates from l with wider kernels, and return those that are valid."""
        options = self._options()
        chance = np.minimum(self.wider * self._width(len(good)), (options - 1) / options)  # at most: all options alike
        drawn = good[rng.integers(len(good), size=self.candidates)]
        moves = rng.random(drawn.shape) < chance
        steps = rng.integers(1, np.maximum(options, 2), size=drawn.shape)  # to another option, each as likely
        moved = np.where(moves, (drawn + steps) % options, drawn)
        archs = [self.space.normal(arch) for arch in moved.tolist()]
        return [arch for arch in archs if self.space.rule(arch) is None]
