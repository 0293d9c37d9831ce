"""Milliseconds of the half-blocks of a transformer: a table, as an array of choices and options, for a budget.

Puzzle measures each variant of each block on the hardware that will run it, and takes a network's time for the sum
(Bercovich et al. 2024, section 3.3). Half-blocks that are alike take as long in any place: each is measured once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from ..space import Arch
from ..spaces import TransformerSpace
from .latency_table import LatencyTable, Timed, units
from .measure import latency


class Branch(nn.Module):
    """A half-block as it runs in a network: what it adds, and the addition."""

    def __init__(self, adds: nn.Module):
        super().__init__()
        self.adds = adds

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (batch, tokens, width) to tokens."""
        return x + self.adds(x)


@dataclass(frozen=True)
class HalfBlockTimes:
    """Milliseconds of half-blocks on one device. It is called with an architecture, and returns its milliseconds.

    Attributes
    ----------
    ms : float array (choices, options)
        What each option of each choice takes; 0 for *none*. The ``costs`` of a `Budget`.
    rest : float
        What every member takes besides: patches, the last layer-norm, the classifier.
    table : LatencyTable
        The same by operation: it knows device, batch and date, and is saved as a file.
    """

    ms: np.ndarray
    rest: float
    table: LatencyTable

    def __call__(self, arch: Arch) -> float:
        return self.rest + float(self.ms[np.arange(len(self.ms)), list(arch)].sum())

    def errors(self, archs: Sequence[Arch], measured: Sequence[float]) -> np.ndarray:
        """Return the relative errors (n,) of the sums on whole networks, of which milliseconds above 0 were measured.

        0.05: the sum is 5 % too much.
        """
        return np.array([self(arch) for arch in archs]) / np.asarray(measured, float) - 1


def half_block_times(
    space: TransformerSpace,
    *,
    batch: int = 500,
    samples: int = 25,
    tolerance: float = 0.25,
    threads: int = 1,
    device: str = "cpu",
    timed: Timed | None = None,
    table: LatencyTable | None = None,
    **size,
) -> HalfBlockTimes:
    """Measure each option of each half-block on this machine, or read them from a table.

    Parameters
    ----------
    space : TransformerSpace
    batch : int
        Images that pass at once.
    samples : int
        Of each half-block.
    tolerance : float
        Greatest spread of the samples that is accepted: see `nasviz.hardware.measure.measure`.
    threads : int
        Number of torch's threads.
    device : str
        As torch calls it.
    timed : callable, optional
        (module, shape of its input) -> milliseconds, in place of a clock. Half-blocks come as a `Branch`.
    table : LatencyTable, optional
        Milliseconds that were measured earlier, as ``HalfBlockTimes.table`` of a space with the same half-blocks:
        nothing is measured.
    **size
        Sizes of the network, as ``space.network`` takes them.

    Raises
    ------
    Noisy
        If the machine does other things.
    KeyError
        If ``table`` lacks an operation.

    Examples
    --------
    >>> times = half_block_times(space)  # doctest: +SKIP
    >>> times(space.largest), times(space.smallest)  # doctest: +SKIP
    (97.4, 0.9)
    >>> programme(harms, [Budget(times.ms, 40 - times.rest)])  # doctest: +SKIP
    """
    networks = [space.network((option,) * len(space.choices), **size) for option in range(len(space.attention))]
    side = size.get("side", 16)
    image = size.get("colors", 1), side, side

    def clock(module: nn.Module, shape: tuple[int, ...]) -> float:
        return latency(module, shape, threads=threads, device=device, samples=samples, tolerance=tolerance).ms

    asked: Callable[[nn.Module, tuple[int, ...]], float] = timed or clock
    halves = {half for network in networks for half in network.halves}

    def in_place(module: nn.Module, shape: tuple[int, ...]) -> float:
        return asked(Branch(module) if module in halves else module, shape)

    if table is None:
        table = LatencyTable.build(networks, image, batch=batch, threads=threads, device=device, timed=in_place)
    ms, rest = np.zeros((len(space.choices), len(networks))), 0.0
    for option, network in enumerate(networks):
        places = {half: place for place, half in enumerate(network.halves)}
        rows = table.by_operation(network, image)
        for unit, (_, spent) in zip(units(network, image), rows, strict=True):
            if unit.module in places:
                ms[places[unit.module], option] = spent
            elif option == 0:
                rest += spent
    return HalfBlockTimes(ms, rest, table)
