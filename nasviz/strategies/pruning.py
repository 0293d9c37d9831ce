"""Smaller networks without a programme: what the choice by harms is compared with.

Each function returns an architecture within a budget. `depth` and `one_by_one` ask at each step how far the network is
from its parent after each possible removal, as the iterative prunings do with which Minitron compares (Muralidharan et
al. 2024, section 3); `uniform` is what one would take without any measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from ..space import Arch, SearchSpace
from .mixed_integer import Budget

Judge = Callable[[Arch], float]  # how far an architecture is from its parent: the lower the better


def uniform(space: SearchSpace, one: Budget) -> Arch:
    """Return the costliest member within the budget whose blocks are all alike, without options 0 where possible.

    ValueError if none keeps to it.
    """
    blocks, count = len(space.choices) // 2, len(space.choices[0].options)
    allowed = [pair for pair in product(range(count), repeat=2) if one.allows(blocks * pair)]
    if not allowed:
        raise ValueError(f"no network of equal blocks keeps to the budget of {one.most:g}")
    return blocks * max(allowed, key=lambda pair: (min(pair) > 0, one.spent(blocks * pair), pair))


def one_by_one(space: SearchSpace, one: Budget, judge: Judge) -> Arch:
    """Remove half-blocks from the parent, at each step the one whose removal does the least harm at present."""
    return _removed(space, one, judge, [(place,) for place in range(len(space.choices))])


def depth(space: SearchSpace, one: Budget, judge: Judge) -> Arch:
    """Remove whole blocks from the parent, at each step the one whose removal does the least harm at present."""
    return _removed(space, one, judge, [(place, place + 1) for place in range(0, len(space.choices), 2)])


def drawn(space: SearchSpace, one: Budget, rng: np.random.Generator, least: float, tries: int = 100_000) -> Arch:
    """Draw members until one keeps to the budget and spends ``least`` or more of it. ValueError if none of many does.

    Parameters
    ----------
    rng : numpy.random.Generator
    least : float
        In the unit of the budget.
    tries : int
    """
    for _ in range(tries):
        arch = space.sample(rng)
        if one.allows(arch) and one.spent(arch) >= least:
            return arch
    raise ValueError(f"none of {tries} members drawn spends from {least:g} to {one.most:g}")


def _removed(space: SearchSpace, one: Budget, judge: Judge, parts: list[tuple[int, ...]]) -> Arch:
    arch, left = space.largest, list(parts)
    while not one.allows(arch):
        if not left:
            raise ValueError(f"even without any block the budget of {one.most:g} is passed")
        without = {part: tuple(0 if place in part else option for place, option in enumerate(arch)) for part in left}
        best = min(left, key=lambda part: judge(without[part]))  # noqa: B023  # used within its turn
        arch = without[best]
        left.remove(best)
    return arch
