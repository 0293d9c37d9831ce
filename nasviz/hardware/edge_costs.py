"""A cost for each edge and operation of NAS-Bench-201's cell: 31 numbers that stand for a device.

The model is additive, as a latency table is, but it is fitted on whole measured networks: nobody has to time an
operation alone. Each edge has costs of its own, because some devices charge for the place of an operation too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ..ranges import REQUIRED, check_fields, check_number, ranged
from ..spaces.nasbench201 import EDGES, OPS

# What is not run on a device, though the cell has it. Each is found by the cells on which no model was fitted.
RULES = ("nothing", "unread", "dead")
NETWORK = ((16, 32), (32, 16), (64, 8))  # (channels, side) of the three stages of the published network
CELLS = 5  # a stage


def as_array(archs: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Return architectures of NAS-Bench-201 as whole numbers of shape (n, 6); ValueError for anything else."""
    array = np.asarray(archs)
    if array.ndim != 2 or array.shape[1] != len(EDGES) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"architectures of NAS-Bench-201 are six whole numbers each, got an array {array.shape}")
    if array.size and not (0 <= array.min() and array.max() < len(OPS)):
        raise ValueError(f"an operation is a number from 0 to {len(OPS) - 1}, got {array.min()} to {array.max()}")
    return array


def connected(archs: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Whether the input of each cell reaches its output: bool (n,)."""
    there = as_array(archs) > 0
    return (there & _fed(there))[:, 3:].any(1)


def as_run(archs: Sequence[Sequence[int]] | np.ndarray, skipped: str) -> np.ndarray:
    """The architectures with what a device does not run replaced by "none": (n, 6).

    Parameters
    ----------
    archs : array (n, 6)
    skipped : {"nothing", "unread", "dead"}
        ``"unread"``: an operation whose result no path brings to the output. ``"dead"``: also one that no path from
        the input feeds, so that it computes with zeros.
    """
    if skipped not in RULES:
        raise ValueError(f"a device skips one of {RULES}, not {skipped!r}")
    archs = as_array(archs)
    there = archs > 0
    run = there
    if skipped != "nothing":
        run = run & _read(there)
    if skipped == "dead":
        run = run & _fed(there)
    return np.where(run, archs, 0)


def without_dead(archs: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Whether a cell computes something, and each of its operations takes part in it: bool (n,)."""
    archs = as_array(archs)
    return connected(archs) & (as_run(archs, "dead") == archs).all(1)


def _fed(there: np.ndarray) -> np.ndarray:
    """Whether a path from the input leads to each edge: bool (n, 6)."""
    first = there[:, 0]
    second = there[:, 1] | there[:, 2] & first
    always = np.ones(len(there), bool)
    return np.stack([{0: always, 1: first, 2: second}[source] for source, _ in EDGES], 1)


def _read(there: np.ndarray) -> np.ndarray:
    """Whether a path leads from each edge to the output: bool (n, 6)."""
    second = there[:, 5]
    first = there[:, 4] | there[:, 2] & second
    always = np.ones(len(there), bool)
    return np.stack([{1: first, 2: second, 3: always}[target] for _, target in EDGES], 1)


def longest_path(archs: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Operations one after the other on the longest path from input to output, skips left out: whole numbers (n,).

    If branches ran at once and for nothing, this would be the time. 0 for a cell that is not connected.
    """
    archs = as_array(archs)
    never = -len(EDGES)  # less than any path makes up for
    far = [np.zeros(len(archs), int)]
    for node in (1, 2, 3):
        ways = [
            np.where(archs[:, edge] > 0, far[source] + (archs[:, edge] > 1), never)
            for edge, (source, target) in enumerate(EDGES)
            if target == node
        ]
        far.append(np.max(ways, 0))
    return np.maximum(far[3], 0)


def multiply_adds(archs: Sequence[Sequence[int]] | np.ndarray, others: bool = False) -> np.ndarray:
    """Millions of multiply-adds of the cells in the published network, without stem, reductions and classifier: (n,).

    Parameters
    ----------
    archs : array (n, 6)
    others : bool
        True counts what NAS-Bench-Suite-Zero's column ``flops`` counts (Krishnakumar et al. 2022): also nine operations
        a pixel and channel for a pooling, and three for the ReLU and the batch-norm of a convolution.
    """
    pixels = CELLS * sum(channels * side**2 for channels, side in NETWORK)
    one = CELLS * sum(channels**2 * side**2 for channels, side in NETWORK)
    each = {"nor_conv_1x1": one, "nor_conv_3x3": 9 * one, "avg_pool_3x3": 0}
    if others:
        more = {"nor_conv_1x1": 3, "nor_conv_3x3": 3, "avg_pool_3x3": 9}
        each = {name: count + more[name] * pixels for name, count in each.items()}
    return np.array([each.get(name, 0) for name in OPS])[as_array(archs)].sum(1) / 1e6


@dataclass(frozen=True)
class EdgeCosts:
    """A cost that is a sum over the edges of a cell: ``base + costs[0][first operation] + … + costs[5][last]``.

    Attributes
    ----------
    base : float
        All of the network that is not the cell, in the unit of the measurements.
    costs : tuple of 6 tuples of 5 floats
        By edge and operation, in the order of `nasviz.spaces.nasbench201.OPS`. Zero for "none".
    skipped : {"nothing", "unread", "dead"}
        What the device does not run: see `as_run`.
    """

    base: float = ranged(REQUIRED, whole=False)
    costs: tuple[tuple[float, ...], ...] = field(kw_only=True)
    skipped: str = field(default="nothing", kw_only=True)

    def __post_init__(self):
        check_fields(self)
        if self.skipped not in RULES:
            raise ValueError(f"EdgeCosts: a device skips one of {RULES}, not {self.skipped!r}")
        if np.shape(self.costs) != (len(EDGES), len(OPS)):
            raise ValueError(f"EdgeCosts: costs are of shape (6, 5), an edge and operation, got {np.shape(self.costs)}")
        check_number("EdgeCosts: costs", [cost for edge in self.costs for cost in edge], whole=False, many=True)

    def predict(self, archs: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
        """Return the cost of each architecture, (n,)."""
        costs = np.array(self.costs)
        return self.base + costs[np.arange(len(EDGES)), as_run(archs, self.skipped)].sum(1)

    def by_operation(self) -> np.ndarray:
        """Return the cost of each operation, a mean over the six edges: (5,)."""
        return np.array(self.costs).mean(0)

    @classmethod
    def fit(
        cls,
        archs: Sequence[Sequence[int]] | np.ndarray,
        measured: Sequence[float] | np.ndarray,
        *,
        prior: np.ndarray | None = None,
        ridge: float = 0.0,
        skipped: str = "nothing",
    ) -> EdgeCosts:
        """Fit the model by least squares on measured cells; with a ridge, by least squares that stay near a prior.

        Parameters
        ----------
        archs : array (n, 6)
            Cells without dead operations: what a device skips is not seen on others.
        measured : array (n,)
        prior : array (31,), optional
            Coefficients as `coefficients` gives them, towards which the ridge pulls; by default zeros.
        ridge : float
            Weight of the squared distance from the prior, beside the sum of squared errors; 0 or more. Where it is 0,
            the smallest of all least squares solutions is taken, since a cell always has one operation an edge.
        skipped : str
            Becomes the model's.

        Raises
        ------
        ValueError
            If there are not as many measurements as architectures, or one of them is not finite.
        """
        columns, measured = design(archs), np.asarray(measured, float)
        check_number("EdgeCosts: ridge", ridge, 0.0, whole=False)
        if measured.shape != (len(columns),) or not len(columns) or not np.isfinite(measured).all():
            raise ValueError(
                f"a fit needs one finite measurement for each of {len(columns)} cells, got {measured.shape}"
            )
        prior = np.zeros(columns.shape[1]) if prior is None else np.asarray(prior, float)
        missing = measured - columns @ prior
        if ridge:
            scale = np.sqrt(ridge) * np.eye(columns.shape[1])
            columns, missing = np.vstack([columns, scale]), np.concatenate([missing, np.zeros(len(scale))])
        found = prior + np.linalg.lstsq(columns, missing, rcond=None)[0]
        costs = found[1:].reshape(len(EDGES), len(OPS))
        base = found[0] + costs[:, 0].sum()  # "none" becomes the zero of each edge
        rows = cast("list[list[float]]", (costs - costs[:, :1]).tolist())
        return cls(float(base), costs=tuple(map(tuple, rows)), skipped=skipped)

    @property
    def coefficients(self) -> np.ndarray:
        """The base and the 30 costs in one array, (31,)."""
        return np.concatenate([[self.base], np.ravel(self.costs)])


def design(archs: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Return the columns of the model: a one, and one-hot codes of six edges: (n, 31)."""
    archs = as_array(archs)
    hot = archs[:, :, None] == np.arange(len(OPS))
    return np.concatenate([np.ones((len(archs), 1)), hot.reshape(len(archs), -1)], 1)
