"""Resources of a forward pass besides time: memory, counted and measured, and energy where the machine reports it."""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ..analysis.cost import POWERCAP, Meter
from ..nn.dispatch import Watching, storages
from ..ranges import check_number
from .measure import _images, passes


def memory(network: nn.Module, shape: Sequence[int]) -> dict[str, int]:
    """Count the bytes of the weights, and of the largest input and output that one layer holds at once (a lower bound).

    The bytes are counted from shapes, not measured: a runtime may hold more memory.
    """
    most = 0

    def seen(layer, inputs, named, output):
        nonlocal most
        if isinstance(output, Tensor):
            held = [t for t in (*inputs, *named.values(), output) if isinstance(t, Tensor)]
            most = max(most, sum(t.numel() * t.element_size() for t in held))

    leaves = [layer for layer in network.modules() if next(layer.children(), None) is None]
    hooks = [layer.register_forward_hook(seen, with_kwargs=True) for layer in leaves]
    was = network.training
    try:
        with torch.inference_mode():
            network.eval()(_images(shape))
    finally:
        network.train(was)
        for hook in hooks:
            hook.remove()
    return {"weights": sum(t.numel() * t.element_size() for t in network.state_dict().values()), "activations": most}


def peak_memory(network: nn.Module, shape: Sequence[int], *, device: str = "cpu") -> int:
    """Measure the most bytes that one forward pass in evaluation mode takes, beyond the weights and the input.

    On a graphics card this is the peak of torch's allocator. The CPU has no such record: there it is the peak of all
    tensors alive at once, those between layers and on skip connections included. Memory that a kernel takes and frees
    inside is not counted; for small images it can be as much again.

    Parameters
    ----------
    network, shape, device
        See `nasviz.hardware.latency`.
    """
    with passes(network, shape, device=device) as work:
        work()  # memory that libraries take once does not belong to the pass
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
            work()
            return torch.cuda.max_memory_allocated(device) - before
        with _Alive() as alive:
            work()
        return alive.most


class _Alive(Watching):
    """A counter of the bytes of tensors that operations made and that are still in use: now, and at most."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[int] = set()
        self.now = self.most = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.known.update(storage._cdata for storage in storages((args, kwargs)))  # weights, images: made elsewhere
        out = function(*args, **(kwargs or {}))
        for storage in storages((out,)):
            if storage._cdata not in self.known:
                self.known.add(storage._cdata)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        self.most = max(self.most, self.now)
        return out

    def _gone(self, which: int, size: int) -> None:
        self.known.discard(which)
        self.now -= size


def energy(
    network: nn.Module,
    shape: Sequence[int],
    *,
    threads: int = 1,
    seconds: float = 1.0,
    root: Path = POWERCAP,
) -> float | None:
    """Measure the joules of one forward pass on the CPU by the processor's counter; None where there is no counter.

    The energy that the whole processor used while the passes ran, idle cores included, is divided by the number of
    passes. On a machine with other work the result is too large. The energy of a graphics card is not included.
    `nasviz.analysis.cost.joules` tells whether a machine has a counter.

    Parameters
    ----------
    network, shape, threads
        See `nasviz.hardware.latency`.
    seconds : float
        The least duration of all passes together: the counter moves once a millisecond.
    root : Path
        Directory of the counters.

    Examples
    --------
    A table of millijoules by operation, for a machine with counters::

        LatencyTable.build(networks, image, timed=lambda module, shape: 1000 * energy(module, shape))
    """
    check_number("seconds", seconds, 0.0, whole=False)
    with passes(network, shape, threads) as work:
        work()
        count, begin = 0, time.perf_counter()
        with Meter(root) as meter:
            while time.perf_counter() - begin < seconds or not count:
                work()
                count += 1
    return None if meter.joules is None else meter.joules / count
