"""Baselines with which every estimator is compared: counts of an architecture's convolutions, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from ..estimator import Estimator
from ..space import Arch, SearchSpace
from ..step import Evaluation

KERNEL = re.compile(r"(\d+)x(\d+)|_k(\d+)")  # conv_1x7_7x1, nor_conv_3x3, conv3x3-bn-relu; mbconv_k5_e3


@dataclass(frozen=True)
class Baselines(Estimator):
    """Counts of an architecture's convolutions, read from its graph in microseconds. Loads no torch.

    Notes
    -----
    Scores: ``"convolutions"``, the number of convolution operations; ``"conv3x3"``, the number of those with a 3×3
    kernel; ``"size"``, the sum of their kernels' areas, which on NAS-Bench-201 is nine times the 3×3 convolutions plus
    the 1×1 ones. The counts include every operation whose name says "conv", in all cells, dead ones too; a separable
    convolution counts once. On NAS-Bench-201 ``size`` alone reaches a Kendall's τ of about 0.6 with the accuracy of a
    full training. Few scores at initialisation reach as much.
    """

    space: SearchSpace

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Count in ``arch``; ``epochs`` must be None or 0. ValueError if ``arch`` is not in the space."""
        arch, start = untrained(self.space, arch, epochs), perf_counter()
        return Evaluation(arch, count_convolutions(self.space, arch), perf_counter() - start, 0, seed)


def count_convolutions(space: SearchSpace, arch: Arch) -> dict[str, float]:
    """Return ``{"convolutions": …, "conv3x3": …, "size": …}``: see `Baselines`."""
    kernels = list(_kernels(space, arch))
    return {
        "convolutions": float(len(kernels)),
        "conv3x3": float(kernels.count([(3, 3)])),
        "size": float(sum(height * width for kernel in kernels for height, width in kernel)),
    }


def _kernels(space: SearchSpace, arch: Arch) -> Iterator[list[tuple[int, int]]]:
    """Yield each convolution's kernels as (height, width): two of them, where it is two convolutions in a row."""
    for graph in space.cells(arch).values():
        for op in (*(edge.op for edge in graph.edges), *graph.ops):
            if op and "conv" in op:
                yield [(int(h or k), int(w or k)) for h, w, k in KERNEL.findall(op)]


def untrained(space: SearchSpace, arch: Arch, epochs: int | None) -> Arch:
    """Return ``arch`` after a check. ValueError for ``epochs`` above 0, as the estimator trains nothing."""
    if epochs:
        raise ValueError(f"this score is taken before any training: epochs must be None or 0, got {epochs!r}")
    return space.check(arch)
