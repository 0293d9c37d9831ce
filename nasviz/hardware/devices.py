"""Latency of the same architectures on several devices, to compare which is fastest on which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import nn

from ..nn import count
from ..ranges import REQUIRED, check_fields, ranged
from ..space import Arch, SearchSpace
from .latency_table import LatencyTable, units


@dataclass(frozen=True)
class Roofline:
    """A simulated device on which arithmetic or memory limits every operation: the roofline (Williams et al. 2009).

    An operation takes ``launch`` plus the longer of multiply-adds / ``madds`` and bytes moved / ``bandwidth``; weights,
    input and output are moved once, in float32. **Simulated**: real devices differ, by caches, kernels and chance. The
    simulation shows what follows from three numbers.

    Parameters
    ----------
    madds : float
        Billions of multiply-adds a second.
    bandwidth : float
        Billions of bytes a second.
    launch : float
        Microseconds to start each operation.
    """

    madds: float = ranged(REQUIRED, above=0.0, whole=False)
    bandwidth: float = ranged(REQUIRED, above=0.0, whole=False)
    launch: float = ranged(REQUIRED, 0.0, whole=False)

    def __post_init__(self):
        check_fields(self)

    def predict(self, network: nn.Module, image: Sequence[int], batch: int = 1) -> float:
        """Return the milliseconds for ``batch`` images (colors, height, width); a meta device may hold the network."""
        total = 0.0
        for unit in units(network, image, batch):
            work = batch * unit.madds / (1e9 * self.madds)
            moved = 4 * (np.prod(unit.shape) + np.prod(unit.out) + count.parameters(unit.module))
            total += 1e3 * max(work, moved / (1e9 * self.bandwidth)) + 1e-3 * self.launch
        return float(total)


@dataclass(frozen=True)
class Target:
    """A device on which networks run, with their times on it.

    Attributes
    ----------
    name : str
    kind : {"measured", "fitted", "simulated", "published"}
        Source of its milliseconds; views always show it. Fitted: a model of published measurements.
    ms : callable
        Function from an architecture to milliseconds.
    """

    name: str
    kind: str
    ms: Callable[[Arch], float]

    def __post_init__(self):
        if self.kind not in ("measured", "fitted", "simulated", "published"):
            raise ValueError(f"a target is measured, fitted, simulated or published, not {self.kind!r}")

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    def cost(self, arch: Arch) -> dict[str, float]:
        """Return ``{"latency_ms": …}``, for `nasviz.estimators.WithCost`, through which a search sees the latency."""
        return {"latency_ms": self.ms(arch)}


def target(
    name: str,
    source: LatencyTable | Roofline,
    space: SearchSpace,
    image: Sequence[int],
    network: dict | None = None,
) -> Target:
    """Return a target whose milliseconds come from a table or a simulated device; they are cached by architecture."""
    known: dict[Arch, float] = {}

    def ms(arch: Arch) -> float:
        arch = tuple(arch)
        if arch not in known:  # a small network is built and run faster than on the meta device
            known[arch] = source.predict(_built(space, arch, tuple((network or {}).items())), image)
        return known[arch]

    return Target(name, "simulated" if isinstance(source, Roofline) else "measured", ms)


@lru_cache(maxsize=1)
def _built(space: SearchSpace, arch: Arch, settings: tuple) -> nn.Module:
    """Build the network of an architecture, once for all targets that are asked about it in turn."""
    return space.network(arch, **dict(settings))


def times(targets: Sequence[Target], archs: Sequence[Arch]) -> np.ndarray:
    """Return the milliseconds of each architecture on each target: (targets, architectures)."""
    return np.array([[one.ms(arch) for one in targets] for arch in archs]).T
