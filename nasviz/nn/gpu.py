"""What a network needs on a GPU: its weights in the right memory layout, and its work recorded as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from .ops import LAYOUTS


def device_of(network: Mapping) -> str:
    """Where a strategy computes: the ``"device"`` among what it says of its network, ``"cpu"`` if it says none."""
    return network.get("device", "cpu")


def size_of(network: Mapping) -> dict:
    """What a strategy says of its network but for the device: what the space takes."""
    return {name: value for name, value in network.items() if name != "device"}


def moved(network: nn.Module, device: str | torch.device) -> nn.Module:
    """The network itself on ``device``, its filters in the layout of `nasviz.nn.ops.in_layout`.

    One convolution whose filters are channels-last makes torch compute it, and all that follows, channels-last. Left
    alone if it is there already.
    """
    kind = torch.device(device).type
    if all(parameter.device.type == kind for parameter in network.parameters()):
        return network
    return network.to(device, memory_format=LAYOUTS.get(kind, torch.channels_last))


class Graphed:
    """A function of tensors, recorded once as a CUDA graph: a call replays its kernels without launching each.

    Parameters
    ----------
    function : callable
        ``function(*inputs)`` returns a tensor or a tuple of tensors. It may read and write other tensors, which must
        stay where they are in memory, and may take gradients; a number that it takes from Python, or draws on the CPU,
        is recorded as it is. It must not ask for the value of a tensor (``.item()``, ``if``).
    *inputs : Tensor
        Examples: later inputs have their shapes and types. No graph of autograd that was made outside may be alive.
    warm : int
        Calls before the one that is recorded, in which torch chooses its algorithms. They write what ``function``
        writes.

    Notes
    -----
    What a call returns is overwritten by the next one.
    """

    def __init__(self, function: Callable, *inputs: Tensor, warm: int = 3):
        self.inputs = [x.detach().clone() for x in inputs]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(warm):
                function(*self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, stream=stream):
            outputs = function(*self.inputs)
        # A graph of autograd that stays alive would tie the weights to this stream, and break the next recording.
        self.outputs = outputs.detach() if isinstance(outputs, Tensor) else tuple(each.detach() for each in outputs)

    def __call__(self, *inputs: Tensor):
        for mine, new in zip(self.inputs, inputs, strict=True):
            mine.copy_(new)
        self.graph.replay()
        return self.outputs
