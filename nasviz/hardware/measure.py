"""How long a network or an operation takes on this machine: measured, or refused where the machine is too noisy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..nn.threads import threads as torch_threads

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
    was = network.training
    network.eval().to(device)
    images = _images(shape).to(device)
    wait = getattr(torch, device.partition(":")[0]).synchronize if device != "cpu" else None

    def work() -> None:
        network(images)
        if wait:
            wait()

    try:
        with torch_threads(threads), torch.inference_mode():
            return measure(work, **how)
    finally:
        network.train(was).to("cpu")


def memory(network: nn.Module, shape: Sequence[int]) -> dict[str, int]:
    """Bytes of the weights, and of the largest input and output that one layer holds at once (a lower bound).

    Counted from shapes, not measured: what a runtime holds besides is its own affair.
    """
    most = 0

    def seen(layer, inputs, output):
        nonlocal most
        if isinstance(output, Tensor):
            most = max(most, sum(t.numel() * t.element_size() for t in (*inputs, output) if isinstance(t, Tensor)))

    leaves = [layer for layer in network.modules() if next(layer.children(), None) is None]
    hooks = [layer.register_forward_hook(seen) for layer in leaves]
    was = network.training
    try:
        with torch.inference_mode():
            network.eval()(_images(shape))
    finally:
        network.train(was)
        for hook in hooks:
            hook.remove()
    return {"weights": sum(t.numel() * t.element_size() for t in network.state_dict().values()), "activations": most}


def _images(shape: Sequence[int]) -> Tensor:
    """Normal noise, since zeros are faster on some machines; channels last, as our networks pass them on."""
    if len(shape) not in (2, 4) or any(not isinstance(side, int) or side < 1 for side in shape):
        raise ValueError(f"an input has a shape like (batch, colors, height, width), got {tuple(shape)}")
    images = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return images.to(memory_format=torch.channels_last) if len(shape) == 4 else images
