"""Crossover and mutation of architectures, for the strategies that use crossover."""

from __future__ import annotations

import numpy as np

from ..space import Arch, SearchSpace


def crossed(one: Arch, other: Arch, rng: np.random.Generator) -> Arch:
    """Return a uniform crossover: each choice comes from either parent, at random. It may break a rule of the space."""
    return tuple(pair[int(rng.random() < 0.5)] for pair in zip(one, other, strict=True))


def mutated(space: SearchSpace, arch: Arch, rng: np.random.Generator, chance: float | None = None) -> Arch:
    """Change each active choice to another option with a ``chance``; by default one in the number of such choices.

    The result is in normal form. It may break a rule of the space, or be the same as before.
    """
    arch = space.normal(arch)
    places = [i for i, on in enumerate(space.active(arch)) if on and len(space.choices[i].options) > 1]
    child = list(arch)
    for i in places:
        if rng.random() < (1 / len(places) if chance is None else chance):
            option = int(rng.integers(len(space.choices[i].options) - 1))
            child[i] = option + (option >= arch[i])
    return space.normal(child)
