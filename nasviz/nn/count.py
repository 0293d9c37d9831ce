"""Count parameters and multiply-adds of a network for one image; on the meta device this needs no memory.

A small network is counted faster on its own device: on the meta device torch computes shapes in Python, and has to
import modules for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from .cells import Cell

Cost = Callable[[nn.Module, Tensor, Tensor], int]


def _conv_linear(layer: nn.Module, inputs: Tensor, outputs: Tensor) -> int:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        return outputs.numel() * layer.weight[0].numel()
    return 0


def _nasbench201(layer: nn.Module, inputs: Tensor, outputs: Tensor) -> int:
    if isinstance(layer, nn.AvgPool2d):
        size = layer.kernel_size
        return outputs.numel() * (size * size if isinstance(size, int) else prod(size))
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        return outputs.numel() * prod(side + 1 for side in inputs.shape[-2:])
    if isinstance(layer, nn.BatchNorm2d):
        return inputs.numel() * (2 if layer.affine else 1)
    if isinstance(layer, nn.ReLU):
        return outputs.numel()
    return _conv_linear(layer, inputs, outputs)


CONVENTIONS: Mapping[str, Cost] = {"conv_linear": _conv_linear, "nasbench201": _nasbench201}


def parameters(network: nn.Module) -> int:
    """Count the parameters of a network; as in the papers, operations that never run count too."""
    return sum(weights.numel() for weights in network.parameters())


def madds(network: nn.Module, image: tuple[int, int, int], convention: str = "conv_linear") -> int:
    """Count the multiply-adds of one image through a network.

    Parameters
    ----------
    network : nn.Module
        The network, which is not changed. If it is built inside ``with torch.device("meta"):``, it takes no memory.
    image : tuple of int
        (colors, height, width).
    convention : {"conv_linear", "nasbench201"}
        ``conv_linear``: multiplications of convolutions and linear layers, as in most papers.
        ``nasbench201``: in addition, per output element, 2 for a batch-norm, 1 for a ReLU, 9 for a 3×3 pooling. The
        count of every operation in a cell is then exactly as published for NAS-Bench-201 (NAS-Bench-Suite-Zero,
        Krishnakumar et al. 2022). Outside the cells the published totals are larger by 5,184 = 64 · 9² for every
        architecture. The global pooling of 64 channels of 8×8 has exactly this count if its windows are 9×9; it is
        therefore counted like that here. This reason is our guess: the papers do not document it.

    Operations of a cell that are built and never run count as well, as they do for the parameters.
    """
    total = 0

    def add(layer, outputs, cost):
        nonlocal total
        total += cost

    _run(network, image, convention, add)
    return total


def _run(network: nn.Module, image: tuple[int, int, int], convention: str, seen: Callable) -> None:
    """Send one image through a network in evaluation mode; call ``seen(module, outputs, own cost)`` for each module."""
    if convention not in CONVENTIONS:
        raise ValueError(f"no counting convention {convention!r}, only {list(CONVENTIONS)}")
    cost = CONVENTIONS[convention]

    def ran(layer, inputs, outputs):
        if isinstance(layer, Cell):
            for operation in layer.unused():
                operation(inputs[0])
        leaf = not list(layer.children())
        seen(layer, outputs, cost(layer, inputs[0], outputs) if leaf else 0)

    hooks, training = [layer.register_forward_hook(ran) for layer in network.modules()], network.training
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    try:
        for norm in norms:
            # batch-norms took two thirds of the time on meta
            norm.forward = _same  # type: ignore[method-assign, assignment]  # of this one object, until below
        with torch.no_grad():
            network.eval()(torch.zeros(1, *image, device=next(network.parameters()).device))
    finally:
        for norm in norms:
            del norm.forward
        network.train(training)
        for hook in hooks:
            hook.remove()


def _same(x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True)
class Layer:
    """One module of a network, with all modules inside it.

    Attributes
    ----------
    name : str
        Name as in ``network.named_modules()``; empty for the whole network.
    kind : str
        Class of the module.
    shape : tuple of int
        Shape of the module's output, without the batch.
    parameters, madds : int
        Counts of the module and of all modules inside it.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    madds: int


def layers(network: nn.Module, image: tuple[int, int, int], convention: str = "conv_linear") -> list[Layer]:
    """Count parameters and multiply-adds of each module for one image, in the order of ``named_modules``.

    Parameters and errors are those of `madds`. Modules that do not run are left out, unless a cell counts them. For a
    module that runs several times, the shape is that of the last run, and the multiply-adds are those of all runs.
    """
    inside: dict[str, int] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    names = {module: name for name, module in network.named_modules()}

    def seen(layer, outputs, cost):
        output = outputs if isinstance(outputs, Tensor) else outputs[-1]  # a stem can have two outputs
        shapes[name := names[layer]] = tuple(output.shape[1:])
        while cost and name:
            inside[name] = inside.get(name, 0) + cost
            name = name.rpartition(".")[0]
        inside[""] = inside.get("", 0) + cost

    _run(network, image, convention, seen)
    return [
        Layer(name, type(module).__name__, shapes[name], parameters(module), inside.get(name, 0))
        for name, module in network.named_modules()
        if name in shapes
    ]
