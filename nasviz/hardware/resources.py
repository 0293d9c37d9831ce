"""What a pass takes besides time: memory, counted and measured, and energy where the machine tells it."""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..analysis.cost import POWERCAP, Meter
from .measure import _images, passes


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


def peak_memory(network: nn.Module, shape: Sequence[int], *, device: str = "cpu") -> int:
    """Bytes that one forward pass in evaluation mode takes at most, beyond the weights and the input.

    On a graphics card what torch's allocator had given out at most. On the CPU, where nobody keeps that account, the
    tensors that were alive at once, what lies between the layers and on skip connections included; not what a kernel
    takes for itself and gives back, which for small images can be as much again.

    Parameters
    ----------
    network, shape, device
        As of `nasviz.hardware.latency`.
    """
    with passes(network, shape, device=device) as work:
        work()  # what libraries take once is not this pass's
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
            work()
            return torch.cuda.max_memory_allocated(device) - before
        with _Alive() as alive:
            work()
        return alive.most


class _Alive(TorchDispatchMode):
    """Counts the bytes of what operations make and nobody has let go: now, and at most."""

    def __init__(self):
        super().__init__()
        self.known: set[int] = set()
        self.now = self.most = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.known.update(storage._cdata for storage in _storages((args, kwargs)))  # weights, images: not made here
        out = function(*args, **(kwargs or {}))
        for storage in _storages(out):
            if storage._cdata not in self.known:
                self.known.add(storage._cdata)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        self.most = max(self.most, self.now)
        return out

    def _gone(self, which: int, size: int) -> None:
        self.known.discard(which)
        self.now -= size


def _storages(values) -> list:
    """The memory behind the tensors among ``values``; two views of one have the same."""
    return [value.untyped_storage() for value in tree_leaves(values) if isinstance(value, Tensor)]


def energy(
    network: nn.Module,
    shape: Sequence[int],
    *,
    threads: int = 1,
    seconds: float = 1.0,
    root: Path = POWERCAP,
) -> float | None:
    """Joules of one forward pass on the CPU, by the processor's own counter; None where the machine does not tell.

    What the whole processor drew while the passes ran, idle cores included, divided by their number: on a machine that
    does other things it is too much. No graphics card is counted. Whether a machine tells:
        `nasviz.analysis.cost.joules`.

    Parameters
    ----------
    network, shape, threads
        As of `nasviz.hardware.latency`.
    seconds : float
        How long the passes go on, at least: the counter moves once a millisecond.
    root : Path
        Where the counters are.

    Examples
    --------
    A table of millijoules by operation, for a machine that tells them::

        LatencyTable.build(networks, image, timed=lambda module, shape: 1000 * energy(module, shape))
    """
    with passes(network, shape, threads) as work:
        work()
        count, begin = 0, time.perf_counter()
        with Meter(root) as meter:
            while time.perf_counter() - begin < seconds or not count:
                work()
                count += 1
    return None if meter.joules is None else meter.joules / count
