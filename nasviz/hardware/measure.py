"""How long a network or an operation takes on this machine: measured, or refused where the machine is too noisy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..nn.threads import threads as torch_threads
from ..workers import processor

SHORTEST = 1e-3  # seconds: a sample is as many passes as last so long, or the clock's own steps would show
WARM = 0.02  # seconds of passes that choose kernels and fill caches: not counted


class Noisy(RuntimeError):
    """The machine does other things: what was measured says little."""


@dataclass(frozen=True)
class Latency:
    """What was measured.

    Attributes
    ----------
    ms : float
        Median milliseconds of one pass.
    spread : float
        Middle half of the samples, from its lower to its upper end, as a share of the median.
    samples : int
    """

    ms: float
    spread: float
    samples: int

    def __str__(self) -> str:
        return f"{self.ms:.3g} ms ± {50 * self.spread:.0f} %"


def measure(
    work: Callable[[], object],
    *,
    samples: int = 25,
    tolerance: float = 0.25,
    tries: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Time ``work`` again and again.

    Parameters
    ----------
    work : callable
        One pass.
    samples : int
        How many times are taken, from 5. Each is of one pass, or of so many as last a millisecond.
    tolerance : float
        Greatest `Latency.spread` that is accepted.
    tries : int
        A noisy measurement is repeated so often before it is refused.
    clock : callable
        Seconds.

    Raises
    ------
    Noisy
        If the middle half of the times was wider than ``tolerance`` each time.
    ValueError
        For impossible numbers.
    """
    if samples < 5 or tries < 1 or not tolerance > 0:
        raise ValueError(f"needs samples ≥ 5, tries ≥ 1, tolerance > 0; got {samples}, {tries}, {tolerance}")
    begin, passes = clock(), 0
    while (spent := clock() - begin) < WARM or passes < 3:
        work()
        passes += 1
    repeats = max(1, int(np.ceil(SHORTEST * passes / spent)))
    found = []
    for _ in range(tries):
        times = []
        for _ in range(samples):
            start = clock()
            for _ in range(repeats):
                work()
            times.append((clock() - start) / repeats)
        low, middle, high = np.quantile(times, (0.25, 0.5, 0.75))
        found.append(Latency(1000 * float(middle), float((high - low) / middle), samples))
        if found[-1].spread <= tolerance:
            return found[-1]
    raise Noisy(
        f"this machine is too noisy to measure: in {tries} tries the middle half of {samples} times was "
        f"{100 * min(one.spread for one in found):.0f} % wide at best, {100 * tolerance:.0f} % is allowed. Close what "
        "else is running, or give a greater tolerance"
    )


def latency(
    network: nn.Module, shape: Sequence[int], *, threads: int = 1, device: str = "cpu", **how
) -> Latency:
    """Milliseconds of one forward pass in evaluation mode, by torch as it is (eager), on ``threads`` pinned threads.

    Parameters
    ----------
    network : nn.Module
        A whole network, or one operation. On a GPU it is moved there, and back; else left as it was.
    shape : sequence of int
        Of the input: (batch, colors, height, width).
    threads : int
        Of torch, within this call only.
    device : str
        ``"cpu"``, or what torch calls an accelerator: ``"cuda"``, ``"mps"``.
    **how
        As of `measure`, whose errors come through.
    """
    with passes(network, shape, threads, device) as work:
        return measure(work, **how)


@contextmanager
def passes(network: nn.Module, shape: Sequence[int], threads: int = 1, device: str = "cpu"):
    """A function of nothing, which is one forward pass that has ended: see `latency`."""
    images, was = _images(shape).to(device), network.training
    network.eval().to(device)

    def work() -> None:
        network(images)
        if device != "cpu":  # an accelerator only queues what it is told: wait until it has computed
            torch.accelerator.synchronize(device)

    try:
        with torch_threads(threads), torch.inference_mode():
            yield work
    finally:
        network.train(was).to("cpu")


def device_name(device: str = "cpu") -> str:
    """What a table calls a device: the processor's name, or for ``"cuda"`` the graphics card's; else ``device``."""
    if device == "cpu":
        return processor()
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _images(shape: Sequence[int]) -> Tensor:
    """Normal noise, since zeros are faster on some machines; channels last, as our networks pass them on."""
    if len(shape) not in (2, 4) or any(not isinstance(side, int) or side < 1 for side in shape):
        raise ValueError(f"an input has a shape like (batch, colors, height, width), got {tuple(shape)}")
    images = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return images.to(memory_format=torch.channels_last) if len(shape) == 4 else images
