"""The Pareto front of two objectives, and the area that it dominates."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

import numpy as np


def front(costs: Iterable[float], values: Iterable[float]) -> list[int]:
    """Return the indices of the points that are not dominated, cheapest first.

    A point dominates another if it has at most the cost and at least the value of the other, and is better in one of
    the two. A point with a number that is not finite failed: it is on no front.

    Examples
    --------
    >>> front([1, 2, 3, 3], [70, 75, 74, 80])
    [0, 1, 3]
    """
    costs, values = list(costs), list(values)
    out: list[int] = []
    there = [i for i in range(len(costs)) if isfinite(costs[i]) and isfinite(values[i])]
    for i in sorted(there, key=lambda i: (costs[i], -values[i])):
        if not out or values[i] > values[out[-1]]:
            out.append(i)
    return out


def dominated(costs, values, corner: tuple[float, float]) -> float:
    """Compute the area that a set of points dominates, up to cost ``corner[0]`` and down to value ``corner[1]``.

    This is Zitzler & Thiele's hypervolume (1998) for two objectives, low cost and high value. Points beyond the corner
    do not count.
    """
    pairs = [
        (c, v)
        for c, v in zip(costs, values, strict=True)
        if c <= corner[0] and v >= corner[1] and isfinite(c) and isfinite(v)
    ]
    if not pairs:
        return 0.0
    c, v = np.array(pairs, float).T
    best = front(c, v)
    edges = np.append(c[best], corner[0])
    return float(np.sum(np.diff(edges) * (v[best] - corner[1])))
