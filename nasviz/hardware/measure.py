"""Measure the time of a network or an operation on this machine. A measurement that is too noisy is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..nn.threads import threads as torch_threads
from ..ranges import check_number
from ..workers import processor

SHORTEST = 1e-3  # seconds a sample lasts at least, in as many passes as needed: the clock's steps would disturb
WARM = 0.02  # seconds of first passes that are not counted, as they choose kernels and fill caches


class Noisy(RuntimeError):
    """An error: the machine was busy with other work, so that a measurement was too noisy."""


@dataclass(frozen=True)
class Latency:
    """A measured latency.

    Attributes
    ----------
    ms : float
        Median milliseconds of one pass.
    spread : float
        Width of the middle half of the samples, as a share of the median.
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
    """Measure the time of ``work`` by many repetitions.

    Parameters
    ----------
    work : callable
        Function without arguments that does one pass.
    samples : int
        Number of samples, at least 5. A sample is one pass, or as many passes as last a millisecond.
    tolerance : float
        Greatest `Latency.spread` that is accepted.
    tries : int
        Number of attempts: when all are noisy, the measurement is refused.
    clock : callable
        Function that returns the time in seconds.

    Raises
    ------
    Noisy
        If the middle half of the times was wider than ``tolerance`` each time.
    ValueError
        For impossible numbers.
    """
    check_number("samples", samples, 5)
    check_number("tries", tries, 1)
    check_number("tolerance", tolerance, above=0.0, whole=False, infinite=True)
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


def latency(network: nn.Module, shape: Sequence[int], *, threads: int = 1, device: str = "cpu", **how) -> Latency:
    """Measure one forward pass in evaluation mode, in milliseconds, by eager torch on ``threads`` pinned threads.

    Parameters
    ----------
    network : nn.Module
        A whole network, or one operation. For a GPU it is moved there and back; otherwise it stays as it was.
    shape : sequence of int
        Shape of the input: (batch, colors, height, width); (batch, tokens, width) for a part of a transformer.
    threads : int
        Number of torch's threads, within this call only.
    device : str
        ``"cpu"``, or torch's name of an accelerator: ``"cuda"``, ``"mps"``.
    **how
        Arguments of `measure`, whose errors this function raises too.
    """
    with passes(network, shape, threads, device) as work:
        return measure(work, **how)


@contextmanager
def passes(network: nn.Module, shape: Sequence[int], threads: int = 1, device: str = "cpu"):
    """Return a function without arguments that does one complete forward pass: see `latency`."""
    images, was = _images(shape).to(device), network.training
    network.eval().to(device)

    def work() -> None:
        network(images)
        if device != "cpu":  # an accelerator only queues the work: wait until it is computed
            torch.accelerator.synchronize(device)

    try:
        with torch_threads(threads), torch.inference_mode():
            yield work
    finally:
        network.train(was).to("cpu")


def device_name(device: str = "cpu") -> str:
    """Return a device's name for tables: the processor's, for ``"cuda"`` the graphics card's, else just ``device``."""
    if device == "cpu":
        return processor()
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _images(shape: Sequence[int]) -> Tensor:
    """Draw images of normal noise, since zeros are faster on some machines; channels last, as in our networks."""
    if len(shape) not in (2, 3, 4) or any(not isinstance(side, int) or side < 1 for side in shape):
        raise ValueError(f"an input has a shape like (batch, colors, height, width), got {tuple(shape)}")
    images = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return images.to(memory_format=torch.channels_last) if len(shape) == 4 else images
