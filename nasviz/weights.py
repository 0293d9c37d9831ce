"""First weights of a network, drawn from a generator that is passed: the same seed gives the same network.

The environment variable ``NASVIZ_JITTER`` changes them by up to one part in 10⁶. This imitates another processor:
processors add in different orders and round differently, and training amplifies such differences.
`nasviz.course.roundings` sets the variable to check that the statements of a lab still hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

JITTER = 1e-6  # relative change; the rounding of float32 is 6e-8


def built(build: Callable[[], nn.Module], generator: torch.Generator | None) -> nn.Module:
    """Build a network that may have torch's own layers, with weights from ``generator`` (None: one with seed 0).

    The network is first built without memory: otherwise torch's layers would draw their weights from torch's global
    generator. ValueError for a layer or a buffer that `initialize` does not know, or if ``build`` returns no module.
    """
    with torch.device("meta"):
        network = build()
    if not isinstance(network, nn.Module):
        raise ValueError(f"build must return a torch.nn.Module, got {type(network).__name__}")
    for name, layer in network.named_modules():
        if not isinstance(layer, nn.BatchNorm2d) and next(layer.buffers(recurse=False), None) is not None:
            raise ValueError(f"{name}: a {type(layer).__name__} has buffers whose first values would be lost")
    if torch.get_default_device().type != "meta":  # inside a block with the meta device, only shapes are needed
        network.to_empty(device="cpu")
    initialize(network, generator or torch.Generator().manual_seed(0))
    return network.to(memory_format=torch.channels_last)


def initialize(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights of ``module`` from ``generator``, which is on the CPU for every device.

    Convolutions and linear layers: uniform in ±1/√(inputs of a unit), biases too; batch-norm: scale 1, shift 0, mean
    0, variance 1. These are torch's defaults. ValueError for any other kind of layer with weights. A module on the meta
    device has no memory for weights and stays as it is.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            bound = layer.weight[0].numel() ** -0.5
            for weights in layer.parameters(recurse=False):
                if not weights.is_meta:
                    drawn = torch.empty(weights.shape, device="cpu").uniform_(-bound, bound, generator=generator)
                    weights.data.copy_(drawn)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            if layer.affine:
                nn.init.ones_(layer.weight)
                nn.init.zeros_(layer.bias)
        elif next(layer.parameters(recurse=False), None) is not None:
            raise ValueError(f"no initialisation is written for {type(layer).__name__}: add it in nasviz/weights.py")
    jitter(module.parameters())


def jitter(weights: Iterable[Tensor]) -> None:
    """Change each of the ``weights`` by up to one part in 10⁶ if ``NASVIZ_JITTER`` is set; otherwise do nothing.

    Each number in the variable gives other changes, the same at each call. ValueError if it is no whole number.
    """
    asked = os.environ.get("NASVIZ_JITTER", "")
    if not asked:
        return
    if not asked.isdecimal():
        raise ValueError(f"NASVIZ_JITTER must be a whole number such as 1, or not be set; it is {asked!r}")
    generator = torch.Generator().manual_seed(int(asked))
    with torch.no_grad():
        for values in weights:
            if not values.is_meta:
                change = torch.empty(values.shape, device="cpu").uniform_(-JITTER, JITTER, generator=generator)
                values.mul_(1 + change.to(values))
