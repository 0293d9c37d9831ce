"""What every estimator stands beside: counting the convolutions of an architecture, without any network."""

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
    """How much convolution an architecture has, read off its graph in microseconds. Loads no torch.

    Notes
    -----
    Scores: ``"convolutions"``, the number of convolution operations; ``"conv3x3"``, of those with a 3×3 kernel;
    ``"size"``, the sum of their kernels' areas, which on NAS-Bench-201 is nine times the 3×3 convolutions plus the
    1×1 ones. Counted are the operations of all the architecture's cells whose name says "conv", dead ones too; a
    separable one counts once. On NAS-Bench-201 ``size`` alone reaches a Kendall's τ of about 0.6 with the accuracy of
    a full training, which few scores at initialisation do.
    """

    space: SearchSpace

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Count ``arch``; ``epochs`` must be None or 0. ValueError for no architecture of the space."""
        arch, start = untrained(self.space, arch, epochs), perf_counter()
        return Evaluation(arch, counted(self.space, arch), perf_counter() - start, 0, seed)


def counted(space: SearchSpace, arch: Arch) -> dict[str, float]:
    """``{"convolutions": …, "conv3x3": …, "size": …}``: see `Baselines`."""
    kernels = list(_kernels(space, arch))
    return {
        "convolutions": float(len(kernels)),
        "conv3x3": float(kernels.count([(3, 3)])),
        "size": float(sum(height * width for kernel in kernels for height, width in kernel)),
    }


def _kernels(space: SearchSpace, arch: Arch) -> Iterator[list[tuple[int, int]]]:
    """(height, width) of the kernels of each convolution operation; of two, where one operation is two in a row."""
    for graph in space.cells(arch).values():
        for op in (*(edge.op for edge in graph.edges), *graph.ops):
            if op and "conv" in op:
                yield [(int(h or k), int(w or k)) for h, w, k in KERNEL.findall(op)]


def untrained(space: SearchSpace, arch: Arch, epochs: int | None) -> Arch:
    """``arch``, checked; ValueError if epochs are asked of an estimator that trains nothing."""
    if epochs:
        raise ValueError(f"this score is taken before any training: epochs must be None or 0, got {epochs!r}")
    return space.check(arch)
