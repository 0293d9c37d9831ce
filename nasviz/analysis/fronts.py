"""What nothing beats in both of two objectives: the front, and the area below it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def front(costs: Iterable[float], values: Iterable[float]) -> list[int]:
    """Which are not dominated, cheapest first: none costs less or as much and is worth more, or costs less and as much.

    Examples
    --------
    >>> front([1, 2, 3, 3], [70, 75, 74, 80])
    [0, 1, 3]
    """
    costs, values = list(costs), list(values)
    out: list[int] = []
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], -values[i])):
        if not out or values[i] > values[out[-1]]:
            out.append(i)
    return out


def dominated(costs, values, corner: tuple[float, float]) -> float:
    """The area that a set of points beats: of cost up to ``corner[0]`` and value down to ``corner[1]``.

    Zitzler & Thiele's hypervolume (1998) for two objectives, cost small and value great. Points beyond the corner do
    not count.
    """
    pairs = [(c, v) for c, v in zip(costs, values, strict=True) if c <= corner[0] and v >= corner[1]]
    if not pairs:
        return 0.0
    c, v = np.array(pairs, float).T
    best = front(c, v)
    edges = np.append(c[best], corner[0])
    return float(np.sum(np.diff(edges) * (v[best] - corner[1])))
