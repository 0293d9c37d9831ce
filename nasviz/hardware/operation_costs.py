"""A cost for each kind of operation: thirteen numbers that stand for a device, on networks of inverted bottlenecks.

A kind of operation costs a start, something for each multiply-add, and something for each number that it reads or
writes. That is a roofline whose parts add up (Williams et al. 2009 take the longest), and it is fitted on published
latencies, so that a real device stands where one had to invent numbers. Any network can be asked about; only what is
like the networks that were measured has an error that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import nn

from ..nn import count
from ..nn.elastic import places
from ..nn.mobile import divisible
from ..ranges import REQUIRED, check_fields, ranged
from ..space import Arch
from ..spaces.elastic import RESOLUTIONS, STRIDES, ElasticSpace
from .latency_table import Unit, units

KINDS = ("1×1 convolution", "wider convolution", "depthwise convolution", "on one pixel")
PARTS = ("start", "multiply-add", "moved")  # each; a million of them
POINTWISE, WIDE, DEPTHWISE, PIXEL = range(len(KINDS))


def kind_of(unit: Unit) -> int | None:
    """Number of the kind of an operation in `KINDS`; None for what has no weights and is no global pooling.

    What ends on one pixel is of the last kind: global pooling, squeeze-excitation, and the layers behind it.
    """
    if len(unit.out) == 2 or unit.out[2:] == (1, 1):
        pooled = any("AdaptiveAvgPool" in type(layer).__name__ for layer in unit.module.modules())
        return PIXEL if pooled or count.parameters(unit.module) else None
    first = next((layer for layer in unit.module.modules() if isinstance(layer, nn.Conv2d)), None)
    if first is None:
        return None
    if first.groups > 1:
        return DEPTHWISE
    return POINTWISE if first.kernel_size == (1, 1) else WIDE


def work(network: nn.Module, image: Sequence[int]) -> np.ndarray:
    """What a network does for one image: for each kind, operations, millions of multiply-adds and of numbers moved.

    Parameters
    ----------
    network : nn.Module
        On the CPU or on the meta device.
    image : sequence of int
        (colors, height, width).

    Returns
    -------
    float array (4, 3)
        By `KINDS` and `PARTS`. Input, output and weights of each operation are moved once.
    """
    done = np.zeros((len(KINDS), len(PARTS)))
    for unit in units(network, image):
        if (kind := kind_of(unit)) is not None:
            moved = np.prod(unit.shape) + np.prod(unit.out) + count.parameters(unit.module)
            done[kind] += 1, unit.madds / 1e6, moved / 1e6
    return done


@dataclass(frozen=True)
class OperationCosts:
    """Milliseconds as a sum over operations: a base, and for each kind a start, a price of work and one of memory.

    Attributes
    ----------
    base : float
        Milliseconds of each network, 0 or more.
    costs : tuple of 4 tuples of 3 floats
        Milliseconds, 0 or more: by `KINDS` and `PARTS`.
    """

    base: float = ranged(REQUIRED, 0.0, whole=False)
    costs: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        check_fields(self)
        if np.shape(self.costs) != (len(KINDS), len(PARTS)):
            raise ValueError(f"OperationCosts: costs are of shape (4, 3), a kind and part, got {np.shape(self.costs)}")
        if not (np.isfinite(self.costs).all() and np.min(self.costs) >= 0):
            raise ValueError(f"OperationCosts: costs are finite and 0 or more, got {self.costs}")

    def total(self, done: np.ndarray) -> np.ndarray:
        """Milliseconds of work of shape (…, 4, 3): (…)."""
        return self.base + (np.asarray(done) * np.array(self.costs)).sum((-2, -1))

    def predict(self, network: nn.Module, image: Sequence[int]) -> float:
        """Milliseconds of a network for an image (colors, height, width); a meta device may hold the network."""
        return float(self.total(work(network, image)))

    def child(self, width: float = 1.2) -> Callable[[Arch], float]:
        """Return ``arch -> milliseconds`` of members of `ElasticSpace` on images of their resolution, in full size."""
        return lambda arch: float(self.total(work_of_child(tuple(arch), width)))

    @classmethod
    def fit(cls, done: np.ndarray, ms: Sequence[float] | np.ndarray, base: bool = True) -> OperationCosts:
        """Fit by least squares of the relative errors, with no cost below 0 (Lawson & Hanson 1974).

        Parameters
        ----------
        done : array (n, 4, 3)
            Work of each network or block, as `work` counts it.
        ms : array (n,)
            Above 0.
        base : bool
            Whether there is a base; where blocks were measured there is none.

        Raises
        ------
        ValueError
            If there are not as many times as networks, or one is not above 0.
        """
        from scipy.optimize import nnls

        done, ms = np.asarray(done, float), np.asarray(ms, float)
        if done.shape[1:] != (len(KINDS), len(PARTS)) or ms.shape != done.shape[:1] or not (ms > 0).all():
            raise ValueError(f"a fit needs milliseconds above 0 for each work (4, 3), got {done.shape} and {ms.shape}")
        columns = np.column_stack([np.full(len(ms), float(base)), done.reshape(len(ms), -1)])
        size = np.maximum(columns.max(0), 1e-9)  # columns of one size, for the solver's tolerance
        found = nnls(columns / size / ms[:, None], np.ones(len(ms)))[0] / size
        return cls(float(found[0]), tuple(map(tuple, found[1:].reshape(len(KINDS), len(PARTS)).tolist())))


@lru_cache(2**14)
def work_of_child(arch: Arch, width: float = 1.2) -> np.ndarray:
    """`work` of a member of `ElasticSpace` with the strides of the paper and 1,000 classes, without building it.

    The image has the sides that the member's resolution says: 128 to 224 pixels.
    """
    space = ElasticSpace()
    pixels = RESOLUTIONS[space.check(arch)[0]]
    side, channels = -(-pixels // STRIDES[0]), divisible(16 * width)
    done = convolution(WIDE, 3, channels, 3, pixels, side)
    done = done + bottleneck(channels, channels, channels, 3, side, side)
    outputs = channels
    for place, kernel, expansion in places(space.plan(arch, STRIDES), width):
        out, middle = -(-side // place.stride), place.middle(expansion)
        squeezed = divisible(middle // 4) if place.excited else 0
        done = done + bottleneck(place.inputs, middle, place.outputs, kernel, side, out, squeezed)
        side, outputs = out, place.outputs
    last, mixed = divisible(960 * width), divisible(1280 * width)
    done = done + convolution(POINTWISE, outputs, last, 1, side, side) + pooling(last, side)
    return done + linear(last, mixed, bias=False) + linear(mixed, 1000)


@lru_cache(2**14)
def bottleneck(
    inputs: int, middle: int, outputs: int, kernel: int, side: int, out: int, squeezed: int = 0
) -> np.ndarray:
    """`work` of an inverted bottleneck, from images of ``side`` pixels to images of ``out``.

    Without a first convolution where ``middle`` is ``inputs``; with squeeze-excitation where ``squeezed`` is not 0.
    """
    done = np.zeros((len(KINDS), len(PARTS))) if middle == inputs else convolution(
        POINTWISE, inputs, middle, 1, side, side)  # fmt: skip
    done = done + convolution(DEPTHWISE, middle, middle, kernel, side, out)
    if squeezed:
        weights = 2 * middle * squeezed + middle + squeezed
        done[PIXEL] += 1, 2 * middle * squeezed / 1e6, (middle * out**2 + middle + weights) / 1e6
    return done + convolution(POINTWISE, middle, outputs, 1, out, out)


def convolution(kind: int, inputs: int, outputs: int, kernel: int, side: int, out: int) -> np.ndarray:
    """`work` of a convolution with the batch-norm behind it, from images of ``side`` pixels to images of ``out``."""
    weights = kernel**2 * outputs * (1 if kind == DEPTHWISE else inputs)
    moved = inputs * side**2 + outputs * out**2 + weights + 2 * outputs
    return _only(kind, weights * out**2, moved)


def pooling(channels: int, side: int) -> np.ndarray:
    """`work` of global pooling of images of ``side`` pixels."""
    return _only(PIXEL, 0, channels * side**2 + channels)


def linear(inputs: int, outputs: int, bias: bool = True) -> np.ndarray:
    """`work` of a linear layer, or of a 1×1 convolution on one pixel."""
    return _only(PIXEL, inputs * outputs, inputs + outputs + inputs * outputs + bias * outputs)


def _only(kind: int, madds: int, moved: int) -> np.ndarray:
    done = np.zeros((len(KINDS), len(PARTS)))
    done[kind] = 1, madds / 1e6, moved / 1e6
    return done
