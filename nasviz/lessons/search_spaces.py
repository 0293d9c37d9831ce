"""Lab 01: spaces counted in a table, members of poorer spaces on the ground truth, what one layer costs and takes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from IPython.display import Markdown

from ..analysis.stats import mean_band
from ..course import as_table
from ..estimators import nasbench201_table
from ..estimators.table import Table
from ..space import SearchSpace
from ..spaces.nasbench201 import OPS
from ..step import Evaluation


def percent(evaluations: Iterable[Evaluation]) -> np.ndarray:
    """Return the accuracies of evaluations, in percent: array (n,)."""
    return np.array([100 * e.scores["accuracy"] for e in evaluations])


def share_below(values, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a distribution to draw: the sorted values, held to ``low`` … ``high``, and the percent below each.

    A value counts for half in its own share: of two values, 25 % lie below the first and 75 % below the second.
    """
    return np.clip(np.sort(values), low, high), 100 * (np.arange(len(values)) + 0.5) / len(values)


def sizes(repeats: Mapping[SearchSpace, str]) -> Markdown:
    """Show spaces in a table: their choices, their architectures (copies included), and what they repeat."""
    lines = [[one.name, len(one.choices), f"{one.size:,}", repeated] for one, repeated in repeats.items()]
    return as_table(["space", "choices", "architectures", "what is repeated"], lines)


def members_without(table: Table, *operations: str) -> np.ndarray:
    """Look up all tuples of NAS-Bench-201 that use none of the operations: their test accuracies in percent.

    Parameters
    ----------
    table : Table
        The ground truth; a value is the mean over its trainings.
    operations : str
        Names from `nasviz.spaces.nasbench201.OPS`; none gives the whole space.

    Raises
    ------
    ValueError
        For a name that is no operation of the space, or if no operation is left.
    """
    if not set(operations) < set(OPS):
        raise ValueError(f"take away some, not all, of {OPS}; got {operations}")
    left = [option for option, name in enumerate(OPS) if name not in operations]
    tuples = np.stack(np.meshgrid(*[left] * 6), -1).reshape(-1, 6)
    return 100 * table.column("test_accuracy", None)[table.rows(tuples)]


def whole_less_poorer(
    without: Iterable[str], members: int, seeds: int, table: Table | None = None
) -> tuple[float, tuple[float, float]]:
    """Compare random search in the whole space and in a poorer one: the best of some random members, judged.

    Parameters
    ----------
    without : iterable of str
        Operations that the poorer space lacks.
    members, seeds : int
        Random members of each search; searches in each space.
    table : Table, optional
        `nasbench201_table()` unless another is given.

    Returns
    -------
    (float, (float, float))
        Mean difference in points of test accuracy, and its 95 % interval; above 0, the whole space gives better ones.
    """
    table = table or nasbench201_table()
    whole, poorer = members_without(table), members_without(table, *without)
    best = [[_best(values, members, seed) for values in (whole, poorer)] for seed in range(seeds)]
    mean, low, high = mean_band(np.subtract(*np.transpose(best))).tolist()
    return mean, (low, high)


def _best(values: np.ndarray, members: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return rng.choice(values, members).max()


@dataclass(frozen=True)
class Price:
    """What a layer costs: parameters, multiplications an image, milliseconds for all images."""

    parameters: int
    madds: int
    ms: float


def prices(channels: int, size: int, images: int, rounds: int = 60) -> dict[str, Price]:
    """Measure a full, a depthwise and a pointwise convolution and a pooling on one core, each the shortest of rounds.

    The shortest, because whatever else the computer does can only add time.
    """
    import torch
    from torch import nn

    from ..nn import count
    from ..nn.threads import one_thread

    layers = OrderedDict(
        full=nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        depthwise=nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        pointwise=nn.Conv2d(channels, channels, 1, bias=False),
        pooling=nn.AvgPool2d(3, stride=1, padding=1),
    )
    chain = nn.Sequential(layers).to(memory_format=torch.channels_last)
    cost = {layer.name: layer for layer in count.layers(chain, (channels, size, size))}
    x = torch.rand(images, channels, size, size, generator=torch.Generator().manual_seed(0))
    x = x.to(memory_format=torch.channels_last)

    def seconds(layer) -> float:
        start = time.perf_counter()
        layer(x)
        return time.perf_counter() - start

    with one_thread(), torch.no_grad():
        taken = [[seconds(layer) for layer in layers.values()] for _ in range(rounds)]
    ms = 1000 * np.min(taken, axis=0)
    return {name: Price(cost[name].parameters, cost[name].madds, float(t)) for name, t in zip(layers, ms, strict=True)}


def priced(found: Mapping[str, Price], images: int) -> Markdown:
    """Show the layers of `prices` in a table, with the nanoseconds that a thousand multiplications take."""
    lines = []
    for name, one in found.items():
        each = f"{1e9 * one.ms / (images * one.madds):.0f}" if one.madds else "–"
        lines.append([name, f"{one.parameters:,}", f"{one.madds:,}", f"{one.ms:.2f}", each])
    return as_table(["", "parameters", "MAdds an image", f"ms for {images} images", "ns a thousand MAdds"], lines)


def recipes(rows: Mapping[str, np.ndarray]) -> Markdown:
    """Show accuracies in percent of the same cells with several recipes: their mean, and their standard deviation."""
    count = len(next(iter(rows.values())))
    head = ["recipe", *(f"cell {n + 1}" for n in range(count)), "mean", "spread over cells (sd)"]
    lines = [
        [name, *(f"{value:.1f}" for value in row), f"**{row.mean():.1f}**", f"{row.std(ddof=1):.1f}"]
        for name, row in rows.items()
    ]
    return as_table(head, lines)
