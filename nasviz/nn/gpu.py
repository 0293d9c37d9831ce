"""Networks on a GPU: weights are moved into the right memory layout, and work is recorded as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from .ops import LAYOUTS


def device_of(network: Mapping) -> str:
    """Return the ``"device"`` among a strategy's network settings, ``"cpu"`` if there is none."""
    return network.get("device", "cpu")


def size_of(network: Mapping) -> dict:
    """Return a strategy's network settings without the device: those that the space accepts."""
    return {name: value for name, value in network.items() if name != "device"}


def to_device(network: nn.Module, device: str | torch.device) -> nn.Module:
    """Move the network to ``device``, its filters in the layout of `nasviz.nn.ops.in_layout`, and return it.

    A single convolution with channels-last filters makes torch compute it, and all later layers, channels-last. A
    network that is already on the device stays as it is.
    """
    kind = torch.device(device).type
    if all(parameter.device.type == kind for parameter in network.parameters()):
        return network
    layout = LAYOUTS.get(kind, torch.channels_last)
    return network.to(device, memory_format=layout)  # type: ignore[call-overload]  # torch's overloads lack this form


class Graphed:
    """A function of tensors, recorded once as a CUDA graph: a call replays its kernels without launching each alone.

    Parameters
    ----------
    function : callable
        ``function(*inputs)`` returns a tensor or a tuple of tensors. It may read and write other tensors, which must
        stay where they are in memory, and may compute gradients. A number that it takes from Python, or draws on the
        CPU, is recorded as a constant. It must not ask for the value of a tensor (``.item()``, ``if``).
    *inputs : Tensor
        Examples: later inputs have their shapes and types. No autograd graph made outside the function may be alive.
    warm : int
        Number of calls before the recorded one; in them torch chooses its algorithms. Like any other call, they write
        to the tensors that ``function`` writes to.

    Notes
    -----
    The next call overwrites the tensors that a call returned.
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
        # An autograd graph that stays alive would tie the weights to this stream, and break the next recording.
        self.outputs = outputs.detach() if isinstance(outputs, Tensor) else tuple(each.detach() for each in outputs)

    def __call__(self, *inputs: Tensor):
        for mine, new in zip(self.inputs, inputs, strict=True):
            mine.copy_(new)
        self.graph.replay()
        return self.outputs
